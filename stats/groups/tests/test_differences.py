"""The difference of two groups' differences: against a second implementation, by hand, and by its coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stats.groups.differences import difference_of_groups
from stats.ratings.cells import Cells
from stats.scores import Floats


def groups(
    rng: np.random.Generator,
    *,
    evaluators: tuple[int, int] = (8, 8),
    prompts: int = 15,
    effect: float = 0.5,
    spreads: tuple[float, float, float, float] = (0.7, 0.5, 0.5, 0.8),
) -> tuple[Floats, Floats]:
    """Return differences of two methods in two groups, (E, P) each, with these deviations."""
    of_evaluators, of_prompts, by_group, noise = spreads
    shared = of_prompts * rng.standard_normal(prompts)
    first, second = (
        mean
        + of_evaluators * rng.standard_normal((number, 1))
        + shared
        + by_group * rng.standard_normal(prompts)
        + noise * rng.standard_normal((number, prompts))
        for mean, number in zip((0.0, effect), evaluators, strict=True)
    )
    return first, second


def as_cells(first: Floats, second: Floats) -> tuple[Cells, Cells]:
    """Return both tables as cells, the evaluators of the second after those of the first."""
    one, other = Cells.of_table(first), Cells.of_table(second)
    return one, Cells(other.evaluator + len(first), other.prompt, other.value)


def test_it_is_that_of_a_mixed_model_with_crossed_effects() -> None:
    import pandas as pd
    import statsmodels.formula.api as smf

    first, second = groups(np.random.default_rng(11))
    rows = [
        (f"{group}{e}", p, group, float(value))
        for group, table in (("a", first), ("b", second))
        for (e, p), value in np.ndenumerate(table)
    ]
    data = pd.DataFrame(rows, columns=["evaluator", "prompt", "group", "difference"]).assign(all=1)
    # Restricted likelihood with effects of evaluators, of prompts, and of prompts by group.
    fit = smf.mixedlm(
        "difference ~ group",
        data,
        groups="all",
        re_formula="0",
        vc_formula={
            "evaluator": "0 + C(evaluator)",
            "prompt": "0 + C(prompt)",
            "prompt_by_group": "0 + C(prompt):C(group)",
        },
    ).fit(reml=True)
    found = difference_of_groups(*as_cells(first, second))
    assert found.estimate == pytest.approx(fit.params["group[T.b]"], abs=1e-6)
    assert found.se == pytest.approx(fit.bse["group[T.b]"], rel=2e-3)


def test_it_is_what_the_formula_gives_by_hand() -> None:
    first = np.array([[1.0, 3.0], [2.0, 6.0]])
    second = np.array([[4.0, 4.0], [8.0, 6.0], [3.0, 5.0]])
    found = difference_of_groups(*as_cells(first, second))
    # Means of evaluators 2, 4 and 4, 7, 4; of prompts by group 1.5, 4.5 and 5, 5: differences 3.5 and .5.
    a = 2 / 2 + 3 / 3
    b = 4.5 / 2
    # Sums of squares of what is left: .5^2 x 4 = 1, and (0, -1, 1)^2 x 2 = 4, so squares 1 and 4 / 2.
    c = 1 / (2 * 2) + 2 / (3 * 2)
    assert found.estimate == pytest.approx(2.0)
    assert found.se == pytest.approx(math.sqrt(a + b - c))
    below = (2 / 2) ** 2 / 1 + (3 / 3) ** 2 / 2 + b**2 / 1 + (1 / 4) ** 2 / 1 + (2 / 6) ** 2 / 2
    assert found.df == pytest.approx((a + b - c) ** 2 / below)


def test_the_order_of_the_groups_turns_the_sign_alone() -> None:
    first, second = as_cells(*groups(np.random.default_rng(3), evaluators=(5, 9)))
    one, other = difference_of_groups(first, second), difference_of_groups(second, first)
    assert one.estimate == pytest.approx(-(other.estimate or 0))
    assert (one.se, one.df) == pytest.approx((other.se, other.df))


# 600 studies: the interval holds 95 % unless fewer than 92.7 % or more than 97.3 % hold the truth (99 % Monte Carlo).
STUDIES = 600
BOUND = 2.576 * math.sqrt(0.95 * 0.05 / STUDIES)


@pytest.mark.parametrize(
    ("evaluators", "prompts", "spreads", "missing"),
    [
        ((8, 8), 15, (0.7, 0.5, 0.5, 0.8), 0.0),
        ((5, 14), 20, (0.7, 0.5, 0.3, 1.0), 0.0),
        ((20, 20), 30, (0.5, 0.5, 0.4, 1.0), 0.3),
    ],
)
def test_intervals_hold_what_they_say(
    evaluators: tuple[int, int], prompts: int, spreads: tuple[float, float, float, float], missing: float
) -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(STUDIES):
        tables = groups(rng, evaluators=evaluators, prompts=prompts, effect=0.5, spreads=spreads)
        for table in tables:
            table[rng.random(table.shape) < missing] = np.nan
        ci = difference_of_groups(*as_cells(*tables)).ci
        assert ci is not None
        held += ci[0] <= 0.5 <= ci[1]
    assert held / STUDIES > 0.95 - BOUND
    # Without spread of evaluators or prompts intervals are too wide, never too narrow.
    assert held / STUDIES < 0.95 + BOUND + 0.015


def test_without_spread_of_evaluators_prompts_decide_and_the_other_way_round() -> None:
    rng = np.random.default_rng(2)
    by_prompt = rng.standard_normal(12)
    first = np.tile(by_prompt, (4, 1))
    found = difference_of_groups(*as_cells(first, np.tile(rng.standard_normal(12), (4, 1))))
    assert found.df == pytest.approx(11)
    leniency = rng.standard_normal((4, 1))
    found = difference_of_groups(*as_cells(np.tile(leniency, 12), np.tile(2 * leniency, 12)))
    assert found.df is not None
    assert 3 <= found.df <= 6


def test_groups_without_cells_or_with_one_evaluator_are_not_tested() -> None:
    first, second = as_cells(*groups(np.random.default_rng(1)))
    none = Cells(second.evaluator[:0], second.prompt[:0], second.value[:0])
    assert difference_of_groups(first, none).estimate is None
    alone = second.evaluator == second.evaluator[0]
    found = difference_of_groups(
        first, Cells(second.evaluator[alone], second.prompt[alone], second.value[alone])
    )
    assert found.estimate is not None
    assert found.ci is None


def test_nothing_that_varies_has_no_interval() -> None:
    found = difference_of_groups(*as_cells(np.zeros((3, 4)), np.ones((3, 4))))
    assert (found.estimate, found.ci) == (1.0, None)
