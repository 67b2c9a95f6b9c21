"""
One interval from people and a judge: the difference of two methods over new evaluators and new prompts.

People rated n prompts, a program that rates (a judge or a metric) all N of them. Its score stands in for prompts that
nobody rated, never for evaluators: their spread stays in the interval as it is. With D[e, p] the difference that
evaluator e sees at prompt p, J[p] that of the judge and m = N - n::

    lambda = clip(cov_p(D.p, J_p) / ((1 + n/m) s2_J), 0, 1)
    R[e, p] = D[e, p] - lambda J[p]             theta = R.. + lambda mean_unrated J
    V = V_crossed(R) + lambda^2 s2_J,unrated / m

The estimate is right whatever the judge is worth; a better one makes it surer. References: Angelopoulos et al. (2023),
Prediction-powered inference, Science 382, 669-674; Angelopoulos, Duchi and Zrnic (2023), PPI++, arXiv:2311.01453;
Fisch et al. (2024), Stratified prediction-powered inference, arXiv:2406.04291; Zrnic and Candes (2024), Active
statistical inference, ICML. All of these take one label as the truth; crossed effects are those of `stats.mixed`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from stats.mixed import CrossedMean, VarianceComponents, crossed_error, crossed_mean_of_cells, mean_squares
from stats.ratings.cells import Cells
from stats.ratings.choice import FEWEST_EVALUATORS
from stats.scores import Bools, Floats, Ints
from stats.significance import FEWEST_PROMPTS, gated

FEWEST_UNRATED = 10

Refusal = Literal["few evaluators", "few prompts", "few unrated prompts", "no error", "chosen"]


@dataclass(frozen=True, eq=False)
class Draw:
    """
    How the prompts that people rate were drawn from all N, where it was not uniformly.

    `stratum` (N,) numbers the strata, within each of which the draw was uniform; `probability` (N,) is the chance that
    each prompt had to be drawn. One of the two is None.
    """

    stratum: Ints | None = None
    probability: Floats | None = None


@dataclass(frozen=True)
class CombinedMean:
    """
    The difference by people alone, and by people and judge together; both weighted by the draw of the prompts.

    `combined` is None where there is none, for the reason `refusal`. `weight` is lambda; 0 for a judge without spread.
    `without_score` counts the prompts that were left out because the judge has no score for them.
    """

    people: CrossedMean
    combined: CrossedMean | None
    weight: float
    rated: int
    unrated: int
    without_score: int
    judge_varies: bool
    refusal: Refusal | None = None

    @property
    def narrowing(self) -> float | None:
        """Return by what share the judge narrows the interval; below 0 where it is wider."""
        if self.combined is None or self.combined.ci is None or self.people.ci is None:
            return None
        width, alone = (ci[1] - ci[0] for ci in (self.combined.ci, self.people.ci))
        return 1 - width / alone

    @property
    def prompts_alike(self) -> float | None:
        """
        Return how many prompts people alone would have to rate for the same variance.

        From V(E, n') = s2_e / E + s2_p / n' + s2_r / (E n'). None where no number is enough, because the spread of
        evaluators alone makes more variance: then more evaluators would help, not a judge.
        """
        parts, combined = self.people.variance, self.combined
        if parts is None or combined is None or combined.se is None:
            return None
        evaluators = self.people.evaluators
        rest = combined.se**2 - parts.evaluator / evaluators
        return (parts.prompt + parts.residual / evaluators) / rest if rest > 0 else None

    @property
    def share_of_evaluators(self) -> float | None:
        """Return the share of the variance of people's estimate that the spread of evaluators makes."""
        parts, se = self.people.variance, self.people.se
        return None if parts is None or not se else min(parts.evaluator / self.people.evaluators / se**2, 1.0)

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return {
            "people": self.people.as_dict(),
            "combined": None if self.combined is None else self.combined.as_dict(),
            "lambda": self.weight,
            "prompts_rated": self.rated,
            "prompts_unrated": self.unrated,
            "prompts_without_score": self.without_score,
            "narrowing": self.narrowing,
            "prompts_alike": self.prompts_alike,
            "share_of_evaluators": self.share_of_evaluators,
            "refusal": self.refusal,
        }


def judge_weight(people: Floats, rated: Floats, unrated: Floats) -> float:
    """
    Return lambda: `people` (n,) and the judge's `rated` (n,) at the prompts with both, its `unrated` (m,) at the rest.

    The covariance is over n - 1, the judge's variance over all N - 1 (PPI++ has the covariance over n). 0 without
    spread.
    """
    everything = np.concatenate([rated, unrated])
    if len(rated) < 2 or not len(unrated) or np.ptp(everything) <= 1e-12 * np.abs(everything).max():
        return 0.0
    covariance = float((people - people.mean()) @ (rated - rated.mean())) / (len(rated) - 1)
    spread = (1 + len(rated) / len(unrated)) * float(everything.var(ddof=1))
    return min(max(covariance / spread, 0.0), 1.0)


def combined_mean(
    differences: Cells,
    judge: Floats,
    *,
    draw: Draw | None = None,
    is_on_scale: bool = True,
    confidence_level: float = 0.95,
) -> CombinedMean:
    """
    Estimate the mean difference from people's `differences`, prompts numbered 0 to N - 1, and the `judge`'s (N,).

    NaN where the judge has none: such a prompt leaves both parts. Which prompts have differences must have been drawn
    at random, uniformly where `draw` is left out. Differences of a judge whose scores are not on the evaluators' scale
    (`is_on_scale` false) are set to the spread of theirs first. No combined estimate with fewer than 6 evaluators, 10
    rated or 10 unrated prompts.

    Cells may be missing, for reasons that have nothing to do with the ratings: then the estimate and its error are
    those of REML, of the residuals R or, with a draw that was not uniform, of the linearised table.
    """
    known = ~np.isnan(judge)
    cells = _rows(differences, known[differences.prompt])
    is_rated = np.zeros(len(judge), dtype=np.bool_)
    is_rated[cells.prompt] = True
    rest = known & ~is_rated
    people = gated(crossed_mean_of_cells(cells, confidence_level=confidence_level))
    spread = np.ptp(judge[known]) if known.any() else 0.0
    result = CombinedMean(
        people=people,
        combined=None,
        weight=0.0,
        rated=int(is_rated.sum()),
        unrated=int(rest.sum()),
        without_score=int((~known).sum()),
        judge_varies=bool(spread > 0),
    )
    refusal = _refusal(result)
    if refusal is not None:
        return replace(result, refusal=refusal)
    means = _prompt_means(cells, len(judge))
    if not is_on_scale and spread > 0:
        judge = judge * (means[is_rated].std(ddof=1) / judge[known].std(ddof=1))
    if draw is None:
        weight, combined = _uniform(cells, means, judge, is_rated, rest, confidence_level)
    else:
        drawn = _by_draw(cells, draw, people.evaluators * people.prompts)
        # People alone have the weights of the draw, and a judge that says nothing.
        alone = drawn(cells, means, np.zeros(len(judge)), is_rated, rest, confidence_level)[1]
        weight, combined = drawn(cells, means, judge, is_rated, rest, confidence_level)
        result = replace(result, people=people if alone is None else alone)
    if combined is None:
        return replace(result, weight=weight, refusal="no error")
    return replace(result, weight=weight, combined=combined)


def _by_draw(
    cells: Cells, draw: Draw, size: int
) -> Callable[[Cells, Floats, Floats, Bools, Bools, float], tuple[float, CrossedMean | None]]:
    """Return what estimates from prompts drawn so, with so many cells in a complete table."""
    if draw.probability is not None:
        return partial(_by_probability, probability=draw.probability)
    if draw.stratum is None:
        raise ValueError("draw must have strata or probabilities")
    return partial(_by_strata if len(cells) == size else _by_strata_with_holes, stratum=draw.stratum)


def _refusal(result: CombinedMean) -> Refusal | None:
    if result.people.evaluators < FEWEST_EVALUATORS:
        return "few evaluators"
    if result.rated < FEWEST_PROMPTS:
        return "few prompts"
    return "few unrated prompts" if result.unrated < FEWEST_UNRATED else None


def _rows(cells: Cells, chosen: Bools) -> Cells:
    return Cells(cells.evaluator[chosen], cells.prompt[chosen], cells.value[chosen])


def _prompt_means(cells: Cells, prompts: int) -> Floats:
    """Return the mean over evaluators at every prompt (N,), NaN where nobody rated."""
    counts = np.bincount(cells.prompt, minlength=prompts)
    sums = np.bincount(cells.prompt, cells.value, prompts)
    means: Floats = np.divide(sums, counts, out=np.full(prompts, np.nan), where=counts > 0)
    return means


def _with_part(
    mean: CrossedMean, estimate: float, variance: float, df: float, components: VarianceComponents | None
) -> CrossedMean | None:
    """Return a crossed mean with a further independent `variance` of so many `df` in it (Satterthwaite)."""
    if mean.se is None or mean.df is None:
        return None
    total = mean.se**2 + variance
    spread = mean.se**4 / mean.df + (variance**2 / df if variance > 0 else 0.0)
    return replace(mean, estimate=estimate, se=math.sqrt(total), df=total**2 / spread, variance=components)


def _uniform(
    cells: Cells, means: Floats, judge: Floats, is_rated: Bools, rest: Bools, level: float
) -> tuple[float, CrossedMean | None]:
    unrated = judge[rest]
    weight = judge_weight(means[is_rated], judge[is_rated], unrated)
    left = replace(cells, value=cells.value - weight * judge[cells.prompt])
    crossed = crossed_mean_of_cells(left, confidence_level=level)
    if crossed.estimate is None:
        return weight, None
    m = len(unrated)
    return weight, _with_part(
        crossed,
        crossed.estimate + weight * float(unrated.mean()),
        weight**2 * float(unrated.var(ddof=1)) / m,
        m - 1,
        crossed.variance,
    )


def _by_strata(
    cells: Cells,
    means: Floats,
    judge: Floats,
    is_rated: Bools,
    rest: Bools,
    level: float,
    *,
    stratum: Ints,
) -> tuple[float, CrossedMean | None]:
    """
    Estimate within strata, weighted by their shares N_h / N; each has its own lambda.

    The evaluators are those of all strata, so their part is that of their weighted means: two-way cluster-robust,
    V_e + V_p - V_r, with the mean squares of the strata in place of one table's.
    """
    known = is_rated | rest
    evaluators, evaluator = np.unique(cells.evaluator, return_inverse=True)
    e, n = len(evaluators), int(is_rated.sum())
    of_evaluators = np.zeros(e)
    v_p = v_r = v_judge = estimate = spread_judge = weights = 0.0
    strata = np.unique(stratum[known])
    for h in strata:
        inside = stratum == h
        share = float((known & inside).sum() / known.sum())
        rated, unrated = is_rated & inside, rest & inside
        n_h, m_h = int(rated.sum()), int(unrated.sum())
        if n_h < 2:
            return 0.0, None
        # Of a single unrated prompt no variance is known.
        weight = judge_weight(means[rated], judge[rated], judge[unrated]) if m_h > 1 else 0.0
        table = np.full((e, len(judge)), np.nan)
        table[evaluator, cells.prompt] = cells.value - weight * judge[cells.prompt]
        table = table[:, rated]
        mean, _, ms_p, ms_r = (float(one[0]) for one in mean_squares(table[np.newaxis]))
        of_evaluators += share * table.mean(axis=1)
        v_p += share**2 * ms_p / (e * n_h)
        v_r += share**2 * ms_r / (e * n_h)
        estimate += share * mean
        weights += share * weight
        if weight > 0:
            part = (share * weight) ** 2 * float(judge[unrated].var(ddof=1)) / m_h
            estimate += share * weight * float(judge[unrated].mean())
            v_judge += part
            spread_judge += part**2 / (m_h - 1)
    v_e = float(of_evaluators.var(ddof=1)) / e
    # As many prompts as leave the degrees of freedom that the strata leave.
    alike = n - len(strata) + 1
    size = e * alike
    se, df, found = crossed_error(v_e * size, v_p * size, v_r * size, e, alike)
    variance = VarianceComponents(found.evaluator, found.prompt * n / alike, found.residual * n / alike)
    crossed = CrossedMean(estimate, se, df, variance, e, n, len(cells), "cluster-robust", level)
    df_judge = v_judge**2 / spread_judge if spread_judge > 0 else 1.0
    return weights, _with_part(crossed, estimate, v_judge, df_judge, variance)


def _by_strata_with_holes(
    cells: Cells,
    means: Floats,
    judge: Floats,
    is_rated: Bools,
    rest: Bools,
    level: float,
    *,
    stratum: Ints,
) -> tuple[float, CrossedMean | None]:
    """
    Estimate as `_by_strata` does where cells are missing, by REML of one linearised table.

    z[e, p] = theta + (W_h n / n_h) (R[e, p] - R_h), W_h = N_h / N; its mean over prompts is sum W_h R_h, and its
    evaluator part that of the weighted means. The deviations of prompts from their stratum grow by
    sqrt((n - 1) n_h / (n (n_h - 1))): each stratum has lost a degree of freedom, not all together one. Where it
    has lost another one to its lambda, n_h - 2 stands for n_h - 1.
    """
    known = is_rated | rest
    n = int(is_rated.sum())
    value = np.empty(len(cells))
    of_prompt = np.zeros(len(judge))
    v_judge = estimate = spread_judge = weights = 0.0
    for h in np.unique(stratum[known]):
        inside = stratum == h
        share = float((known & inside).sum() / known.sum())
        rated, unrated = is_rated & inside, rest & inside
        n_h, m_h = int(rated.sum()), int(unrated.sum())
        if n_h < 2:
            return 0.0, None
        # Of a single unrated prompt no variance is known, and two rated ones are gone by lambda and mean.
        weight = judge_weight(means[rated], judge[rated], judge[unrated]) if min(m_h, n_h - 1) > 1 else 0.0
        own = inside[cells.prompt]
        left = cells.value[own] - weight * judge[cells.prompt[own]]
        centre = float(left.mean())
        value[own] = share * n / n_h * (left - centre)
        deviation = share * n / n_h * (means[rated] - weight * judge[rated] - centre)
        lost = 1 + (weight > 0)
        of_prompt[rated] = (math.sqrt((n - 1) * n_h / (n * (n_h - lost))) - 1) * deviation
        estimate += share * centre
        weights += share * weight
        if weight > 0:
            part = (share * weight) ** 2 * float(judge[unrated].var(ddof=1)) / m_h
            estimate += share * weight * float(judge[unrated].mean())
            v_judge += part
            spread_judge += part**2 / (m_h - 1)
    linear = replace(cells, value=value + of_prompt[cells.prompt])
    crossed = crossed_mean_of_cells(linear, confidence_level=level)
    if crossed.estimate is None:
        return weights, None
    df_judge = v_judge**2 / spread_judge if spread_judge > 0 else 1.0
    return weights, _with_part(crossed, estimate + crossed.estimate, v_judge, df_judge, crossed.variance)


def _by_probability(
    cells: Cells,
    means: Floats,
    judge: Floats,
    is_rated: Bools,
    rest: Bools,
    level: float,
    *,
    probability: Floats,
) -> tuple[float, CrossedMean | None]:
    """
    Estimate with each prompt weighted by 1 / pi, over the sum of these weights (Hajek).

    theta = lambda mean_N J + sum w R. / sum w, w = 1 / pi. Without the division by their sum a constant added to every
    rating would not come out as added to the estimate. The error is that of the linearised table, which holds the
    judge's part of the rated prompts as well.
    """
    n, m = int(is_rated.sum()), int(rest.sum())
    pi = probability[is_rated]
    if not ((pi > 0) & (pi <= 1)).all():
        raise ValueError("probability must lie above 0 and be at most 1 where people rated")
    w = np.zeros(len(judge))
    w[is_rated] = (1 / pi) / (1 / pi).mean()
    everything = judge[is_rated | rest]
    weighted = w[is_rated] * (judge[is_rated] - np.average(judge[is_rated], weights=w[is_rated]))
    own = w[is_rated] * (means[is_rated] - np.average(means[is_rated], weights=w[is_rated]))
    spread = float(weighted @ weighted)
    weight = min(max(float(own @ weighted) / ((1 + n / m) * spread), 0.0), 1.0) if spread > 0 else 0.0
    left = cells.value - weight * judge[cells.prompt]
    centre = float(np.average(left, weights=w[cells.prompt]))
    # About its own mean: prompts that are drawn more often are no mean of all.
    shared = n / (n + m) * weight * (judge - judge[cells.prompt].mean())
    linear = replace(cells, value=centre + w[cells.prompt] * (left - centre) + shared[cells.prompt])
    crossed = crossed_mean_of_cells(linear, confidence_level=level)
    if crossed.estimate is None:
        return weight, None
    # Of a complete table that is `centre`; with missing cells REML weighs them.
    estimate = crossed.estimate + weight * float(everything.mean())
    unrated = judge[rest]
    return weight, _with_part(
        crossed,
        estimate,
        (weight * m / (n + m)) ** 2 * float(unrated.var(ddof=1)) / m,
        m - 1,
        crossed.variance,
    )
