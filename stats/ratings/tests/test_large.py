"""Large designs: components from a part, estimates from all ratings, and memory that grows with the ratings."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest

import stats.cluster
import stats.mixed
import stats.ratings.model
from stats.agreement import item_correlation
from stats.analysis import analyse
from stats.cluster import quick_crossed_mean, two_way_cell_mean
from stats.mixed import crossed_mean, crossed_mean_of_cells
from stats.ratings.cells import Cells
from stats.ratings.large import conjugate_gradients, connected_part, estimates_at
from stats.ratings.model import RatingsModel, fit_ratings_model
from stats.ratings.table import RatingTable
from stats.ratings.tests.designs import NULLS, drawn


def fitted(table: RatingTable) -> RatingsModel:
    model = fit_ratings_model(table)
    assert model is not None
    return model


@pytest.mark.parametrize("name", NULLS)
def test_solving_step_by_step_gives_the_estimates_of_the_dense_likelihood(name: str) -> None:
    model = fitted(NULLS[name](np.random.default_rng(3)))
    found = estimates_at(model.sums, model.at.ratios)
    assert found is not None
    assert found.effects == pytest.approx(model.at.effects, abs=1e-7)
    assert found.phi == pytest.approx(model.at.phi, abs=1e-7)
    assert found.slopes == pytest.approx(model.at.slopes, abs=1e-6)
    assert found.residual == pytest.approx(model.at.residual, rel=1e-8)


def test_a_large_design_has_the_components_of_a_part_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    table = drawn(np.random.default_rng(1).random((24, 200, 4)) < 0.5, np.random.default_rng(2))
    whole = fitted(table)
    monkeypatch.setattr(stats.ratings.model, "MOST_WORK", 700_000)
    large = fitted(table)
    assert whole.part is None
    assert large.part is not None and 0 < large.part < len(table)
    for b in (1, 2, 3):
        difference, se, df = large.difference(0, b)
        expected, error, _ = whole.difference(0, b)
        assert difference == pytest.approx(expected, abs=0.1 * error)
        assert se == pytest.approx(error, rel=0.25)
        assert df is not None and df > 4


def test_part_of_a_design_in_blocks_is_connected() -> None:
    # Four blocks of five rows and five lines: a part of five rows is a whole block.
    row = np.repeat(np.arange(20), 5)
    line = (row // 5) * 5 + np.tile(np.arange(5), 20)
    chosen = connected_part(row, line, 5)
    assert int(chosen.sum()) == 5
    assert len(np.unique(np.flatnonzero(chosen) // 5)) == 1
    assert connected_part(row, line, 12).sum() == 12


def test_system_without_solution_is_left() -> None:
    assert conjugate_gradients(lambda v: 0 * v, np.ones((3, 1)), np.ones(3)) is None


def with_holes(seed: int = 4) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(12, 40)) + rng.normal(size=(12, 1)) + rng.normal(size=40)
    values[rng.random(values.shape) < 0.6] = np.nan
    return values


def test_table_with_holes_is_fitted_alike_from_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    values = with_holes()
    laid_out = crossed_mean(values)
    monkeypatch.setattr(stats.mixed, "MOST_LAID_OUT", 10)
    found = crossed_mean_of_cells(Cells.of_table(values))
    assert found.estimate == pytest.approx(laid_out.estimate, abs=1e-5)
    assert found.se == pytest.approx(laid_out.se, rel=1e-5)
    assert found.df == pytest.approx(laid_out.df, rel=1e-4)
    monkeypatch.setattr(stats.cluster, "QUICKLY_FITTED", 10)
    robust, expected = quick_crossed_mean(Cells.of_table(values)), two_way_cell_mean(Cells.of_table(values))
    assert expected is not None
    assert (robust.method, robust.se, robust.variance) == ("cluster-robust", expected.se, None)


def test_correlation_within_items_is_fitted_alike_from_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = Cells.of_table(with_holes())
    laid_out = item_correlation(cells)
    monkeypatch.setattr(stats.mixed, "MOST_LAID_OUT", 10)
    found = item_correlation(cells)
    assert found is not None and laid_out is not None and laid_out.icc_2_1_ci is not None
    assert found.icc_2_1 == pytest.approx(laid_out.icc_2_1, rel=1e-4)
    assert found.icc_2_1_ci == pytest.approx(laid_out.icc_2_1_ci, rel=1e-3)
    assert found.raters == laid_out.raters


def test_memory_grows_with_the_ratings_and_not_with_evaluators_times_prompts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """20,000 ratings of 2,000 evaluators and 4,000 prompts: 8 million pages, of which 1 in 1,000 is there."""
    # The matrix that is left has a bound of its own, here a small one.
    monkeypatch.setattr(stats.ratings.model, "LARGEST", 400)
    rng = np.random.default_rng(6)
    rows = 20_000
    evaluator = np.arange(rows) // 10
    table = RatingTable(
        evaluator=evaluator,
        prompt=(evaluator // 10) * 20 + rng.integers(20, size=rows),
        method=rng.integers(3, size=rows),
        criterion=np.zeros(rows, dtype=np.int64),
        score=rng.integers(1, 6, size=rows).astype(np.float64),
        evaluators=tuple(f"e{e}" for e in range(2_000)),
        prompts=tuple(f"p{p}" for p in range(4_000)),
        methods=("a", "b", "c"),
        criteria=(drawn(np.ones((1, 1, 1), dtype=np.bool_), rng).criteria[0],),
    )
    tracemalloc.start()
    analysis = analyse(table, primary="overall", rng=rng)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # One table of evaluators x prompts x methods alone would be 192 MB.
    assert peak < 100_000_000
    (choice,) = analysis.as_dict()["analyses"]
    assert (choice["kind"], choice["refusal"]) == ("ratings model", None)
    assert 0 < choice["components_from"] < rows
    json.dumps(analysis.as_dict(), allow_nan=False)
