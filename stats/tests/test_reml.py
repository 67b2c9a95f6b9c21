"""REML where cells are missing: what cannot be told apart, and tables at the edge."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stats.mixed import crossed_error, crossed_mean, lowest_df
from stats.ratings.cells import Cells
from stats.reml import fit_crossed_reml
from stats.scores import Floats
from stats.tests.golden.make import dense_reml


def nested(evaluators: int, prompts_each: int, seed: int = 1) -> Floats:
    """Return a table in which every prompt has one evaluator."""
    rng = np.random.default_rng(seed)
    values = np.full((evaluators, evaluators * prompts_each), np.nan)
    for e in range(evaluators):
        own = slice(e * prompts_each, (e + 1) * prompts_each)
        values[e, own] = rng.normal() + rng.normal(size=prompts_each)
    return values


def test_prompts_with_one_evaluator_each_leave_a_one_way_layout() -> None:
    values = nested(7, 5)
    means = np.nanmean(values, axis=1)
    for table in (values, values.T):
        mean = crossed_mean(table)
        assert mean.method == "REML" and mean.variance is not None
        # The balanced one-way layout is the t-test over the means of its groups.
        assert mean.estimate == pytest.approx(means.mean())
        assert mean.se == pytest.approx(means.std(ddof=1) / math.sqrt(7), rel=1e-6)
        assert mean.df == pytest.approx(6, rel=1e-6)
        assert min(mean.variance.evaluator, mean.variance.prompt) == 0


def test_table_without_a_cell_to_spare_has_a_mean_and_no_error() -> None:
    values = np.full((3, 3), np.nan)
    values[[0, 0, 1, 1, 2], [0, 1, 1, 2, 2]] = [1.0, 2.0, 4.0, 3.0, 5.0]
    assert fit_crossed_reml(values) is None
    mean = crossed_mean(values)
    assert (mean.estimate, mean.se, mean.p, mean.cells) == (3.0, None, None, 5)


def test_one_cell_for_each_evaluator_and_prompt_has_no_error() -> None:
    assert crossed_mean(np.where(np.eye(6) == 1, 2.0, np.nan)).se is None


def test_maximum_at_zero_exactly_is_zero() -> None:
    # All three mean squares are equal: both effects have the estimate zero, and all cells 3 df.
    for fit in (fit_crossed_reml(np.array([[0.0, 0.0], [0.0, 3.0]])), fit_crossed_reml(np.eye(2))):
        assert fit is not None
        assert fit.variances[:2] == (0.0, 0.0)
        assert fit.df == pytest.approx(3)


def test_two_groups_who_share_no_prompt_are_fitted_together() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(8, 12)) + rng.normal(size=(8, 1))
    values[:4, 6:] = values[4:, :6] = np.nan
    mean = crossed_mean(values)
    assert mean.method == "REML"
    assert mean.p is not None and 0 < mean.p < 1


def test_constant_cells_have_no_error() -> None:
    mean = crossed_mean(np.where(np.arange(60).reshape(6, 10) % 7 == 0, np.nan, 0.1))
    assert mean.estimate == pytest.approx(0.1)
    assert (mean.se, mean.p) == (0.0, None)


def test_exactly_additive_table_has_a_finite_fit() -> None:
    values = np.add.outer([0.0, 1, 3, 5, 2, 1], [0.0, 2, 1, 0, 4, 2, 1])
    complete = crossed_mean(values)
    values[0, 0] = np.nan
    mean = crossed_mean(values)
    assert complete.variance is not None and mean.variance is not None
    assert complete.variance.residual == pytest.approx(0, abs=1e-12)
    assert mean.se == pytest.approx(complete.se, rel=0.05)
    assert mean.df is not None and math.isfinite(mean.df)


def test_evaluators_and_prompts_without_cells_are_left_out() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(6, 10))
    holes = np.pad(values, ((1, 2), (2, 1)), constant_values=np.nan)
    assert crossed_mean(holes) == crossed_mean(values)


@pytest.mark.parametrize("seed", range(6))
def test_fifty_cells_of_a_sparse_table_are_fitted_as_by_a_dense_covariance(seed: int) -> None:
    """Fewer cells than evaluators and prompts: what fixed effects would need, random ones do not."""
    rng = np.random.default_rng(seed)
    values = np.full((14, 45), np.nan)
    values.ravel()[rng.permutation(values.size)[:50]] = 0.0
    values += rng.normal(0, 1.5, size=(14, 1)) + rng.normal(0, 1.5, size=45) + rng.normal(size=values.shape)
    values = values[~np.isnan(values).all(axis=1)][:, ~np.isnan(values).all(axis=0)]
    mean, expected = crossed_mean(values), dense_reml(values)
    assert mean.estimate == pytest.approx(expected["estimate"], abs=2e-3)
    assert mean.se == pytest.approx(expected["se"], rel=2e-3)
    assert mean.df is not None and mean.df >= lowest_df(Cells.of_table(values))
    if min(expected["evaluator"], expected["prompt"], expected["residual"]) > 0.05:
        assert mean.df == pytest.approx(expected["df"], rel=0.02)


def test_degrees_of_freedom_do_not_fall_to_nothing_where_a_variance_hardly_leaves_zero() -> None:
    lowest = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        values = np.where(rng.random((12, 30)) < 0.3, rng.normal(size=(12, 30)), np.nan)
        mean = crossed_mean(values)
        assert mean.df is not None
        lowest.append(mean.df)
    # A complete table of 12 x 30 with equal mean squares has 1 / (1/11 + 1/29 + 1/319) = 7.8; this one is uneven.
    assert min(lowest) > 6


def test_least_degrees_of_freedom_are_those_of_equal_mean_squares() -> None:
    _, df, _ = crossed_error(1.0 + 1e-6, 1.0 + 1e-6, 1.0, 6, 10)
    assert lowest_df(Cells.of_table(np.ones((6, 10)))) == pytest.approx(df, rel=1e-4)
    assert lowest_df(Cells.of_table(np.ones((1, 10)))) == 1.0


def test_start_changes_nothing_but_the_way() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=(8, 15)) + rng.normal(size=(8, 1)) + rng.normal(size=15)
    values[rng.random(values.shape) < 0.2] = np.nan
    fit = fit_crossed_reml(values)
    assert fit is not None
    for start in ((0.0, 0.0, 1.0), (5.0, 1e-3, 0.1), fit.variances):
        again = fit_crossed_reml(values, start)
        assert again is not None
        assert again.se == pytest.approx(fit.se, rel=1e-9)
        assert again.df == pytest.approx(fit.df, rel=1e-7)
