"""How large a difference is, in deviations: standardised differences with the unit they name."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stats.mixed import crossed_mean_of_cells
from stats.ratings.cells import Cells, PairedRatings
from stats.scores import Floats


@dataclass(frozen=True)
class EffectSize:
    """
    Standardised differences; a d_z means nothing without the unit it names.

    `d_total` is the difference over the root of the mean of both methods' total variances, evaluators +
    prompts + residual of the crossed model (Westfall, Kenny and Judd 2014), and `d_z_evaluators`,
    `d_z_prompts` are the mean over the deviation of the evaluators' (prompts') mean differences. None
    where that variance is zero or cannot be estimated.
    """

    d_total: float | None
    d_z_evaluators: float | None
    d_z_prompts: float | None
    evaluators_favouring_b: int
    evaluators_tied: int
    prompts_favouring_b: int
    prompts_tied: int


def effect_size(pair: PairedRatings, estimate: float | None) -> EffectSize:
    """Return the effect sizes of a pair of methods; `estimate` is of b - a."""
    variances = [
        crossed_mean_of_cells(Cells(pair.evaluator, pair.prompt, ratings)).variance
        for ratings in (pair.a, pair.b)
    ]
    total = sum(variance.total for variance in variances if variance is not None) / 2
    d_total = None if estimate is None or total <= 0 else estimate / math.sqrt(total)
    return standardised(pair.differences, d_total)


def effect_size_in_brief(pair: PairedRatings, estimate: float | None) -> EffectSize:
    """Return the effect sizes with the plain variance of all ratings as the total one, without a fit."""
    total = float(pair.a.var() + pair.b.var()) / 2 if len(pair.a) else 0.0
    d_total = None if estimate is None or total <= 0 else estimate / math.sqrt(total)
    return standardised(pair.differences, d_total)


def standardised(differences: Cells, d_total: float | None) -> EffectSize:
    """Return the effect sizes of differences whose `d_total` is known."""
    evaluators, prompts = _means(differences.sums_by_evaluator()), _means(differences.sums_by_prompt())
    return EffectSize(
        d_total=d_total,
        d_z_evaluators=_d_z(evaluators),
        d_z_prompts=_d_z(prompts),
        evaluators_favouring_b=int((evaluators > 0).sum()),
        evaluators_tied=int((evaluators == 0).sum()),
        prompts_favouring_b=int((prompts > 0).sum()),
        prompts_tied=int((prompts == 0).sum()),
    )


def _means(sums: tuple[Floats, Floats]) -> Floats:
    """Return the means of those who have a cell."""
    there = sums[1] > 0
    means: Floats = sums[0][there] / sums[1][there]
    return means


def _d_z(means: Floats) -> float | None:
    if means.size < 2:
        return None
    deviation = float(means.std(ddof=1))
    return float(means.mean()) / deviation if deviation > 1e-12 * float(np.abs(means).max()) else None
