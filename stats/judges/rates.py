"""
The share of yes among texts that a judge answered, corrected for how often the judge errs.

References: Rogan and Gladen (1978), American Journal of Epidemiology 107, 71-76; Lang and Reiczigel (2014), Preventive
Veterinary Medicine 113, 13-22 (the interval); Lee et al. (2026), How to correctly report LLM-as-a-judge evaluations,
ICML, arXiv:2511.21140.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import scipy

from stats.mixed import Interval, interval_list

# Below this sum of sensitivity and specificity a judge is no better than chance.
LEAST_INFORMED = 1.05


@dataclass(frozen=True)
class CorrectedRate:
    """A corrected share of yes; `estimate` and `ci` are None for a judge that is no better than chance."""

    judged: float
    sensitivity: float
    specificity: float
    estimate: float | None
    ci: Interval | None

    def as_dict(self) -> dict[str, Any]:
        """Return the rate, ready for JSON."""
        return {
            "judged": self.judged,
            "sensitivity": self.sensitivity,
            "specificity": self.specificity,
            "estimate": self.estimate,
            "ci": interval_list(self.ci),
        }


def corrected_rate(
    p: float, q0: float, q1: float, *, n: int, m0: int, m1: int, confidence_level: float = 0.95
) -> CorrectedRate:
    """
    Correct the share `p` of yes that a judge gave n texts.

    Its specificity q0 was found on m0 texts that people answer with no, its sensitivity q1 on m1 that they answer with
    yes. theta = (p + q0 - 1) / (q0 + q1 - 1), cut at 0 and 1.
    """
    if q0 + q1 <= LEAST_INFORMED or not (n and m0 and m1):
        return CorrectedRate(p, q1, q0, None, None)
    estimate = min(max((p + q0 - 1) / (q0 + q1 - 1), 0.0), 1.0)
    z = float(scipy.special.ndtri((1 + confidence_level) / 2))
    p_, q0_, q1_ = (n * p + z**2 / 2) / (n + z**2), (m0 * q0 + 1) / (m0 + 2), (m1 * q1 + 1) / (m1 + 2)
    n_, m0_, m1_ = n + z**2, m0 + 2, m1 + 2
    informed = q0_ + q1_ - 1
    if informed <= 0:
        return CorrectedRate(p, q1, q0, None, None)
    theta = (p_ + q0_ - 1) / informed
    shift = 2 * z**2 * (-(1 - theta) * q0_ * (1 - q0_) / m0_ + theta * q1_ * (1 - q1_) / m1_)
    se = (
        math.sqrt(
            p_ * (1 - p_) / n_ + (1 - theta) ** 2 * q0_ * (1 - q0_) / m0_ + theta**2 * q1_ * (1 - q1_) / m1_
        )
        / informed
    )
    low, high = (min(max(theta + shift + sign * z * se, 0.0), 1.0) for sign in (-1, 1))
    return CorrectedRate(p, q1, q0, estimate, (low, high))
