"""Fill a study with simulated ratings."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.plan.simulation import Effects, simulate_ratings


class Command(StudyCommand):
    help = "Fill a study with ratings of known effect sizes by simulated evaluators, marked as simulated."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--evaluators", type=int, required=True, metavar="N")
        parser.add_argument(
            "--step",
            type=float,
            default=Effects.step,
            help="points on a 1-10 scale by which each method is better than the one before (default: %(default)s)",
        )
        parser.add_argument(
            "--seed", type=int, default=0, help="the same seed gives the same ratings (default: 0)"
        )

    def act(self, study: Study, options: dict[str, Any]) -> None:
        enrolments = simulate_ratings(
            study,
            evaluators=options["evaluators"],
            seed=options["seed"],
            effects=Effects(step=options["step"]),
        )
        self.stdout.write(f"{study.slug}: {len(enrolments)} simulated evaluators answered every page")
