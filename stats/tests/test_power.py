"""What a study could find and what it would need."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from stats.mixed import VarianceComponents, crossed_mean
from stats.power import (
    detectable_noncentrality,
    evaluators_needed,
    expected_error,
    planned_power,
    power_curve,
    prompts_needed,
    t_test_power,
)

MANY_TASTES = VarianceComponents(evaluator=2.0, prompt=0.2, residual=3.0)


def test_error_is_the_variance_formula() -> None:
    error = expected_error(MANY_TASTES, 10, 40)
    assert error is not None
    assert error[0] ** 2 == pytest.approx(2.0 / 10 + 0.2 / 40 + 3.0 / 400)


def test_power_of_no_effect_is_alpha_and_grows_with_the_effect() -> None:
    powers = [
        planned_power(MANY_TASTES, evaluators=10, prompts=40, effect=effect) for effect in (0, 0.5, 1, 3)
    ]
    values = [power.power for power in powers if power is not None and power.power is not None]
    assert values[0] == pytest.approx(0.05)
    assert values == sorted(values)
    assert values[-1] > 0.99


def test_detectable_effect_has_the_target_power() -> None:
    plan = planned_power(MANY_TASTES, evaluators=10, prompts=40)
    assert plan is not None
    assert plan.power is None
    again = planned_power(MANY_TASTES, evaluators=10, prompts=40, effect=plan.minimum_detectable_effect)
    assert again is not None
    assert again.power == pytest.approx(0.8)


def test_bottleneck_is_the_side_with_the_larger_share() -> None:
    plan = planned_power(MANY_TASTES, evaluators=10, prompts=40)
    assert plan is not None
    assert plan.bottleneck == "evaluators"
    assert plan.share_evaluators + plan.share_prompts + plan.share_residual == pytest.approx(1)
    other = planned_power(VarianceComponents(0.1, 3.0, 1.0), evaluators=30, prompts=20)
    assert other is not None
    assert other.bottleneck == "prompts"


def test_needed_evaluators_are_the_fewest_that_reach_the_target() -> None:
    needed = evaluators_needed(MANY_TASTES, prompts=40, effect=1.0)
    assert needed is not None
    enough = planned_power(MANY_TASTES, evaluators=needed, prompts=40, effect=1.0)
    too_few = planned_power(MANY_TASTES, evaluators=needed - 1, prompts=40, effect=1.0)
    assert enough is not None and enough.power is not None and enough.power >= 0.8
    assert too_few is not None and too_few.power is not None and too_few.power < 0.8


def test_no_number_of_prompts_makes_up_for_too_few_evaluators() -> None:
    assert prompts_needed(MANY_TASTES, evaluators=10, effect=0.5) is None
    assert prompts_needed(VarianceComponents(0.0, 2.0, 3.0), evaluators=10, effect=0.5) is not None
    assert evaluators_needed(MANY_TASTES, prompts=40, effect=0.0) is None


def test_curve_has_every_combination() -> None:
    curve = power_curve(MANY_TASTES, evaluators=[6, 12], prompts=[10, 20, 40], effect=1.0)
    assert [(power.evaluators, power.prompts) for power in curve] == [
        (6, 10), (6, 20), (6, 40), (12, 10), (12, 20), (12, 40),
    ]  # fmt: skip


def test_power_is_the_share_of_simulated_studies_that_find_the_effect() -> None:
    rng = np.random.default_rng(8)
    plan = planned_power(MANY_TASTES, evaluators=8, prompts=12, effect=1.5)
    found = []
    for _ in range(800):
        values = 1.5 + rng.normal(size=(8, 1)) * 2**0.5 + rng.normal(size=12) * 0.2**0.5
        p = crossed_mean(values + rng.normal(size=(8, 12)) * 3**0.5).p
        found.append(p is not None and p < 0.05)
    assert plan is not None
    assert np.mean(found) == pytest.approx(plan.power, abs=0.05)


@pytest.mark.parametrize("df", [1.0, 3.6, 9.6, 1e3, 1e6])
def test_power_is_a_probability_however_large_the_effect(df: float) -> None:
    quantile = scipy.stats.t.isf(0.025, df)
    for noncentrality in (0.0, 5.0, 30.0, 200.0, 1e4):
        power = t_test_power(noncentrality, df)
        assert 0.05 - 1e-9 <= power <= 1
    assert t_test_power(quantile + 3, df) > 0.5
    assert t_test_power(detectable_noncentrality(df), df) == pytest.approx(0.8)


def test_impossible_plans_are_refused() -> None:
    with pytest.raises(ValueError, match="evaluators must be at least 2, got 1"):
        planned_power(MANY_TASTES, evaluators=1, prompts=40)
    with pytest.raises(ValueError, match="target must lie between alpha and 1"):
        planned_power(MANY_TASTES, evaluators=10, prompts=40, target=0.01)
    assert planned_power(VarianceComponents(0, 0, 0), evaluators=10, prompts=40) is None
