"""Launch a study."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.setup.checklist import missing_words
from annotations.setup.lifecycle import launch


class Command(StudyCommand):
    help = "Open a draft to its evaluators, for good: material, criteria and rules are fixed from then on."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--without-plan",
            action="store_true",
            help="with no plan of the analysis locked; the report says so",
        )

    def act(self, study: Study, options: dict[str, Any]) -> None:
        for words in missing_words(study, study.criteria.all()):
            self.stdout.write(f"{study.slug}: {words}")
        launch(study, by=None, without_plan=options["without_plan"])
        self.stdout.write(f"{study.slug}: launched. Next: manage.py enrol {study.slug} USERNAME ...")
