"""Write the archive of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.results.archive import study_archive
from stats.reports.write_rows import write_whole


class Command(StudyCommand):
    help = (
        "Write a ZIP with the answers of a study by pseudonym, its plan, material and results, and the one command"
        " that makes the results again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--output", type=Path, metavar="PATH", required=True)

    def act(self, study: Study, options: dict[str, Any]) -> None:
        body = study_archive(study)
        try:
            write_whole(options["output"], [body])
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}") from error
        self.stderr.write(f"{options['output']}: written")
