"""Write the pairs in play as a file that can be imported again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from generation.management.act_command import ActCommand
from turing.pairs.files import write_pairs


class Command(ActCommand):
    help = "Write pairs in play as JSON Lines, in the format of import_pairs, the first ones first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, help="how many at most; all if left out")
        parser.add_argument(
            "--alike",
            action="store_true",
            help="of the whole pairs leave out those whose rarity or characters tell the human text best",
        )
        parser.add_argument("--output", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        written = write_pairs(options["output"], options["count"], alike=options["alike"])
        self.stdout.write(f"{written.pairs:,} pairs written to {options['output']}")
        if surface := written.superficial:
            self.stdout.write(
                f"The best classifier of the surface ({surface.by}) names the human text in {surface.share:.1%} of "
                f"{surface.pairs:,} pairs ({surface.ci[0]:.1%} to {surface.ci[1]:.1%})."
            )
