"""The comparison of two methods on one criterion: the primary test and everything that is shown beside it.

- primary: two-way crossed random effects on the differences b - a of each page (`stats.mixed`);
- beside it: probability of superiority, two-way cluster-robust t, exact sign flips, exact Wilcoxon,
  pigeonhole bootstrap, leave-one-evaluator-out, effect sizes, equivalence within a margin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from stats.cluster import ClusterRobustMean, quick_crossed_mean, two_way_cell_mean
from stats.effects import EffectSize, effect_size, effect_size_in_brief, standardised
from stats.exact import ExactTest, sign_flip_of_means, wilcoxon_of_means
from stats.mixed import CrossedMean, Interval, VarianceComponents, crossed_mean_of_cells, interval_list
from stats.ratings.cells import Cells, PairedRatings
from stats.ratings.choice import FEWEST_EVALUATORS, FEWEST_FOR_ONES_OWN, Choice
from stats.resampling import BootstrapInterval, LeaveOneOut, leave_one_evaluator_out

FEWEST_PROMPTS = 10
FEWEST_DF = 4.0
# Of a standard error: estimates that are no further apart ask the same question.
SAME_ESTIMATE = 0.1
# Leaving each evaluator out fits a table with holes once for each: beyond so many cells in all, nobody waits for that.
MOST_CELLS_REFITTED = 2_000_000


@dataclass(frozen=True)
class Superiority:
    """The probability that a rating of b beats one of a on the same page, a tie counting one half.

    `crossed` is the crossed mean of (sign(b - a) + 1) / 2; wins, ties and losses of b are shares.
    """

    crossed: CrossedMean
    wins: float
    ties: float
    losses: float

    @property
    def estimate(self) -> float | None:
        """Return the probability, None without a page that has both ratings."""
        return self.crossed.estimate

    @property
    def ci(self) -> Interval | None:
        """Return its confidence interval, cut at 0 and 1."""
        ci = self.crossed.ci
        return None if ci is None else (max(ci[0], 0.0), min(ci[1], 1.0))


@dataclass(frozen=True)
class Equivalence:
    """
    Two one-sided tests against a margin set beforehand; `ci` has the level 1 - 2 alpha.

    Reference: Schuirmann (1987), J. Pharmacokinetics and Biopharmaceutics 15, 657-680.
    """

    margin: float
    p: float | None
    ci: Interval | None
    is_comparable: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the test, ready for JSON."""
        return {
            "margin": self.margin,
            "p": self.p,
            "ci": interval_list(self.ci),
            "is_comparable": self.is_comparable,
        }


@dataclass(frozen=True)
class Robustness:
    """
    The same question asked by other methods; a part is None where the ratings cannot give it.

    The sign flips and the Wilcoxon test are of means, exact and conditional: on the prompts, or (flips of prompts)
    on the evaluators. Beyond what can be counted they are drawn (`ExactTest.is_exact`).
    """

    cluster_robust: ClusterRobustMean | None = None
    sign_flip_evaluators: ExactTest | None = None
    sign_flip_prompts: ExactTest | None = None
    wilcoxon_evaluators: ExactTest | None = None
    bootstrap: BootstrapInterval | None = None

    def disagrees_with(self, result: CrossedMean, alpha: float) -> bool:
        """
        Say whether cluster-robust t, flips of evaluators or bootstrap conclude otherwise than the result.

        Those count whose estimate is the result's within a tenth of its standard error: with missing ratings they
        weigh pages otherwise, and another estimate is another question.
        """
        p, estimate = result.p, result.estimate
        if p is None or estimate is None or result.se is None:
            return False
        cluster, flips, bootstrap = self.cluster_robust, self.sign_flip_evaluators, self.bootstrap
        conclusions: list[tuple[float | None, bool]] = []
        if cluster is not None and cluster.p is not None:
            conclusions.append((cluster.estimate, cluster.p < alpha))
        if flips is not None:
            conclusions.append((flips.estimate, flips.p < alpha))
        if bootstrap is not None:
            conclusions.append((bootstrap.estimate, bootstrap.excludes(0.0)))
        alike = SAME_ESTIMATE * result.se
        return any(
            own is not None and abs(own - estimate) <= alike and conclusion != (p < alpha)
            for own, conclusion in conclusions
        )


