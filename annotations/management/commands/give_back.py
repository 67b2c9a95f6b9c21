"""Take abandoned sub-tasks back."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from annotations.recruiting.sharing_out import give_back_everywhere


class Command(BaseCommand):
    help = "Take sub-tasks without an answer from evaluators who have been away for long, for others to rate."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{give_back_everywhere()} sub-tasks given back")
