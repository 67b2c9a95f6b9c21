"""Compute a metric for the texts of a study."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from annotations.judges.metrics import compute_metric
from annotations.management.study_command import StudyCommand
from annotations.models import Study
from generation.evidence.metrics import METRICS


class Command(StudyCommand):
    help = (
        "Compute a metric for every text of a study and store it beside people's ratings, in place of what it had. The"
        " report compares it with the evaluators."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("metric", choices=METRICS)

    def act(self, study: Study, options: dict[str, Any]) -> None:
        judge = compute_metric(study, options["metric"], by=None)
        self.stdout.write(f"{judge.key}: {judge.ratings.count()} scores ({judge.version})")
