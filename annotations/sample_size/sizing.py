"""What power a study will have: the spread to expect, and what numbers of evaluators and prompts make of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db.models import Max
from django.utils.translation import gettext as _

from annotations import counted
from annotations.access.permissions import studies_of
from annotations.models import Criterion, StaffAct, Study, StudyRole
from annotations.plan.simulation import Effects
from generation.refusals import Refused
from stats.mixed import VarianceComponents
from stats.power import Power, evaluators_needed, planned_power, power_curve, prompts_needed
from stats.reports.document import Figure
from stats.reports.figures import Curve, curve_plot
from stats.reports.numbers import decimal

# From what the spread to expect is taken, where it is not from a finished study.
USUAL = "usual"
MOST_OFFERED = 50
DRAWN = range(4, 41, 2)
IN_TABLE = (6, 8, 10, 12, 16, 20, 30, 40)
KEPT_SECONDS = 3600


@dataclass(frozen=True)
class Sizing:
    """The power at the numbers that were asked for, what would be needed for a power of .8, and powers around them.

    `table` has a row for each number of evaluators, with the power at each of `prompts`.
    """

    power: Power
    evaluators_needed: int | None
    prompts_needed: int | None
    difference: float
    prompts: tuple[int, ...]
    table: tuple[tuple[int, tuple[str, ...]], ...]
    figure: Figure

    @property
    def heading(self) -> str:
        return _("Power %(power)s") % {"power": decimal(self.power.power)}

    def sentences(self) -> list[str]:
        """Say what so many evaluators and prompts find, and how many of them it would take."""
        finds = _(
            "If two methods truly differ by %(effect)s points, a study with %(evaluators)s and %(prompts)s"
            " finds it with a chance of %(power)s. With a chance of 0.80 it finds %(smallest)s points."
        ) % {
            "effect": f"{self.difference:g}",
            "evaluators": counted.evaluators(self.power.evaluators),
            "prompts": counted.prompts(self.power.prompts),
            "power": decimal(self.power.power),
            "smallest": decimal(self.power.minimum_detectable_effect),
        }
        evaluators = (
            _("For 0.80 it takes %(needed)s with these prompts.")
            % {"needed": counted.evaluators(self.evaluators_needed)}
            if self.evaluators_needed
            else _("No number of evaluators reaches 0.80 with these prompts.")
        )
        prompts = (
            _("Or %(needed)s with these evaluators.") % {"needed": counted.prompts(self.prompts_needed)}
            if self.prompts_needed
            else _("No number of prompts reaches 0.80 with these evaluators.")
        )
        return [finds, evaluators, prompts]


def usual_spread(criterion: Criterion) -> VarianceComponents:
    """Return the components of a difference of two methods, of the size found in the published study of poems.

    Both methods bring a liking of the evaluator, a luck with the prompt and a noise of their own.
    """
    of = Effects()
    squared = 2 * (width(criterion) / 9) ** 2
    return VarianceComponents(of.liking**2 * squared, of.luck**2 * squared, of.noise**2 * squared)


def width(criterion: Criterion) -> float:
    return float(criterion.maximum - criterion.minimum)


def finished_studies(user: User) -> list[Study]:
    """Return the closed studies from which a user may take the spread to expect, the latest first; one query."""
    may_analyse = {"roles__user": user.pk, "roles__role__in": [StudyRole.Role.OWNER, StudyRole.Role.ANALYST]}
    mine = studies_of(user) if user.is_staff else Study.objects.filter(**may_analyse)
    return list(mine.filter(state=Study.State.CLOSED).order_by("-closed_at", "-pk")[:MOST_OFFERED])


def spread_found(study: Study, criterion: Criterion) -> VarianceComponents:
    """Return the mean components of the primary differences of a closed study, on the scale of another criterion.

    Raises `Refused` where they cannot be estimated.
    """
    act = StaffAct.objects.filter(study=study).aggregate(latest=Max("pk"))["latest"]
    key = f"spread-{settings.VERSION}-{study.pk}-{act}"
    found: tuple[float, float, float, float] | None = cache.get(key)
    if found is None:
        found = estimated_spread(study)
        cache.set(key, found, KEPT_SECONDS)
    *components, of_width = found
    if not any(components):
        raise Refused(_("No spread can be estimated from “%(title)s”.") % {"title": study.title})
    evaluator, prompt, residual = (component * (width(criterion) / of_width) ** 2 for component in components)
    return VarianceComponents(evaluator, prompt, residual)


def estimated_spread(study: Study) -> tuple[float, float, float, float]:
    """Return the mean components of a study's primary differences and the width of that scale; zeros without any."""
    from annotations.results.report import study_report

    report = study_report(study)
    analysis = report.analysis
    found = [
        one.variance
        for one in (analysis.comparisons if analysis else ())
        if analysis and one.criterion == analysis.primary and one.variance
    ]
    if analysis is None or not found:
        return 0.0, 0.0, 0.0, 1.0
    criterion = study.criteria.get(key=analysis.primary)
    count = len(found)
    return (
        sum(one.evaluator for one in found) / count,
        sum(one.prompt for one in found) / count,
        sum(one.residual for one in found) / count,
        width(criterion),
    )


def sizing(components: VarianceComponents, *, evaluators: int, prompts: int, difference: float) -> Sizing:
    """Return what so many evaluators and prompts will find; raise `Refused` where nothing varies."""
    power = planned_power(components, evaluators=evaluators, prompts=prompts, effect=difference)
    if power is None:
        raise Refused(_("Nothing varies there, so no power can be reckoned."))
    columns = tuple(sorted({max(2, prompts // 2), prompts, 2 * prompts}))
    table = tuple(
        (number, tuple(decimal(one.power) for one in powers(components, number, columns, difference)))
        for number in sorted({*IN_TABLE, evaluators})
    )
    return Sizing(
        power=power,
        evaluators_needed=evaluators_needed(components, prompts=prompts, effect=difference),
        prompts_needed=prompts_needed(components, evaluators=evaluators, effect=difference),
        difference=difference,
        prompts=columns,
        table=table,
        figure=figure(components, columns, difference),
    )


def powers(
    components: VarianceComponents, evaluators: int, prompts: tuple[int, ...], difference: float
) -> tuple[Power, ...]:
    return power_curve(components, evaluators=[evaluators], prompts=prompts, effect=difference)


def figure(components: VarianceComponents, prompts: tuple[int, ...], difference: float) -> Figure:
    """Draw the power over numbers of evaluators, a line for each number of prompts."""
    curves = [
        Curve(
            counted.prompts(number),
            [
                one.power or 0.0
                for one in power_curve(components, evaluators=DRAWN, prompts=[number], effect=difference)
            ],
        )
        for number in prompts
    ]
    return Figure(
        name="power",
        svg=curve_plot(DRAWN, curves, x_label=_("Evaluators"), y_label=_("Power"), target=0.8),
        caption=_("Power to find a difference of %(difference)s points; the line is at .8.")
        % {"difference": decimal(difference)},
        alternative="; ".join(
            _("%(label)s: power %(first)s with %(fewest)s, %(last)s with %(most)d")
            % {
                "label": curve.label,
                "first": decimal(curve.values[0]),
                "last": decimal(curve.values[-1]),
                "fewest": counted.evaluators(DRAWN[0]),
                "most": DRAWN[-1],
            }
            for curve in curves
        ),
    )
