"""Rehearse a study with simulated evaluators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.plan.rehearsal import rehearse
from annotations.plan.simulation import Effects
from annotations.results.document.findings import pair_label
from annotations.results.document.wording import comparison_sentence
from annotations.results.report import study_report
from annotations.results.report_formats import export
from stats.reports.numbers import decimal, signed
from stats.reports.study_report import StudyReport


class Command(StudyCommand):
    help = (
        "Answer a copy of a study with simulated evaluators, one answer at a time as a browser sends them, and"
        " show the report and the power to expect. Nothing of the study itself changes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--evaluators", type=int, required=True, metavar="E")
        parser.add_argument(
            "--effect",
            type=float,
            required=True,
            metavar="D",
            help="points on a 1-10 scale by which each method is better than the one before",
        )
        parser.add_argument(
            "--seed", type=int, default=0, help="the same seed gives the same answers (default: 0)"
        )
        parser.add_argument(
            "--output", type=Path, metavar="PATH", help="write the whole report as HTML as well"
        )

    def act(self, study: Study, options: dict[str, Any]) -> None:
        try:
            copy = rehearse(
                study,
                evaluators=options["evaluators"],
                effects=Effects(step=options["effect"]),
                seed=options["seed"],
                progress=lambda saves: tqdm(saves, unit="answer", disable=None),
            )
        except ValueError as error:
            raise CommandError(f"--{error}") from error
        report = study_report(copy, effect=options["effect"])
        self.stdout.write("\n".join(summary(report)))
        if options["output"]:
            Path(options["output"]).write_bytes(export(report, "html"))
        self.stdout.write(f"The whole report: /studies/{copy.slug}/results/ (simulated)")


def summary(report: StudyReport) -> list[str]:
    """Return the primary result of a rehearsal and the power to expect of the study itself."""
    analysis = report.analysis
    lines = [
        f"{report.participants.recruited} simulated evaluators, {report.participants.valid} valid",
    ]
    if analysis is None:
        return lines
    labels = report.study.method_labels
    lines += [
        comparison_sentence(comparison, labels)
        for comparison in analysis.comparisons
        if comparison.criterion == analysis.primary
    ]
    for pair in analysis.power:
        name = pair_label(analysis.comparison(analysis.primary, pair.a, pair.b), labels)
        lines.append(
            f"{name}: power {decimal(pair.power.power)} to find {signed(pair.power.effect)} points;"
            f" power .8 needs {pair.evaluators_needed or 'more than 10,000'} evaluators at these prompts"
        )
    return lines
