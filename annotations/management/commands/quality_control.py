"""Declare the quality control of a study, or print what it declares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rest_framework.exceptions import ValidationError

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.setup.quality.api import QualityControlBody, declaration_of
from annotations.setup.quality.declaration import declaration_document, declare
from generation.web.rest import checked


class Command(StudyCommand):
    help = (
        "Declare the quality control of a draft by a JSON file with the fields of the API's quality-control/:"
        " known-answer and training pages, repeats, flags. Without a file, print what the study declares."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", nargs="?", type=Path, help="JSON")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        file = options["file"]
        if file is not None:
            try:
                document = json.loads(file.read_text(encoding="utf-8"))
                fields = checked(QualityControlBody, document)
            except (OSError, ValueError) as error:
                raise CommandError(f"{file}: {error}") from error
            except ValidationError as error:
                raise CommandError(f"{file}: {json.dumps(error.detail, ensure_ascii=False)}") from error
            declare(study, declaration_of(fields), by=None)
        self.stdout.write(json.dumps(declaration_document(study), ensure_ascii=False, indent=2))
