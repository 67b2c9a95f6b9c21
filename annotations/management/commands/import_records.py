"""Make a closed study of the records that the authors of inverse prompting published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from annotations.imports.published_records import read_records
from annotations.imports.studies import import_records
from annotations.management.commands.import_study import messages_of
from annotations.management.text_options import add_text_options, text_from
from generation.files.problems import FileRefused
from generation.management.act_command import ActCommand
from generation.refusals import Refused


class Command(ActCommand):
    help = (
        "Make a closed study of two published files: CANDIDATES (poem-records.jsonl or qa-records.jsonl) and ANSWERS "
        "(user-records.jsonl). Nothing is written if either is damaged; no answer is dropped or mended."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("candidates", type=Path)
        parser.add_argument("answers", type=Path)
        parser.add_argument("--slug", required=True, help="the study's name in addresses")
        add_text_options(parser, "title", "the slug if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            records = read_records(options["candidates"], options["answers"])
            receipt = import_records(records, slug=options["slug"], title=text_from(options, "title"))
        except FileRefused as error:
            raise CommandError(f"Nothing was imported.\n{error}") from error
        except (Refused, ValidationError) as error:
            raise CommandError(f"Nothing was imported: {messages_of(error)}") from error
        if not receipt.is_new:
            self.stdout.write(
                f"Study {receipt.study} was already imported from the same files; nothing has changed."
            )
            return
        self.stdout.write(
            f"Study {receipt.study} ({records.app_name}): {len(records.pages)} prompts, "
            f"{len(records.evaluators)} evaluators, {receipt.ratings} ratings, {receipt.best_choices} best picks.\n"
            f"{receipt.off_scale} ratings are off their scale; they are kept and marked."
        )
        for app, usernames in records.of_other_apps.items():
            self.stdout.write(f"Left out, for they rated {app}: {', '.join(usernames)}.")
        if records.without_answers:
            self.stdout.write(
                f"Counted in {options['candidates'].name} but without answers: {', '.join(records.without_answers)}."
            )
        self.stdout.write(f"Next: manage.py export_report {receipt.study} --format html --output report.html")
