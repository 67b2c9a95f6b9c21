"""How often each score was given to each method, as small histograms."""

from __future__ import annotations

import math

from django.utils.translation import gettext as _

from stats.analysis import Analysis
from stats.reports.document import Figure
from stats.reports.figures import Distribution, distribution_plot
from stats.reports.study_report import StudyReport

# Bars of a histogram, and criteria that have histograms.
MOST_BARS = 100
MOST_DRAWN = 8


def weighted_mean(counts: dict[float, int]) -> float | None:
    """Return the mean of scores that were given so many times."""
    total = sum(counts.values())
    return sum(score * count for score, count in counts.items()) / total if total else None


def distribution_figure(report: StudyReport, analysis: Analysis) -> Figure:
    """Draw how often each point of each scale was given to each method."""
    study = report.study
    counts = {(mean.method, mean.criterion): dict(mean.counts) for mean in analysis.means}
    distributions = []
    drawn = [criterion for criterion in study.criteria if criterion.key == analysis.primary]
    drawn += [criterion for criterion in study.criteria if criterion.key != analysis.primary]
    for criterion in drawn[:MOST_DRAWN]:
        given = {point for method in study.methods for point in counts[method, criterion.key]}
        # Scores off the scale are drawn as well, where an imported record has them.
        first = math.floor(min([criterion.minimum, *given]))
        last = math.ceil(max([criterion.maximum, *given]))
        # A bar for each point; on long scales, and of scores with decimals, one for the nearest of at most 101 points.
        step = max(1, math.ceil((last - first) / MOST_BARS))
        points = list(range(first, last + 1, step))
        shares = []
        for method in study.methods:
            of_method = counts[method, criterion.key]
            total = max(sum(of_method.values()), 1)
            bars = [0.0] * len(points)
            for score, count in of_method.items():
                bars[min(round((score - first) / step), len(points) - 1)] += count / total
            shares.append(bars)
        means = [weighted_mean(counts[method, criterion.key]) for method in study.methods]
        distributions.append(Distribution(criterion.label, points, shares, means))
    return Figure(
        name="distributions",
        svg=distribution_plot(distributions, [study.method_labels[method] for method in study.methods]),
        caption=_(
            "Share of each score by method and criterion; the line marks the mean. Means that are close may hide"
            " ratings that are not."
        )
        if len(drawn) <= MOST_DRAWN
        else _(
            "Share of each score by method on %(drawn)d of %(all)d criteria; the line marks the mean. The JSON report"
            " has the counts of all."
        )
        % {"drawn": MOST_DRAWN, "all": len(drawn)},
        alternative=_("Histograms of all ratings. Their means are in the table above."),
    )
