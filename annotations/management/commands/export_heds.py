"""Write the data sheet of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.data_sheet import heds_markdown
from annotations.models import Study


class Command(BaseCommand):
    help = (
        "Write the human evaluation data sheet (HEDS) of a study and the ARR items on annotators as Markdown, filled in"
        " as far as the platform knows them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument("--output", type=Path, metavar="PATH", help="default: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["slug"]).first()
        if study is None:
            raise CommandError(f"{options['slug']}: no such study")
        sheet = heds_markdown(study)
        output: Path | None = options["output"]
        if output is None:
            self.stdout.write(sheet, ending="")
            return
        try:
            output.write_text(sheet, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{output}: {error.strerror}") from error
        self.stderr.write(f"{output}: written")
