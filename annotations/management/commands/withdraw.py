"""Remove what evaluators answered, at their wish."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotations.management.study_command import evaluators_named, study_named
from annotations.recruiting.withdrawal import withdraw


class Command(BaseCommand):
    help = (
        "Remove evaluators' answers for good, and all that tells who they were. Works in a closed study too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument("evaluators", nargs="+", metavar="EVALUATOR", help="as in E003")

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_named(options["slug"])
        for enrolment in evaluators_named(study, options["evaluators"]):
            self.stdout.write(f"{enrolment.pseudonym}: {withdraw(enrolment)} answers removed")
