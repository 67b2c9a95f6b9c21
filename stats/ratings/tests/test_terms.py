"""Which terms a design cannot tell apart, and why they are left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stats.ratings.table import RatingTable
from stats.ratings.terms import dropped_terms
from stats.ratings.tests.designs import drawn
from stats.scores import Bools, Criterion, Ints, ScoreTable


def dropped(rated: Bools) -> list[tuple[str, str]]:
    evaluator, prompt, method = np.nonzero(rated)
    return [(one.term, one.reason) for one in dropped_terms(evaluator, prompt, method)]


def shared_out(owner: Ints, evaluators: int) -> Bools:
    """Return who rated what (E, P, M) where every text (P, M) has the one evaluator `owner`."""
    rated = np.zeros((evaluators, *owner.shape), dtype=np.bool_)
    p, m = np.indices(owner.shape)
    rated[owner, p, m] = True
    return rated


RNG = np.random.default_rng(4)


@pytest.mark.parametrize(
    ("rated", "expected"),
    [
        (np.ones((5, 8, 3), dtype=bool), []),
        (RNG.random((8, 20, 3)) < 0.5, []),
        # One rating a text: its luck is the residual.
        (shared_out(RNG.permutation(np.arange(60) % 6).reshape(20, 3), 6), [("prompt:method", "aliased")]),
        # Evaluators who rate one method each: their taste for it is their leniency.
        (
            np.tile((np.arange(9) % 3)[:, None, None] == np.arange(3), (1, 20, 1)),
            [("evaluator:method", "aliased")],
        ),
        # One evaluator: nothing can be said about others.
        (
            np.ones((1, 8, 3), dtype=bool),
            [("evaluator", "fixed"), ("evaluator:method", "fixed"), ("prompt:method", "aliased")],
        ),
        # Each prompt by one evaluator: as one rating a text.
        (shared_out(np.repeat(np.arange(20) // 4, 3).reshape(20, 3), 5), [("prompt:method", "aliased")]),
    ],
)  # fmt: skip
def test_term_is_left_out_where_the_counts_cannot_tell_it_apart(
    rated: Bools, expected: list[tuple[str, str]]
) -> None:
    assert dropped(rated) == expected


def test_repeats_tell_the_luck_of_a_text_from_the_residual() -> None:
    rated = shared_out(RNG.permutation(np.arange(60) % 6).reshape(20, 3), 6)
    evaluator, prompt, method = (np.tile(place, 2) for place in np.nonzero(rated))
    assert dropped_terms(evaluator, prompt, method) == ()


def test_long_table_is_the_pages_and_back() -> None:
    scores = np.where(RNG.random((3, 4, 2, 1)) < 0.7, RNG.integers(1, 6, size=(3, 4, 2, 1)), np.nan)
    pages = ScoreTable(
        scores=scores,
        evaluators=("a", "b", "c"),
        prompts=tuple("1234"),
        methods=("x", "y"),
        criteria=(Criterion("overall", 1, 5),),
        best=np.full((3, 4), -1),
    )
    table = RatingTable.of_scores(pages)
    assert len(table) == np.count_nonzero(~np.isnan(scores))
    assert (scores[table.evaluator, table.prompt, table.method, table.criterion] == table.score).all()


def test_first_of_repeated_ratings_counts() -> None:
    table = drawn(np.ones((2, 3, 2), dtype=bool), RNG)
    again = replace(
        table,
        evaluator=np.tile(table.evaluator, 2),
        prompt=np.tile(table.prompt, 2),
        method=np.tile(table.method, 2),
        criterion=np.tile(table.criterion, 2),
        score=np.concatenate([table.score, table.score + 1]),
    )
    assert again.first_ratings().score.tolist() == table.score.tolist()


def test_ratings_are_on_whole_pages_where_all_methods_of_the_prompt_are() -> None:
    rated = np.ones((3, 4, 2), dtype=bool)
    rated[:, 0, 1] = False  # the second method has no text for the first prompt
    assert drawn(rated, RNG).share_on_whole_pages() == 1
    rated[0, 1, 0] = False
    assert drawn(rated, RNG).share_on_whole_pages() == pytest.approx(1 - 1 / 20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": np.array([1.0, np.nan])}, "score must be one row of finite numbers"),
        ({"method": np.array([0, 2])}, "method must be 0 to 1"),
        ({"prompt": np.array([0])}, r"prompt must have the shape \(2,\)"),
        ({"evaluators": ("a", "a")}, "every evaluator must be named once"),
    ],
)
def test_table_that_cannot_be_is_refused(change: dict[str, object], message: str) -> None:
    fields: dict[str, object] = {
        **dict.fromkeys(("evaluator", "prompt", "method"), np.array([0, 1])),
        "criterion": np.array([0, 0]),
        "score": np.array([1.0, 2.0]),
        "evaluators": ("a", "b"),
        "prompts": ("1", "2"),
        "methods": ("x", "y"),
        "criteria": (Criterion("overall", 1, 5),),
    }
    with pytest.raises(ValueError, match=message):
        RatingTable(**{**fields, **change})  # type: ignore[arg-type]
