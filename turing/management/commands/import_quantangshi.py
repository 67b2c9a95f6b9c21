"""Store the poems of the Quan Tang Shi, from which the human side of the game's pairs is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from generation.files.problems import FileRefused
from generation.management.act_command import ActCommand
from turing.models import SourceText
from turing.pairs.quantangshi import read_quantangshi, store


class Command(ActCommand):
    help = (
        "Store the poems of the Quan Tang Shi: DIR is the folder quantangshi of the npm package chinese-poetry. "
        "May be run again. Nothing is stored if anything is wrong in a file; poems without lines are left out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dir", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            collection = read_quantangshi(
                options["dir"], lambda files: tqdm(files, unit=" files", disable=None, file=self.stderr)
            )
        except FileRefused as error:
            raise CommandError(f"Nothing was imported.\n{error}") from error
        new = store(collection.texts)
        for line in collection.left_out:
            self.stderr.write(f"left out: {line}")
        forms = SourceText.objects.exclude(form="").count()
        self.stdout.write(
            f"{len(collection.texts):,} poems, {new:,} of them new; {len(collection.left_out)} without lines "
            "left out.\n"
            f"{forms:,} are of a form that the game knows. Next: manage.py make_pairs"
        )
