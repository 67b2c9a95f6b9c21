"""
Means, deviations and p-values by the formulas of the published studies.

Kept for comparison with the paper alone. The deviation divides by sqrt(N) and the test does so once
more, and both ignore that the same evaluators and prompts are rated under every method, so the
p-values are not those of a valid test: `stats.significance` has the primary analysis.

Reference: Zou, Yin, Zhong, Yang, Yang, Tang (2021), Controllable Generation from Pre-trained Language
Models via Inverse Prompting, KDD 2021, section 5 and appendix 7.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy

from stats.ratings.table import RatingTable, long_table
from stats.scores import Bools, Floats, ScoreTable

ByMethodAndCriterion = dict[str, dict[str, float | None]]


@dataclass(frozen=True)
class PublishedTest:
    """One test of 'a is at least as good as b' on one criterion; None where it is undefined."""

    a: str
    b: str
    criterion: str
    t: float | None
    df: int
    p: float | None

    @property
    def null(self) -> str:
        """Return the hypothesis that a small p-value speaks against."""
        return f"{self.a} >= {self.b}"


def published_means(table: RatingTable | ScoreTable) -> ByMethodAndCriterion:
    """
    Return the mean of each method on each criterion: the mean over evaluators of their means over prompts.

    Where nobody misses a rating the mean is one sum of whole numbers divided by their count, hence the
    double nearest to the true mean. That matters for three of the 20 printed poem means, which are exact
    ties at two decimals: 2.795 was printed as 2.79, 2.715 as 2.71 and 2.915 as 2.92. No decimal rule
    gives all three; rounding the nearest double (Python's `round`, C's printf) does. An evaluator with no
    rating for a method and criterion is left out there; None where no rating is left.
    """
    return _by_method_and_criterion(table, _mean)


def published_deviations(table: RatingTable | ScoreTable) -> ByMethodAndCriterion:
    """
    Return sqrt(mean over evaluators of Var_i(x[e, i])) / sqrt(N) of each method on each criterion.

    The variance over prompts has the divisor n; N counts the evaluators with a rating there.
    """
    return _by_method_and_criterion(table, _deviation)


def published_tests(ratings: RatingTable | ScoreTable) -> tuple[PublishedTest, ...]:
    """
    Test 'a >= b' for every ordered pair of methods and every criterion.

    One-sided Student t with t = (mean_b - mean_a) / sqrt((dev_a^2 + dev_b^2) / N) and df = 2N - 2; N
    counts the evaluators with ratings of both methods.
    """
    table = long_table(ratings)
    tests = []
    for criterion in table.criteria:
        sums = _EvaluatorSums.of(table.for_criterion(criterion.key))
        means = [_mean(sums, m) for m in range(len(table.methods))]
        deviations = [_deviation(sums, m) for m in range(len(table.methods))]
        has_rated: Bools = sums.counts > 0  # (E, M)
        for a, key_a in enumerate(table.methods):
            for b, key_b in enumerate(table.methods):
                if a == b:
                    continue
                n = int((has_rated[:, a] & has_rated[:, b]).sum())
                t = _published_t(means[a], deviations[a], means[b], deviations[b], n)
                df = max(2 * n - 2, 0)
                p = None if t is None else float(scipy.special.stdtr(df, -t))
                tests.append(PublishedTest(key_a, key_b, criterion.key, t, df, p))
    return tuple(tests)


def published_p_value(
    mean_a: float, deviation_a: float, mean_b: float, deviation_b: float, evaluators: int
) -> float | None:
    """
    Return the p-value of 'a >= b' from printed means and deviations; None where it is undefined.

    >>> round(published_p_value(3.57, 0.54, 4.40, 0.47, evaluators=10), 4)
    0.0009
    """
    t = _published_t(mean_a, deviation_a, mean_b, deviation_b, evaluators)
    return None if t is None else float(scipy.special.stdtr(2 * evaluators - 2, -t))


def _published_t(
    mean_a: float | None, deviation_a: float | None, mean_b: float | None, deviation_b: float | None, n: int
) -> float | None:
    if mean_a is None or mean_b is None or deviation_a is None or deviation_b is None or n < 2:
        return None
    se = math.sqrt((deviation_a**2 + deviation_b**2) / n)
    return (mean_b - mean_a) / se if se > 0 else None


@dataclass(frozen=True, eq=False)
class _EvaluatorSums:
    """Number, sum and squared deviations of each evaluator's ratings of each method on one criterion, (E, M) each."""

    counts: Floats
    sums: Floats
    squares: Floats

    @classmethod
    def of(cls, table: RatingTable) -> _EvaluatorSums:
        ratings = table.first_ratings()
        shape = (len(ratings.evaluators), len(ratings.methods))
        size = shape[0] * shape[1]
        place = ratings.evaluator * shape[1] + ratings.method
        counts = np.bincount(place, minlength=size).astype(np.float64)
        sums = np.bincount(place, ratings.score, size).astype(np.float64)
        rest = ratings.score - (sums / np.maximum(counts, 1))[place]
        squares = np.bincount(place, rest**2, size).astype(np.float64)
        return cls(counts.reshape(shape), sums.reshape(shape), squares.reshape(shape))


Statistic = Callable[[_EvaluatorSums, int], float | None]


def _by_method_and_criterion(ratings: RatingTable | ScoreTable, statistic: Statistic) -> ByMethodAndCriterion:
    table = long_table(ratings)
    found: ByMethodAndCriterion = {method: {} for method in table.methods}
    for criterion in table.criteria:
        sums = _EvaluatorSums.of(table.for_criterion(criterion.key))
        for m, method in enumerate(table.methods):
            found[method][criterion.key] = statistic(sums, m)
    return found


def _mean(of: _EvaluatorSums, method: int) -> float | None:
    """Average the ratings of a method; None where there are none."""
    counts, sums = of.counts[:, method], of.sums[:, method]
    rows = counts > 0
    if not rows.any():
        return None
    if (counts == counts[0]).all():
        return float(sums.sum() / counts.sum())
    return float((sums[rows] / counts[rows]).mean())


def _deviation(of: _EvaluatorSums, method: int) -> float | None:
    """Return the published deviation of a method's ratings; None where there are none."""
    rows = of.counts[:, method] > 0
    if not rows.any():
        return None
    variances = of.squares[rows, method] / of.counts[rows, method]
    return math.sqrt(float(variances.mean()) / len(variances))
