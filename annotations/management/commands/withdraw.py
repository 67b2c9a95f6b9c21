"""Remove what evaluators answered, at their wish."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from annotations.management.study_command import StudyCommand, evaluators_named
from annotations.models import Study
from annotations.recruiting.withdrawal import withdraw


class Command(StudyCommand):
    help = (
        "Remove evaluators' answers for good, and all that tells who they were. Works in a closed study too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("evaluators", nargs="+", metavar="EVALUATOR", help="as in E003")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        for enrolment in evaluators_named(study, options["evaluators"]):
            self.stdout.write(f"{enrolment.pseudonym}: {withdraw(enrolment)} answers removed")
