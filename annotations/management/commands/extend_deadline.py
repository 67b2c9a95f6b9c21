"""Give evaluators more time."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from annotations.management.study_command import StudyCommand, evaluators_named
from annotations.models import Study
from annotations.recruiting.enrolment import extend_deadline


class Command(StudyCommand):
    help = "Give evaluators more days, counted from their deadline, or from now if it is past."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("evaluators", nargs="+", metavar="EVALUATOR", help="as in E003")
        parser.add_argument("--days", type=int, required=True)

    def act(self, study: Study, options: dict[str, Any]) -> None:
        for enrolment in evaluators_named(study, options["evaluators"]):
            extend_deadline(enrolment, days=options["days"], by=None)
            enrolment.refresh_from_db()
            self.stdout.write(f"{enrolment.pseudonym}: until {enrolment.deadline:%Y-%m-%d %H:%M} UTC")
