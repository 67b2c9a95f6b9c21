"""How large a difference is, in deviations: standardised differences with the unit they name."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stats.mixed import crossed_mean
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


def effect_size(ratings_a: Floats, ratings_b: Floats, estimate: float | None) -> EffectSize:
    """Return the effect sizes of ratings, evaluators x prompts, NaN where there are none; `estimate` is of b - a."""
    differences = ratings_b - ratings_a
    there = ~np.isnan(differences)
    variances = [
        crossed_mean(np.where(there, ratings, np.nan)).variance for ratings in (ratings_a, ratings_b)
    ]
    total = sum(variance.total for variance in variances if variance is not None) / 2
    filled = np.where(there, differences, 0.0)
    evaluators = filled.sum(axis=1)[there.any(axis=1)] / there.sum(axis=1)[there.any(axis=1)]
    prompts = filled.sum(axis=0)[there.any(axis=0)] / there.sum(axis=0)[there.any(axis=0)]
    return EffectSize(
        d_total=None if estimate is None or total <= 0 else estimate / math.sqrt(total),
        d_z_evaluators=_d_z(evaluators),
        d_z_prompts=_d_z(prompts),
        evaluators_favouring_b=int((evaluators > 0).sum()),
        evaluators_tied=int((evaluators == 0).sum()),
        prompts_favouring_b=int((prompts > 0).sum()),
        prompts_tied=int((prompts == 0).sum()),
    )


def _d_z(means: Floats) -> float | None:
    if means.size < 2:
        return None
    deviation = float(means.std(ddof=1))
    return float(means.mean()) / deviation if deviation > 1e-12 * float(np.abs(means).max()) else None
