"""Power of the primary comparison, the smallest effect it can find, and what more of whom would help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy

from stats.mixed import VarianceComponents, crossed_error

MOST_PLANNED = 10_000


@dataclass(frozen=True)
class Power:
    """
    The power of a two-sided crossed test with E evaluators, P prompts and these components.

    `share_evaluators`, `share_prompts` and `share_residual` say where the variance of the estimate comes
    from; the larger of the first two is the `bottleneck`.
    """

    evaluators: int
    prompts: int
    effect: float | None
    power: float | None
    se: float
    df: float
    minimum_detectable_effect: float
    share_evaluators: float
    share_prompts: float
    share_residual: float

    @property
    def bottleneck(self) -> Literal["evaluators", "prompts"]:
        """Return which of the two holds the precision back."""
        return "evaluators" if self.share_evaluators >= self.share_prompts else "prompts"


def planned_power(
    components: VarianceComponents,
    *,
    evaluators: int,
    prompts: int,
    effect: float | None = None,
    alpha: float = 0.05,
    target: float = 0.8,
) -> Power | None:
    """
    Return the power to find a difference of `effect`, and the effect found with power `target`.

    An effect is one that was planned for: the power at the observed one says no more than its p-value.

    V(E, P) = s2_e / E + s2_p / P + s2_r / (E P), noncentral t with the Satterthwaite df of the expected
    mean squares (`stats.mixed`). None where nothing varies. Reference: Westfall, Kenny and Judd (2014),
    J. Experimental Psychology: General 143, 2020-2045.
    """
    error = expected_error(components, evaluators, prompts)
    if error is None:
        return None
    se, df = error
    variance = se**2
    return Power(
        evaluators=evaluators,
        prompts=prompts,
        effect=effect,
        power=None if effect is None else t_test_power(effect / se, df, alpha),
        se=se,
        df=df,
        minimum_detectable_effect=se * detectable_noncentrality(df, alpha, target),
        share_evaluators=components.evaluator / evaluators / variance,
        share_prompts=components.prompt / prompts / variance,
        share_residual=components.residual / (evaluators * prompts) / variance,
    )


def power_curve(
    components: VarianceComponents,
    *,
    evaluators: Sequence[int],
    prompts: Sequence[int],
    effect: float,
    alpha: float = 0.05,
    target: float = 0.8,
) -> tuple[Power, ...]:
    """Return the power at every number of evaluators and of prompts, prompts fastest."""
    powers = (
        planned_power(components, evaluators=e, prompts=p, effect=effect, alpha=alpha, target=target)
        for e in evaluators
        for p in prompts
    )
    return tuple(power for power in powers if power is not None)


def evaluators_needed(
    components: VarianceComponents, *, prompts: int, effect: float, alpha: float = 0.05, target: float = 0.8
) -> int | None:
    """Return the fewest evaluators that give power `target` at these prompts, None if no number does."""

    def reaches(evaluators: int) -> bool:
        error = expected_error(components, evaluators, prompts)
        return error is None or t_test_power(effect / error[0], error[1], alpha) >= target

    return _fewest(reaches) if effect else None


def prompts_needed(
    components: VarianceComponents,
    *,
    evaluators: int,
    effect: float,
    alpha: float = 0.05,
    target: float = 0.8,
) -> int | None:
    """Return the fewest prompts that give power `target` with these evaluators, None if no number does."""

    def reaches(prompts: int) -> bool:
        error = expected_error(components, evaluators, prompts)
        return error is None or t_test_power(effect / error[0], error[1], alpha) >= target

    return _fewest(reaches) if effect else None


def expected_error(
    components: VarianceComponents, evaluators: int, prompts: int
) -> tuple[float, float] | None:
    """Return the standard error and df to expect with so many evaluators and prompts, at least 2 each."""
    for name, number in (("evaluators", evaluators), ("prompts", prompts)):
        if number < 2:
            raise ValueError(f"{name} must be at least 2, got {number}")
    ms_e = components.residual + prompts * components.evaluator
    ms_p = components.residual + evaluators * components.prompt
    se, df, _ = crossed_error(ms_e, ms_p, components.residual, evaluators, prompts)
    return None if df is None else (se, df)


def t_test_power(noncentrality: float, df: float, alpha: float = 0.05) -> float:
    """Return the power of a two-sided t-test whose t has this noncentrality."""
    quantile = float(scipy.special.stdtrit(df, 1 - alpha / 2))
    away = abs(noncentrality)
    below = scipy.special.nctdtr(df, away, np.array([-quantile, quantile]))
    # SciPy gives NaN far out in either tail, where the probability has long been nothing.
    low, high = np.nan_to_num(below)
    inside = float(high - low)
    return min(max(1 - inside, 0.0), 1.0)


def detectable_noncentrality(df: float, alpha: float = 0.05, target: float = 0.8) -> float:
    """Return the noncentrality at which a two-sided t-test has power `target`."""
    if not alpha < target < 1:
        raise ValueError(f"target must lie between alpha and 1, got {target}")
    high = 1.0
    while t_test_power(high, df, alpha) < target:
        high *= 2
    return float(
        scipy.optimize.brentq(lambda noncentrality: t_test_power(noncentrality, df, alpha) - target, 0, high)
    )


def _fewest(reaches: Callable[[int], bool]) -> int | None:
    """Return the smallest number from 2 that reaches, by bisection; power grows with either number."""
    if not reaches(MOST_PLANNED):
        return None
    low, high = 1, MOST_PLANNED
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high
