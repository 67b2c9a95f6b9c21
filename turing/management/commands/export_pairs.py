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
        parser.add_argument("--output", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        written = write_pairs(options["output"], options["count"])
        self.stdout.write(f"{written:,} pairs written to {options['output']}")
