"""What a score table refuses, and what it hands out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stats.scores import Criterion, ScoreTable


@pytest.fixture
def table() -> ScoreTable:
    scores = np.array([[[[3, 7]], [[0, 11]]], [[[1, np.nan]], [[5, 10]]]], dtype=float)
    return ScoreTable(
        scores=scores,
        evaluators=("alice", "bob"),
        prompts=("月", "花"),
        methods=("human",),
        criteria=(Criterion("fluency", 1, 5), Criterion("overall", 1, 10, is_overall=True)),
        best=np.array([[0, -1], [0, 0]]),
        positions=np.zeros((2, 2, 1), dtype=int),
    )


def test_ratings_of_one_criterion_have_the_shape_of_evaluators_prompts_methods(table: ScoreTable) -> None:
    assert table.for_criterion("fluency").tolist() == [[[3], [0]], [[1], [5]]]
    assert table.overall == Criterion("overall", 1, 10, is_overall=True)


def test_off_scale_ratings_are_found_and_can_be_taken_as_missing(table: ScoreTable) -> None:
    assert np.argwhere(table.off_scale()).tolist() == [[0, 1, 0, 0], [0, 1, 0, 1]]
    assert np.isnan(table.with_off_scale_missing().scores).sum() == np.isnan(table.scores).sum() + 2


def test_evaluators_keep_the_order_of_the_table(table: ScoreTable) -> None:
    assert table.only_evaluators(["bob", "alice"]).evaluators == ("alice", "bob")
    bob = table.only_evaluators(["bob"])
    assert bob.evaluators == ("bob",)
    assert bob.best.tolist() == [[0, 0]]
    assert bob.positions is not None
    assert bob.positions.shape == (1, 2, 1)


def test_no_evaluators_is_a_table(table: ScoreTable) -> None:
    assert table.only_evaluators([]).scores.shape == (0, 2, 1, 2)


def test_arrays_are_copies_and_read_only(table: ScoreTable) -> None:
    with pytest.raises(ValueError, match="read-only"):
        table.scores[0, 0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        table.best[0, 0] = 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": np.ones((2, 2, 1))}, r"scores must have the shape \(2, 2, 1, 2\)"),
        ({"scores": np.full((2, 2, 1, 2), np.inf)}, "scores must be finite"),
        ({"best": np.ones((2, 2), dtype=int)}, "best must be -1 or 0 to 0"),
        ({"best": np.zeros((2, 1), dtype=int)}, "best must have the shape"),
        ({"positions": np.full((2, 2, 1), -2)}, "positions must be -1 or 0 to 0"),
        ({"evaluators": ("alice", "alice")}, "evaluators must have no key twice"),
        ({"prompts": ("月", "月")}, "prompts must have no key twice"),
        ({"criteria": (Criterion("overall", 1, 5),) * 2}, "criteria must have no key twice"),
        ({"criteria": (Criterion("a", 1, 5, True), Criterion("b", 1, 5, True))}, "at most one overall"),
    ],
)
def test_error_names_the_argument(table: ScoreTable, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(table, **changes)


def test_unknown_keys_are_refused(table: ScoreTable) -> None:
    with pytest.raises(ValueError, match="criterion must be one of fluency, overall"):
        table.for_criterion("format")
    with pytest.raises(ValueError, match="not in the table: carol"):
        table.only_evaluators(["carol"])
    with pytest.raises(ValueError, match="minimum must be below maximum"):
        Criterion("fluency", 5, 5)
