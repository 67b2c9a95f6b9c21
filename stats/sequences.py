"""
Confidence sequences: intervals for a share that stay valid however often one looks.

References: Robbins (1970), Annals of Mathematical Statistics 41, 1397-1409, for the Beta mixture; Waudby-Smith,
Arbour, Sinha, Kennedy and Ramdas (2024), Annals of Statistics 52, 2613-2640, for the asymptotic one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy

from stats.mixed import Interval
from stats.scores import Floats

FEWEST_FOR_ASYMPTOTIC = 50


@dataclass(frozen=True)
class ConfidenceSequence:
    """A share with its interval at this moment; `units` counts what it is the mean of."""

    estimate: float | None
    ci: Interval
    units: int
    method: Literal["beta mixture", "asymptotic"]
    confidence_level: float


def beta_mixture_log_e(selected: float, total: int, share: float, a: float = 1.0, b: float = 1.0) -> float:
    """
    Return log e_n(share), the evidence against a true share, of `selected` out of `total`.

    log e_n(p0) = lbeta(a + s, b + n - s) - lbeta(a, b) - s log p0 - (n - s) log(1 - p0). An e-value of
    20 allows rejection at .05 at any moment. For values within 0 and 1 in place of choices `selected`
    is their sum: by convexity that is still an e-value, a cautious one.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1, got {share}")
    if not 0 <= selected <= total:
        raise ValueError(f"selected must lie between 0 and total, got {selected} of {total}")
    mixed = scipy.special.betaln(a + selected, b + total - selected) - scipy.special.betaln(a, b)
    return float(mixed - selected * math.log(share) - (total - selected) * math.log1p(-share))


def beta_mixture_sequence(
    selected: float, total: int, *, confidence_level: float = 0.95, a: float = 1.0, b: float = 1.0
) -> ConfidenceSequence:
    """Return all shares whose e-value against them is below 1 / alpha, as an interval."""
    limit = -math.log1p(-confidence_level)
    if not total:
        return ConfidenceSequence(None, (0.0, 1.0), 0, "beta mixture", confidence_level)
    estimate = selected / total
    middle = min(max(estimate, 1e-12), 1 - 1e-12)

    def beyond(share: float) -> float:
        return beta_mixture_log_e(selected, total, share, a, b) - limit

    tiny = 1e-300
    low = 0.0 if estimate <= 1e-12 else scipy.optimize.brentq(beyond, tiny, middle, xtol=1e-14)
    almost_one = 1 - 2**-53
    high = 1.0 if beyond(almost_one) <= 0 else scipy.optimize.brentq(beyond, middle, almost_one, xtol=1e-14)
    return ConfidenceSequence(estimate, (float(low), float(high)), total, "beta mixture", confidence_level)


def asymptotic_sequence(
    values: Floats, *, confidence_level: float = 0.95, tightest_at: int = 500
) -> ConfidenceSequence:
    """
    Return the asymptotic confidence sequence for the mean of `values` (t,), at least two that differ.

    mean +- sd sqrt(2 (t r2 + 1) / (t^2 r2) log(sqrt(t r2 + 1) / alpha)), with
    r2 = (-2 log alpha + log(-2 log alpha + 1)) / tightest_at; sd has the divisor t. Cut at 0 and 1.
    """
    t = len(values)
    if t < 2:
        raise ValueError(f"values must be at least two, got {t}")
    mean = float(values.mean())
    radius = asymptotic_radius(float(values.std()), t, confidence_level, tightest_at)
    ci = (max(mean - radius, 0.0), min(mean + radius, 1.0))
    return ConfidenceSequence(mean, ci, t, "asymptotic", confidence_level)


def asymptotic_radius(deviation: float, t: int, confidence_level: float, tightest_at: int) -> float:
    """Return the half width of the asymptotic confidence sequence after t values."""
    alpha = 1 - confidence_level
    r2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / tightest_at
    spread = t * r2 + 1
    return deviation * math.sqrt(2 * spread / (t**2 * r2) * math.log(math.sqrt(spread) / alpha))


def share_sequence(
    values: Floats, *, confidence_level: float = 0.95, tightest_at: int = 500
) -> ConfidenceSequence:
    """
    Return the sequence for a live page: `values` (t,) within 0 and 1, one a player, in order of arrival.

    Asymptotic from 50 players that differ, a Beta(1, 1) mixture before.
    """
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError("values must lie between 0 and 1")
    if len(values) >= FEWEST_FOR_ASYMPTOTIC and np.ptp(values) > 0:
        return asymptotic_sequence(values, confidence_level=confidence_level, tightest_at=tightest_at)
    return beta_mixture_sequence(float(values.sum()), len(values), confidence_level=confidence_level)
