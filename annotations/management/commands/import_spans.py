"""Make a closed study of errors that were marked elsewhere or exported from here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from annotations.imports.spans.storing import find_spans, import_spans
from annotations.management.table_options import add_table_options
from annotations.management.text_options import add_text_options, text_from
from annotations.setup.rubrics import RUBRIC_HELP, load_rubric
from generation.files.problems import FileRefused
from generation.management.act_command import ActCommand, words
from generation.refusals import Refused


class Command(ActCommand):
    help = (
        "Make a closed study of a file of marked errors: CSV, TSV, JSON, JSON Lines, XLSX or Parquet, a row an error,"
        " as offsets or as <v> tags in the text, with the columns of export_spans or of files of MQM. Nothing is stored"
        " if anything is wrong; the same file again changes nothing; import_ratings --take-back deletes the study."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--slug", required=True, help="the study's name in addresses")
        add_text_options(parser, "title", "the slug if left out")
        parser.add_argument(
            "--rubric",
            default="",
            help=f"what categories and severities there are, and what they cost: {RUBRIC_HELP};"
            " without one they are those of the file, with its column penalty",
        )
        add_table_options(parser)
        parser.add_argument(
            "--dry-run", action="store_true", help="say what is in the file and store nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"]
        try:
            rubric = load_rubric(options["rubric"]) if options["rubric"] else None
            found = find_spans(
                path, path.name, rubric=rubric, encoding=options["encoding"], sheet=options["sheet"]
            )
            self.stdout.write(", ".join(f"{count} {what}" for what, count in found.summary().items()))
            if options["dry_run"]:
                self.stdout.write("Nothing was stored: this was a look.")
                return
            study, is_new = import_spans(found, slug=options["slug"], title=text_from(options, "title"))
        except FileRefused as error:
            raise CommandError(f"Nothing was imported.\n{error}") from error
        except Refused as error:
            raise CommandError(f"Nothing was imported: {error}") from error
        except ValidationError as error:
            raise CommandError(f"Nothing was imported: {words(error)}") from error
        if not is_new:
            self.stdout.write(f"Study {study} was already made of the same marks; nothing has changed.")
            return
        self.stdout.write(
            f"Study {study} is stored, closed.\n"
            f"Next: manage.py export_report {study} --format html --output report.html"
        )
