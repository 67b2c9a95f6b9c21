"""Write the report of a study to a file or to standard output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import translation

from annotations.management.study_command import StudyCommand
from annotations.models import AnalysisPlan, Study
from annotations.results.report import study_report
from annotations.results.report_formats import FORMATS, export
from annotations.results.seal import unblind
from generation.refusals import Refused
from stats.reports.write_rows import write_whole

BINARY = ("pdf", "xlsx")


class Command(StudyCommand):
    help = "Write the report of a study as JSON, HTML, PDF, LaTeX, XLSX or CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--format", choices=list(FORMATS), default="json", help="default: json")
        parser.add_argument("--output", type=Path, metavar="PATH", help="default: standard output")
        parser.add_argument(
            "--off-scale",
            choices=AnalysisPlan.OffScale.values,
            default="kept",
            help="what to do with imported scores that the scale does not have (default: kept)",
        )
        parser.add_argument(
            "--unblind",
            metavar="REASON",
            help="open the numbers of a study that still takes answers; logged and printed in the report",
        )
        parser.add_argument("--language", choices=["en", "zh-hans"], default="en", help="default: en")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        if options["output"] is None and options["format"] in BINARY:
            raise CommandError(f"--format {options['format']}: name a file with --output")
        if options["unblind"] is not None:
            try:
                unblind(study, staff=None, reason=options["unblind"])
            except Refused as error:
                raise CommandError(f"--unblind: {error}") from error
        with translation.override(options["language"]):
            report = study_report(study, off_scale=options["off_scale"])
            body = export(report, options["format"])
        if report.sealed:
            self.stderr.write(
                f"{study.slug}: sealed while it is open, so the report has no numbers by method"
                " (close_study closes it, --unblind REASON opens them)"
            )
        output: Path | None = options["output"]
        if output is None:
            self.stdout.write(body.decode(), ending="")
            return
        try:
            write_whole(output, [body])
        except OSError as error:
            raise CommandError(f"{output}: {error.strerror}") from error
        self.stderr.write(f"{output}: written")
