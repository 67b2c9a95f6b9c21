"""Make or change a group of evaluators."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import StudyCommand
from annotations.management.text_options import add_text_options, text_from
from annotations.models import Study
from annotations.models.texts_by_language import named_by
from annotations.recruiting.invitations import put_group


class Command(StudyCommand):
    help = "Make a group of evaluators, such as students or experts, or change it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("key", help="the group's short name, as in files of invitations")
        add_text_options(parser, "name", "the short name if left out")
        parser.add_argument("--payment", help="of a valid evaluator; as the study says if left out")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        name = text_from(options, "name") or named_by(options["key"])
        try:
            payment = None if options["payment"] is None else Decimal(options["payment"])
        except InvalidOperation as error:
            raise CommandError(f"--payment {options['payment']}: is no amount") from error
        group = put_group(study, options["key"], name=name, payment=payment, by=None)
        self.stdout.write(f"{study}: group {group}")
