"""Give evaluators more time."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from annotations.management.study_command import evaluators_named, study_named
from annotations.recruiting.enrolment import extend_deadline
from generation.management.act_command import ActCommand


class Command(ActCommand):
    help = "Give evaluators more days, counted from their deadline, or from now if it is past."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument("evaluators", nargs="+", metavar="EVALUATOR", help="as in E003")
        parser.add_argument("--days", type=int, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_named(options["slug"])
        for enrolment in evaluators_named(study, options["evaluators"]):
            extend_deadline(enrolment, days=options["days"], by=None)
            enrolment.refresh_from_db()
            self.stdout.write(f"{enrolment.pseudonym}: until {enrolment.deadline:%Y-%m-%d %H:%M} UTC")
