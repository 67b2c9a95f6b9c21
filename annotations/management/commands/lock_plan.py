"""Lock the plan of a study's analysis."""

from __future__ import annotations

from argparse import ArgumentTypeError
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import StudyCommand
from annotations.models import AnalysisPlan, Study
from annotations.plan.plan import Pair, lock_plan


def pair(text: str) -> Pair:
    """Return the two methods of 'a:b'."""
    a, colon, b = text.partition(":")
    if not (a and colon and b):
        raise ArgumentTypeError(f"{text!r} is not of the form METHOD:METHOD")
    return a, b


def points(text: str) -> Decimal:
    """Return a number of points with at most three decimals."""
    try:
        number = Decimal(text)
        exact = number.is_finite() and number == round(number, 3)
    except InvalidOperation:
        exact = False
    if not exact:
        raise ArgumentTypeError(f"{text!r} is not a number with at most three decimals")
    return number


class Command(StudyCommand):
    help = "Lock the plan of a study's analysis, before its first answer and for good."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--primary", required=True, metavar="CRITERION", help="key of the criterion that decides"
        )
        parser.add_argument(
            "--compare",
            type=pair,
            nargs="+",
            metavar="METHOD:METHOD",
            help="pairs of methods to be compared (default: every pair)",
        )
        parser.add_argument(
            "--margin", type=points, metavar="POINTS", help="margin of equivalence (default: none)"
        )
        parser.add_argument(
            "--effect",
            type=points,
            metavar="POINTS",
            help="smallest difference worth finding (default: none)",
        )
        parser.add_argument(
            "--analysis",
            choices=AnalysisPlan.Analysis.values,
            default=AnalysisPlan.Analysis.BY_DESIGN,
            help="how methods are compared (default: by the rule of the design)",
        )
        parser.add_argument("--evaluators", type=int, metavar="N", help="how many are to be recruited")
        parser.add_argument(
            "--prompts", type=int, metavar="N", help="how many are to be shown (default: those of the study)"
        )
        parser.add_argument(
            "--off-scale",
            choices=AnalysisPlan.OffScale.values,
            default=AnalysisPlan.OffScale.KEPT,
            help="what to do with imported scores that the scale does not have (default: kept)",
        )
        parser.add_argument("--judge", default="", metavar="KEY", help="a judge or metric, by its short name")
        parser.add_argument("--judge-version", default="", help="what exactly it is")
        parser.add_argument(
            "--judge-use",
            choices=[one for one in AnalysisPlan.JudgeUse.values if one],
            default="",
            help="checks: it is checked against the evaluators; combined: the combined estimate is secondary",
        )
        parser.add_argument(
            "--judge-set-aside",
            action="append",
            default=[],
            metavar="PROMPT",
            help="a prompt by which the judge's own prompt was written: it counts in none of its checks",
        )
        parser.add_argument(
            "--groups",
            type=lambda text: text.split(":"),
            nargs="+",
            default=[],
            metavar="GROUPING:GROUP:GROUP",
            help="groups of evaluators to be compared, by key: groups:students:experts, or question.KEY with two of its"
            " answers",
        )
        parser.add_argument(
            "--covariates",
            nargs="*",
            choices=AnalysisPlan.Covariate.values,
            help="what comparisons of texts are adjusted for (default: all)",
        )
        parser.add_argument("--notes", default="", help="anything else that was decided beforehand")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        criterion = study.criteria.filter(key=options["primary"]).first()
        if criterion is None:
            keys = ", ".join(study.criteria.values_list("key", flat=True))
            raise CommandError(f"--primary {options['primary']}: no such criterion; there are {keys}")
        plan = lock_plan(
            study,
            staff=None,
            primary_criterion=criterion,
            comparisons=options["compare"],
            off_scale=options["off_scale"],
            equivalence_margin=options["margin"],
            planned_effect=options["effect"],
            analysis=options["analysis"],
            planned_evaluators=options["evaluators"],
            planned_prompts=options["prompts"],
            judge=options["judge"],
            judge_version=options["judge_version"],
            judge_use=options["judge_use"],
            judge_set_aside=options["judge_set_aside"],
            group_comparisons=options["groups"],
            covariates=options["covariates"],
            notes=options["notes"],
        )
        self.stdout.write(f"{study.slug}: the plan is locked, digest {plan.digest}")
