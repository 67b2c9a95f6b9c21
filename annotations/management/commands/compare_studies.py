"""Say how well one study reproduces another."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.results.reproduction import compare_studies
from stats.ratings.reproduction import Reproduction
from stats.reports.numbers import decimal


class Command(StudyCommand):
    help = (
        "Compare two studies of the same methods: the coefficient of variation CV* of each mean, the correlation of"
        " the methods' means, and in how many pairs both studies conclude alike."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("other", help="the slug of the study to compare it with")
        parser.add_argument("--format", choices=["text", "json"], default="text", help="default: text")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        other = Study.objects.filter(slug=options["other"]).first()
        if other is None:
            raise CommandError(f"{options['other']}: no such study")
        found = compare_studies(study, other)
        if options["format"] == "json":
            self.stdout.write(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
            return
        for line in lines(found):
            self.stdout.write(line)


def lines(found: Reproduction) -> list[str]:
    """Return the comparison as lines of text."""
    written = []
    for one in found.criteria:
        written.append(
            f"{one.criterion}: Pearson {decimal(one.pearson)}, Spearman {decimal(one.spearman)};"
            f" of {one.pairs} pairs {one.same_sign} with the same sign,"
            f" {one.same_conclusion} with the same conclusion"
        )
        written += [
            f"  {mean.method}: {decimal(mean.first)} and {decimal(mean.second)}, CV* {decimal(mean.cv)}"
            for mean in found.methods
            if mean.criterion == one.criterion
        ]
    return written
