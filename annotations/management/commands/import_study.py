"""Make a study of a file with candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from annotations.imports.studies import import_study
from annotations.management.table_options import add_table_options, explained, table_options
from annotations.management.text_options import add_text_options, text_from
from annotations.models import Page
from annotations.setup.rubrics import RUBRIC_HELP, load_rubric
from generation.files.candidates import read_candidates
from generation.files.problems import FileRefused
from generation.management.act_command import ActCommand
from generation.refusals import Refused


class Command(ActCommand):
    help = (
        "Make a study of a file with candidates: CSV, JSON, XLSX or Parquet with one row a candidate (columns prompt,"
        " method, text) or one column a method. Of a method's texts for a prompt in several forms (column form) one"
        " is drawn. Nothing is written if anything is wrong in it. docs/files.md has the rules."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        add_table_options(parser, with_columns=True)
        parser.add_argument("--slug", required=True, help="the study's name in addresses")
        parser.add_argument("--rubric", required=True, help=f"the criteria: {RUBRIC_HELP}")
        add_text_options(parser, "title", "the slug if left out")
        add_text_options(parser, "description", "instructions; the rubric's if left out")
        parser.add_argument(
            "--seed",
            type=int,
            default=0,
            help="of the draw where a method wrote in several forms (column form)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["slug"]
        try:
            rubric = load_rubric(options["rubric"])
            file = read_candidates(
                options["file"], rubric.genre, seed=options["seed"], **table_options(options)
            )
            study, is_new = import_study(
                file,
                slug=slug,
                rubric=rubric,
                title=text_from(options, "title"),
                instructions=text_from(options, "description"),
            )
        except FileRefused as error:
            raise CommandError(f"Nothing was imported.\n{explained(error)}") from error
        except (Refused, ValidationError) as error:
            raise CommandError(f"Nothing was imported: {messages_of(error)}") from error
        if not is_new:
            self.stdout.write(f"Study {slug} was already imported from the same file; nothing has changed.")
            return
        pages = Page.objects.filter(subtask__study=study).count()
        self.stdout.write(
            f"Study {slug}: {pages} prompts by {len(file.methods)} methods ({', '.join(file.methods)}), "
            f"{len(file.rows)} candidates, {study.subtasks.count()} sub-tasks.\n"
            f"Next: manage.py enrol {slug} USERNAME ... (--create makes the accounts)"
        )


def messages_of(error: Refused | ValidationError) -> str:
    """Return what is wrong in one line, with the field's name where there is one."""
    if isinstance(error, ValidationError) and hasattr(error, "error_dict"):
        return "; ".join(f"{field}: {' '.join(found)}" for field, found in error.message_dict.items())
    return str(error)
