"""Set the items of a study's checklist that are asked for every prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.setup.checklist_items.storing import checklist_in, replace_study_items


class Command(StudyCommand):
    help = (
        "Set the items of a draft's checklist that are asked for every prompt, from a file with one item a line or a"
        " list in JSON (docs/files.md). Items of single prompts come with the material."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="the file with the items")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        path: Path = options["file"]
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path}: {error}") from error
        items = checklist_in(text, path.name)
        replace_study_items(study, items, by=None)
        self.stdout.write(f"{study.slug}: {len(items)} items for every prompt")
