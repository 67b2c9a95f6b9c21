"""
How far two studies of the same methods agree: coefficients of variation, correlations, and conclusions.

References: Belz, Popovic and Mille (2022), Quantified reproducibility assessment of NLP results, ACL, 16-28 (the
coefficient of variation for small samples); Belz (2025), QRA++.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special
import scipy.stats

from stats.analysis import Analysis

ALPHA = 0.05


@dataclass(frozen=True)
class MethodRepeated:
    """The mean of a method in both studies, and their coefficient of variation in percent, None at a mean of 0."""

    method: str
    criterion: str
    first: float
    second: float
    cv: float | None


@dataclass(frozen=True)
class CriterionRepeated:
    """
    How the methods' means go together on a criterion, and in how many pairs of methods both studies conclude alike.

    Correlations are None with fewer than three methods or where a study's means are all the same.
    """

    criterion: str
    pearson: float | None
    spearman: float | None
    pairs: int
    same_sign: int
    same_conclusion: int


@dataclass(frozen=True)
class Reproduction:
    """Two studies side by side, by the methods and criteria that both have."""

    methods: tuple[MethodRepeated, ...]
    criteria: tuple[CriterionRepeated, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison, ready for JSON."""
        return {
            "methods": [
                {
                    "method": one.method,
                    "criterion": one.criterion,
                    "first": one.first,
                    "second": one.second,
                    "cv_star": one.cv,
                }
                for one in self.methods
            ],
            "criteria": [
                {
                    "criterion": one.criterion,
                    "pearson": one.pearson,
                    "spearman": one.spearman,
                    "pairs": one.pairs,
                    "same_sign": one.same_sign,
                    "same_conclusion": one.same_conclusion,
                }
                for one in self.criteria
            ],
        }


def small_sample_variation(values: Sequence[float]) -> float | None:
    """
    Return CV*, (1 + 1 / (4 n)) s / mean in percent, s the unbiased standard deviation; None at a mean of 0.

    The scale of the values must begin at 0.

    >>> round(small_sample_variation([84.51, 84.50, 87.46, 85.60, 84.20, 86.61, 86.20]) or 0, 4)
    1.5617
    """
    n = len(values)
    if n < 2:
        raise ValueError(f"values must be at least 2, got {n}")
    mean = math.fsum(values) / n
    if mean == 0:
        return None
    gamma = scipy.special.gammaln(n / 2) - scipy.special.gammaln((n - 1) / 2)
    c4 = math.sqrt(2 / (n - 1)) * math.exp(float(gamma))
    deviation = float(np.std(values, ddof=1)) / c4
    return (1 + 1 / (4 * n)) * deviation / abs(mean) * 100


def reproduction(first: Analysis, second: Analysis, lowest: dict[str, tuple[float, float]]) -> Reproduction:
    """
    Compare two analyses; `lowest` has the criteria to compare with the low end of the scale in each study.

    A pair of methods has the same conclusion where both differences have one sign and both are significant at .05
    (Holm within the study) or both are not.
    """
    means = [
        {(one.method, one.criterion): one.crossed.estimate for one in each.means} for each in (first, second)
    ]
    methods = list(dict.fromkeys(one.method for one in first.means))
    found: list[MethodRepeated] = []
    criteria: list[CriterionRepeated] = []
    for criterion, ends in lowest.items():
        of_criterion = []
        for method in methods:
            one, other = (each.get((method, criterion)) for each in means)
            if one is not None and other is not None:
                cv = small_sample_variation([one - ends[0], other - ends[1]])
                of_criterion.append(MethodRepeated(method, criterion, one, other, cv))
        found += of_criterion
        criteria.append(_criterion(criterion, of_criterion, first, second))
    return Reproduction(tuple(found), tuple(criteria))


def _criterion(
    criterion: str, methods: list[MethodRepeated], first: Analysis, second: Analysis
) -> CriterionRepeated:
    x, y = (np.array([getattr(one, name) for one in methods]) for name in ("first", "second"))
    has_spread = len(methods) >= 3 and np.ptp(x) > 0 and np.ptp(y) > 0
    later = {frozenset((one.a, one.b)): one for one in second.comparisons if one.criterion == criterion}
    pairs = same_sign = same_conclusion = 0
    for one in first.comparisons:
        other = later.get(frozenset((one.a, one.b)))
        if one.criterion != criterion or other is None:
            continue
        if one.estimate is None or other.estimate is None:
            continue
        # The other study may have the methods in another order.
        turned = 1 if one.a == other.a else -1
        alike = np.sign(one.estimate) == turned * np.sign(other.estimate)
        is_significant = [p is not None and p < ALPHA for p in (one.p_holm, other.p_holm)]
        pairs += 1
        same_sign += bool(alike)
        same_conclusion += bool(alike) and is_significant[0] == is_significant[1]
    return CriterionRepeated(
        criterion=criterion,
        pearson=float(np.corrcoef(x, y)[0, 1]) if has_spread else None,
        spearman=float(scipy.stats.spearmanr(x, y).statistic) if has_spread else None,
        pairs=pairs,
        same_sign=same_sign,
        same_conclusion=same_conclusion,
    )
