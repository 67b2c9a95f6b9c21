"""Write the data sheet of a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.data_sheet import heds_form, heds_markdown
from annotations.management.study_command import StudyCommand
from annotations.models import Study


class Command(StudyCommand):
    help = (
        "Write the human evaluation data sheet (HEDS) of a study and the ARR items on annotators as Markdown, filled in"
        " as far as the platform knows them; or as JSON, the file that the public HEDS form loads."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--format", choices=("markdown", "json"), default="markdown")
        parser.add_argument("--output", type=Path, metavar="PATH", help="default: standard output")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        if options["format"] == "json":
            form, left = heds_form(study)
            sheet = json.dumps(form, ensure_ascii=False, indent=2) + "\n"
            self.stderr.write(f"Questions that only you can answer: {', '.join(left)}")
        else:
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
