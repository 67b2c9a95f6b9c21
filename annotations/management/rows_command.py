"""What the commands have in common that write what single evaluators answered."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.access.log import log_act
from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.results.seal import Sealed, unblind
from generation.refusals import Refused
from stats.reports.write_rows import BINARY, FORMATS, Columns, Row, TooMuchForWorkbook, write_whole


class RowsCommand(StudyCommand):
    """A command that writes rows of a study to a file or to standard output."""

    formats: Sequence[str]
    columns: Columns

    @abstractmethod
    def rows(self, study: Study, options: dict[str, Any]) -> Iterable[Row]:
        """Return the rows; raise `Sealed`, or `CommandError` for options that do not fit the study."""

    @abstractmethod
    def exported(self, options: dict[str, Any]) -> str:
        """Return what the rows are called in the log of the study."""

    def add_arguments(self, parser: CommandParser) -> None:
        default = self.formats[0]
        super().add_arguments(parser)
        parser.add_argument("--format", choices=self.formats, default=default, help=f"default: {default}")
        parser.add_argument(
            "--output",
            type=Path,
            metavar="PATH",
            help="default: standard output; parquet and xlsx need a file",
        )
        parser.add_argument(
            "--unblind",
            metavar="REASON",
            help="open the numbers of a study that still takes answers; logged and printed in the report",
        )

    def act(self, study: Study, options: dict[str, Any]) -> None:
        output: Path | None = options["output"]
        if output is None and options["format"] in BINARY:
            raise CommandError(f"--format {options['format']}: name a file with --output")
        if options["unblind"] is not None:
            try:
                unblind(study, staff=None, reason=options["unblind"])
            except Refused as error:
                raise CommandError(f"--unblind: {error}") from error
        try:
            rows = self.rows(study, options)
        except Sealed as error:
            raise CommandError(
                f"{study.slug}: sealed while it is open (close_study closes it, --unblind REASON opens the numbers)"
            ) from error
        log_act(study, None, "export.answers", rows=self.exported(options), format=options["format"])
        chunks = FORMATS[options["format"]](self.columns, rows)
        if output is None:
            for chunk in chunks:
                self.stdout.write(chunk.decode(), ending="")
            return
        try:
            write_whole(output, chunks)
        except OSError as error:
            raise CommandError(f"{output}: {error.strerror}") from error
        except TooMuchForWorkbook as error:
            raise CommandError(f"{output}: a workbook cannot hold {error}; take parquet or csv") from error
        self.stderr.write(f"{output}: written")
