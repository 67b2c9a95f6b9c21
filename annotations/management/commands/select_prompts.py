"""Draw the prompts of a draft that people are to rate."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management.base import CommandParser

from annotations.judges.prompt_draw import draw_prompts
from annotations.management.study_command import StudyCommand
from annotations.models import PromptDraw, Study


class Command(StudyCommand):
    help = (
        "Draw the prompts of a draft that people are to rate, uniformly or by the scores of its judges and metrics. The"
        " chances are stored, so that the report can infer the others; these are set aside for judges."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--by", required=True, choices=PromptDraw.By.values)
        parser.add_argument("--count", required=True, type=int, help="how many people are to rate")
        parser.add_argument("--tag", default="", help="draw within the values of this tag (uniform alone)")
        parser.add_argument(
            "--judge", action="append", default=[], metavar="KEY", help="by these alone; all if left out"
        )
        parser.add_argument("--seed", type=int, default=None, help="drawn at random if left out; stored")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        seed = secrets.randbits(32) if options["seed"] is None else options["seed"]
        draw = draw_prompts(
            study,
            by=options["by"],
            count=options["count"],
            tag=options["tag"],
            judges=options["judge"],
            seed=seed,
            staff=None,
        )
        prompts = draw.prompts.count()
        self.stdout.write(
            f"{study.slug}: {options['count']} of {prompts} prompts drawn, seed {seed}; the others are set aside"
        )