@dataclass(frozen=True)
class Comparison:
    """
    Two methods on one criterion; every difference is b - a.

    With fewer than 6 evaluators or 10 prompts the comparison is descriptive: every p-value and interval
    is None. `warnings` has any of few_evaluators, these_evaluators_only, few_prompts, few_degrees_of_freedom,
    no_variance, missing_cells, no_ratings.
    """

    criterion: str
    a: str
    b: str
    crossed: CrossedMean
    p_holm: float | None
    superiority: Superiority
    robustness: Robustness
    leave_one_out: LeaveOneOut
    effect: EffectSize
    equivalence: Equivalence | None
    conclusion_depends_on_method: bool
    warnings: tuple[str, ...]
    # What the pages alone say where the analysis is another one; `crossed` itself where it is theirs.
    page_difference: CrossedMean | None = None
    # Whether the plan names the pair; an unplanned one is exploratory and has no part in Holm's correction.
    is_planned: bool = True

    @property
    def estimate(self) -> float | None:
        """Return the estimated difference b - a."""
        return self.crossed.estimate

    @property
    def variance(self) -> VarianceComponents | None:
        """Return the variance components of the differences."""
        return self.crossed.variance

    @property
    def generalises_to(self) -> Literal["evaluators and prompts", "prompts", "nothing"]:
        """Return of what beyond this study the result speaks."""
        if self.crossed.p is None and not self.crossed.is_testable:
            return "nothing"
        return "prompts" if self.crossed.method == "these evaluators" else "evaluators and prompts"

    @property
    def descriptive_only(self) -> bool:
        """Say whether the study is too small for a test."""
        return self.crossed.descriptive_only

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as it stands in the JSON report."""
        robustness, left_out = self.robustness, self.leave_one_out
        cluster, bootstrap = robustness.cluster_robust, robustness.bootstrap
        evaluators, prompts = robustness.sign_flip_evaluators, robustness.sign_flip_prompts
        wilcoxon = robustness.wilcoxon_evaluators
        return {
            "criterion": self.criterion,
            "a": self.a,
            "b": self.b,
            **self.crossed.as_dict(),
            "p_holm": self.p_holm,
            "is_planned": self.is_planned,
            "generalises_to": self.generalises_to,
            "page_difference": self.page_difference and self.page_difference.as_dict(),
            "probability_of_superiority": {
                "estimate": self.superiority.estimate,
                "ci": interval_list(self.superiority.ci),
                "wins": self.superiority.wins,
                "ties": self.superiority.ties,
                "losses": self.superiority.losses,
            },
            "cluster_robust": {
                "estimate": cluster and cluster.estimate,
                "se": cluster and cluster.se,
                "p": cluster and cluster.p,
            },
            "sign_flip": {
                "evaluators_estimate": evaluators and evaluators.estimate,
                "evaluators_p": evaluators and evaluators.p,
                "prompts_estimate": prompts and prompts.estimate,
                "prompts_p": prompts and prompts.p,
                "is_exact": all(test.is_exact for test in (evaluators, prompts) if test is not None),
            },
            "wilcoxon_evaluators_p": wilcoxon and wilcoxon.p,
            "wilcoxon_evaluators_estimate": wilcoxon and wilcoxon.estimate,
            "bootstrap": {
                "estimate": bootstrap and bootstrap.estimate,
                "se": bootstrap and bootstrap.se,
                "ci": interval_list(bootstrap.ci if bootstrap else None),
                "resamples": bootstrap and bootstrap.resamples,
            },
            "leave_one_evaluator_out": {
                "estimates": interval_list(left_out.estimate_range),
                "p_values": interval_list(left_out.p_range),
            },
            "effect_size": asdict(self.effect),
            "equivalence": self.equivalence and self.equivalence.as_dict(),
            "conclusion_depends_on_method": self.conclusion_depends_on_method,
            "descriptive_only": self.descriptive_only,
            "warnings": list(self.warnings),
        }


def compare(
    pair: PairedRatings,
    *,
    criterion: str,
    a: str,
    b: str,
    bootstrap: BootstrapInterval | None = None,
    margin: float | None = None,
    alpha: float = 0.05,
    choice: Choice | None = None,
    places: tuple[int, int] = (0, 1),
    in_brief: bool = False,
) -> Comparison:
    """
    Compare two methods by their ratings on the same pages.

    `in_brief` leaves out what fits or flips a pair many times; superiority has a cluster-robust error then, and effect
    sizes stand on the plain variance of the ratings.

    `bootstrap` is that of b - a, which is made for all pairs at once. `p_holm` stays
    None: `with_holm` fills it in over the planned pairs of a criterion. `choice` is the analysis of the
    criterion, `places` those of the two methods in its table; page differences if left out.
    """
    differences = pair.differences
    other = None if choice is None else choice.difference(*places, 1 - alpha)
    if choice is not None and other is not None:
        return _by_other_analysis(pair, gated(other), choice, places, criterion, a, b, margin, alpha)
    primary = gated(crossed_mean_of_cells(differences, confidence_level=1 - alpha))
    left_out = LeaveOneOut((), ()) if in_brief else _without_each_evaluator(differences)
    if primary.descriptive_only:
        robustness, left_out = Robustness(), replace(left_out, p_values=())
    elif in_brief:
        robustness = Robustness(cluster_robust=two_way_cell_mean(differences, confidence_level=1 - alpha))
    else:
        robustness = _robustness(differences, bootstrap, alpha)
    return Comparison(
        criterion=criterion,
        a=a,
        b=b,
        crossed=primary,
        p_holm=None,
        superiority=_superiority(differences, alpha, fits=not in_brief),
        robustness=robustness,
        leave_one_out=left_out,
        effect=(effect_size_in_brief if in_brief else effect_size)(pair, primary.estimate),
        equivalence=None if margin is None else equivalence_within(primary, margin, alpha),
        conclusion_depends_on_method=robustness.disagrees_with(primary, alpha),
        warnings=_warnings(primary),
    )


def _by_other_analysis(
    pair: PairedRatings,
    result: CrossedMean,
    choice: Choice,
    places: tuple[int, int],
    criterion: str,
    a: str,
    b: str,
    margin: float | None,
    alpha: float,
) -> Comparison:
    """
    Compare by the ratings model or for these evaluators.

    Beside it stand only methods of the same estimate: cluster-robust errors of the model's weights, and flips of
    the prompts that hold the evaluators fixed as well. What the pages alone say has a cluster-robust error where a
    fit of each pair would take long.
    """
    differences = pair.differences
    pages = gated(quick_crossed_mean(differences, confidence_level=1 - alpha))
    robustness = Robustness()
    if not result.descriptive_only:
        robustness = Robustness(
            cluster_robust=choice.cluster_robust(*places, 1 - alpha),
            sign_flip_prompts=choice.prompt_flips(*places),
        )
    if choice.variance is not None and result.estimate is not None:
        parts = choice.variance.as_dict().values()
        effect = standardised(differences, result.estimate / math.sqrt(sum(part or 0.0 for part in parts)))
    else:
        effect = effect_size(pair, pages.estimate)
    return Comparison(
        criterion=criterion,
        a=a,
        b=b,
        crossed=result,
        p_holm=None,
        superiority=_superiority(differences, alpha),
        robustness=robustness,
        leave_one_out=LeaveOneOut((), ()),
        effect=effect,
        equivalence=None if margin is None else equivalence_within(result, margin, alpha),
        conclusion_depends_on_method=robustness.disagrees_with(result, alpha),
        warnings=_warnings(result),
        page_difference=pages,
    )


def with_holm(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """Return the comparisons of one criterion with `p_holm`, adjusted over the planned ones that have a p-value."""
    adjusted = holm([comparison.crossed.p if comparison.is_planned else None for comparison in comparisons])
    return tuple(replace(c, p_holm=p) for c, p in zip(comparisons, adjusted, strict=True))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """
    Adjust p-values for their number by Holm's step-down procedure; None stays None and is not counted.

    Reference: Holm (1979), Scandinavian Journal of Statistics 6, 65-70.
    """
    known = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for step, (p, index) in enumerate(known):
        largest = max(largest, min((len(known) - step) * p, 1.0))
        adjusted[index] = largest
    return adjusted


def equivalence_within(mean: CrossedMean, margin: float, alpha: float = 0.05) -> Equivalence:
    """Test whether `mean` lies within -margin and margin by two one-sided tests."""
    if not margin > 0:
        raise ValueError(f"margin must be above zero, got {margin}")
    above, below = mean.p_value(-margin, "greater"), mean.p_value(margin, "less")
    p = None if above is None or below is None else max(above, below)
    return Equivalence(margin, p, mean.interval(1 - 2 * alpha), p is not None and p < alpha)


def gated(mean: CrossedMean) -> CrossedMean:
    """Return the mean as descriptive only where evaluators or prompts are too few to generalise from."""
    fewest = FEWEST_FOR_ONES_OWN if mean.method == "these evaluators" else FEWEST_EVALUATORS
    too_few = mean.evaluators < fewest or mean.prompts < FEWEST_PROMPTS
    return replace(mean, descriptive_only=too_few)


def _without_each_evaluator(differences: Cells) -> LeaveOneOut:
    kept, evaluators, prompts = differences.numbered()
    if len(kept) < evaluators * prompts and len(kept) * evaluators > MOST_CELLS_REFITTED:
        return LeaveOneOut((), ())
    return leave_one_evaluator_out(kept.table(evaluators, prompts))


def _superiority(differences: Cells, alpha: float, *, fits: bool = True) -> Superiority:
    there = differences.value
    cells = max(there.size, 1)
    signs = replace(differences, value=(np.sign(there) + 1) / 2)
    return Superiority(
        crossed=gated(quick_crossed_mean(signs, confidence_level=1 - alpha, fits=fits)),
        wins=int((there > 0).sum()) / cells,
        ties=int((there == 0).sum()) / cells,
        losses=int((there < 0).sum()) / cells,
    )


def _robustness(differences: Cells, bootstrap: BootstrapInterval | None, alpha: float) -> Robustness:
    of_evaluators = differences.sums_by_evaluator()
    return Robustness(
        cluster_robust=two_way_cell_mean(differences, confidence_level=1 - alpha),
        sign_flip_evaluators=sign_flip_of_means(*of_evaluators),
        sign_flip_prompts=sign_flip_of_means(*differences.sums_by_prompt()),
        wilcoxon_evaluators=wilcoxon_of_means(*of_evaluators),
        bootstrap=bootstrap,
    )


def _warnings(mean: CrossedMean) -> tuple[str, ...]:
    if not mean.cells:
        return ("no_ratings",)
    found = {
        "few_evaluators": mean.evaluators < FEWEST_EVALUATORS,
        "these_evaluators_only": mean.method == "these evaluators",
        "few_prompts": mean.prompts < FEWEST_PROMPTS,
        "few_degrees_of_freedom": mean.df is not None and mean.df < FEWEST_DF,
        "no_variance": mean.se == 0,
        "missing_cells": mean.missing > 0,
    }
    return tuple(warning for warning, applies in found.items() if applies)
