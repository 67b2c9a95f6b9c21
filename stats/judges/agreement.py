"""How a judge agrees with evaluators, beside how they agree with each other: kappa, alpha, correlations, rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from stats.judges.scores import with_judge
from stats.mixed import Interval, t_p_value
from stats.ratings.alpha import FEWEST_PROMPTS, AlphaSums, percentiles, resampled
from stats.ratings.table import RatingTable
from stats.scores import Bools, Floats

# Pairs of evaluators grow with their square; of more than so many the first ones are compared with each other.
MOST_RATERS = 40
# Scores of more different values are no points that raters can agree on by choosing alike.
MOST_POINTS = 20


@dataclass(frozen=True)
class Measured:
    """A measure with its interval over new prompts, and of how many texts, prompts or pairs it is; None undefined."""

    value: float | None
    ci: Interval | None
    n: int


def weighted_kappa(x: Floats, y: Floats) -> float | None:
    """
    Return Cohen's kappa with quadratic weights of paired scores (T,), None where neither varies.

    1 - mean (x - y)^2 / (var x + var y + (mean x - mean y)^2). Reference: Cohen (1968), Psychological Bulletin 70,
    213-220.
    """
    expected = float(x.var() + y.var() + (x.mean() - y.mean()) ** 2) if len(x) else 0.0
    return 1 - float(((x - y) ** 2).mean()) / expected if expected > 0 and np.ptp(x) and np.ptp(y) else None


def kappas(ratings: Floats, judge: Floats, rng: np.random.Generator) -> tuple[Measured, Measured]:
    """
    Return the mean weighted kappa of the judge with each evaluator, and that of evaluators with each other.

    `ratings` (E, P, M) and `judge` (P, M), NaN where missing. Pairs of whom one does not vary have none.
    """
    raters = np.concatenate([judge[np.newaxis], ratings[:MOST_RATERS]])
    there = ~np.isnan(raters)
    filled = np.where(there, raters, 0.0)
    mask = there.astype(np.float64)
    pairs = [
        np.einsum(path, *parts)
        for path, parts in (
            ("apm,bpm->pab", (mask, mask)),
            ("apm,bpm->pab", (filled, mask)),
            ("apm,bpm->pab", (filled**2, mask)),
            ("apm,bpm->pab", (filled, filled)),
        )
    ]
    prompts, size = len(judge), len(raters)
    weights = np.vstack([np.ones((1, prompts)), resampled(prompts, rng)])
    n, x, xx, xy = ((weights @ one.reshape(prompts, -1)).reshape(-1, size, size) for one in pairs)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, other = x / n, x.swapaxes(1, 2) / n
        var, var_other = xx / n - mean**2, xx.swapaxes(1, 2) / n - other**2
        apart = (xx + xx.swapaxes(1, 2) - 2 * xy) / n
        varies = (var > 1e-12) & (var_other > 1e-12)
        found = np.where(varies, 1 - apart / (var + var_other + (mean - other) ** 2), np.nan)
    upper = np.triu_indices(size - 1, 1)
    own = found[:, 1:, 1:][:, upper[0], upper[1]]
    return tuple(_mean_measure(one, prompts) for one in (found[:, 0, 1:], own))  # type: ignore[return-value]


def unweighted_kappas(
    ratings: Floats, judge: Floats, rng: np.random.Generator
) -> tuple[Measured, Measured] | None:
    """
    Return what `kappas` does without weights: scores agree or do not. None where they are no points of a scale.

    A judge whose scores are means of several is no point either, and has none. Reference: Cohen (1960), Educational and
    Psychological Measurement 20, 37-46.
    """
    raters = np.concatenate([judge[np.newaxis], ratings[:MOST_RATERS]])
    points = np.unique(ratings[~np.isnan(ratings)])
    if len(points) > MOST_POINTS:
        return None
    if not np.isin(judge[~np.isnan(judge)], points).all() and (judge[~np.isnan(judge)] % 1).any():
        raters[0] = np.nan
    points = np.unique(raters[~np.isnan(raters)])
    there = (~np.isnan(raters)).astype(np.float64)
    given = [(raters == point).astype(np.float64) for point in points]
    path = "apm,bpm->pab"
    prompts, size = len(judge), len(raters)
    weights = np.vstack([np.ones((1, prompts)), resampled(prompts, rng)])

    def summed(one: Floats, other: Floats) -> Floats:
        found: Floats = (weights @ np.einsum(path, one, other).reshape(prompts, -1)).reshape(-1, size, size)
        return found

    with np.errstate(invalid="ignore", divide="ignore"):
        n = summed(there, there)
        alike = np.sum([summed(one, one) for one in given], axis=0) / n
        shares = [summed(one, there) / n for one in given]
        chance = np.sum([share * share.swapaxes(1, 2) for share in shares], axis=0)
        varies = np.max(shares, axis=0) < 1 - 1e-12
        found = np.where(varies & varies.swapaxes(1, 2), (alike - chance) / (1 - chance), np.nan)
    upper = np.triu_indices(size - 1, 1)
    own = found[:, 1:, 1:][:, upper[0], upper[1]]
    return _mean_measure(found[:, 0, 1:], prompts), _mean_measure(own, prompts)


def _mean_measure(found: Floats, prompts: int) -> Measured:
    known = ~np.isnan(found)
    counts = known.sum(axis=1)
    means = np.divide(
        np.where(known, found, 0.0).sum(axis=1), counts, out=np.full(len(found), np.nan), where=counts > 0
    )
    if not counts[0]:
        return Measured(None, None, 0)
    ci = percentiles(means[1:], 0.95) if prompts >= FEWEST_PROMPTS else None
    return Measured(float(means[0]), ci, int(counts[0]))


def alphas(
    table: RatingTable, judge: Floats, rng: np.random.Generator
) -> tuple[Measured, Measured, Measured]:
    """Return the ordinal alpha of the panel, of the panel with the judge, and the second less the first."""
    prompts = len(table.prompts)
    weights = np.vstack([np.ones((1, prompts)), resampled(prompts, rng)])
    without = AlphaSums.of(table, prompts).alphas(weights)[:, 0]
    joined = AlphaSums.of(with_judge(table, judge), prompts).alphas(weights)[:, 0]
    return tuple(  # type: ignore[return-value]
        Measured(
            float(one[0]) if np.isfinite(one[0]) else None,
            percentiles(one[1:], 0.95) if prompts >= FEWEST_PROMPTS and np.isfinite(one[0]) else None,
            prompts,
        )
        for one in (without, joined, joined - without)
    )


def correlations(people: Floats, judge: Floats, rng: np.random.Generator) -> dict[str, Measured]:
    """
    Return how the judge's scores (P, M) go with the evaluators' means (P, M), NaN where missing, by level.

    Rank correlations over all texts, of what is left within prompts, and of the means of prompts; and the plain
    correlation of the means of methods, of which there are too few to rank. Intervals are those of new prompts, with
    ranks as they are in the sample.
    """
    prompts = len(people)
    both = ~np.isnan(people) & ~np.isnan(judge)
    count = both.sum(axis=1, keepdims=True)
    x, y = (np.where(both, one, 0.0) for one in (judge, people))
    of_prompt = [one.sum(axis=1, keepdims=True) / np.maximum(count, 1) for one in (x, y)]
    weights = np.vstack([np.ones((1, prompts)), resampled(prompts, rng)])
    within = both & (count > 1)
    left = [np.where(within, one - mean, 0.0) for one, mean in zip((x, y), of_prompt, strict=True)]
    means = [
        np.divide(
            weights @ one,
            weights @ both.astype(np.float64),
            where=weights @ both > 0,
            out=np.full((len(weights), both.shape[1]), np.nan),
        )
        for one in (x, y)
    ]
    drawn = {
        "texts": _rank_correlations(x, y, both, weights),
        "within prompts": _rank_correlations(left[0], left[1], within, weights),
        "prompts": _rank_correlations(of_prompt[0], of_prompt[1], count > 0, weights),
        "methods": _row_correlations(*means),
    }
    sizes = {"prompts": (count > 0).sum(), "methods": both.any(axis=0).sum()}
    return {
        level: Measured(
            float(one[0]) if np.isfinite(one[0]) else None,
            percentiles(one[1:], 0.95) if np.isfinite(one[0]) and prompts >= FEWEST_PROMPTS else None,
            int(sizes.get(level, both.sum())),
        )
        for level, one in drawn.items()
    }


def _rank_correlations(x: Floats, y: Floats, there: Bools, weights: Floats) -> Floats:
    """Return the correlation of mid-ranks with each prompt weighted, (B,); NaN where one does not vary."""
    if there.sum() < 3:
        return np.full(len(weights), np.nan)
    ranks = []
    for one in (x, y):
        # What is left within prompts ties but for rounding.
        of_texts = scipy.stats.rankdata(np.round(one[there], 9))
        rank = np.zeros(one.shape)
        rank[there] = of_texts - of_texts.mean()
        ranks.append(rank)
    a, b = ranks
    n, s_a, s_b, s_aa, s_bb, s_ab = (
        weights @ one.sum(axis=1) for one in (there.astype(np.float64), a, b, a * a, b * b, a * b)
    )
    return _correlation(n, s_a, s_b, s_aa, s_bb, s_ab)


def _row_correlations(x: Floats, y: Floats) -> Floats:
    """Return the correlation of each row of means (B, M); NaN with fewer than three methods."""
    known = ~np.isnan(x) & ~np.isnan(y)
    a, b = (np.where(known, one, 0.0) for one in (x, y))
    n = known.sum(axis=1).astype(np.float64)
    found = _correlation(n, a.sum(1), b.sum(1), (a * a).sum(1), (b * b).sum(1), (a * b).sum(1))
    found[n < 3] = np.nan
    return found


def _correlation(n: Floats, x: Floats, y: Floats, xx: Floats, yy: Floats, xy: Floats) -> Floats:
    n = np.maximum(n, 1)
    spread = (xx - x * x / n) * (yy - y * y / n)
    size = np.maximum(xx * yy, 1e-300)
    return np.divide(  # type: ignore[no-any-return]
        xy - x * y / n,
        np.sqrt(np.maximum(spread, 0.0)),
        out=np.full(len(n), np.nan),
        where=spread > 1e-12 * size,
    )


def judge_p_greater(judge: Floats) -> float | None:
    """Return the one-sided p-value that differences `judge` (N,) have a mean of at most 0, over new prompts."""
    known = judge[~np.isnan(judge)]
    if len(known) < 2:
        return None
    se = float(known.std(ddof=1)) / len(known) ** 0.5
    mean = float(known.mean())
    if se == 0:
        return 0.5 if mean == 0 else float(mean < 0)
    return t_p_value(mean / se, len(known) - 1, "greater")


def soft_pairwise_accuracy(pairs: Sequence[tuple[float, float]]) -> float | None:
    """
    Return the mean over pairs of methods of 1 - |p_people - p_judge|, one-sided p-values; None without a pair.

    Reference: Thompson et al. (2024), Improving statistical significance in human evaluation of automatic metrics via
    soft pairwise accuracy, WMT.
    """
    return float(np.mean([1 - abs(people - judge) for people, judge in pairs])) if pairs else None
