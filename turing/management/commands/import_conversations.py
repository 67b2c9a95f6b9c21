"""Put finished conversations into play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from generation.management.act_command import ActCommand
from turing.models import Genre, PoemPair
from turing.pairs.conversation_files import import_conversations


class Command(ActCommand):
    help = (
        "Put the finished conversations of a file into play, to be read by people who were not there: JSON, JSON "
        "Lines, CSV or another table (turing/pairs/conversation_files.py). May be run again. Nothing is stored if "
        "anything is wrong in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--encoding", default="", help="of a text file that is neither UTF-8 nor UTF-16")

    def handle(self, *args: Any, **options: Any) -> None:
        paired = import_conversations(options["file"], encoding=options["encoding"])
        for line in paired.refused:
            self.stderr.write(f"left out: {line}")
        there = PoemPair.objects.filter(genre=Genre.CHAT).count()
        self.stdout.write(f"{len(paired.pairs):,} new pairs of conversations; {there:,} in all.")
