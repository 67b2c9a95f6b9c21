"""Delete what simulated players played."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from turing.rooms.simulated import remove_simulated_rounds


class Command(BaseCommand):
    help = (
        "Delete the rooms of simulated players, such as that of the demonstration, with all of their rounds."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{remove_simulated_rounds()} rounds of simulated players are deleted")
