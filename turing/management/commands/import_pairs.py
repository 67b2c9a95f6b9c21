"""Put pairs that are ready into play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from generation.management.act_command import ActCommand
from turing.models import PoemPair
from turing.pairs.files import import_pairs


class Command(ActCommand):
    help = (
        "Put the pairs of a file into play: JSON Lines with title, human, machine, source and more "
        "(turing/pair_files.py). May be run again. Nothing is stored if anything is wrong in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        paired = import_pairs(options["file"])
        for line in paired.refused:
            self.stderr.write(f"refused: {line}")
        self.stdout.write(f"{len(paired.pairs):,} new pairs; {PoemPair.objects.count():,} in all.")
