"""List the accounts whose names differ by case only."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from annotations.access.accounts import case_twins


class Command(BaseCommand):
    help = "List the accounts whose names differ by case only, a line for each; they log in by their exact names."

    def handle(self, *args: Any, **options: Any) -> None:
        twins = case_twins()
        for names in twins:
            self.stdout.write("\t".join(names))
        if not twins:
            self.stderr.write("No two names differ by case only.")
