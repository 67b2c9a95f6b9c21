"""Signs of care of single evaluators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stats.quality import evaluator_quality, leave_one_out_correlations
from stats.ratings.cells import Cells
from stats.scores import Criterion, ScoreTable


@pytest.fixture
def table() -> ScoreTable:
    """Return alice, who is careful, bob, who gives one rating to all, and carol, who is at odds with both."""
    alice = np.array([[1, 5], [2, 4], [5, 2], [4, 1]], dtype=float)
    bob = np.full((4, 2), 3.0)
    carol = 6 - alice
    overall = np.stack([alice, bob, carol])
    return ScoreTable(
        scores=np.stack([overall, overall], axis=3),
        evaluators=("alice", "bob", "carol"),
        prompts=("月", "花", "雪", "风"),
        methods=("human", "cpm"),
        criteria=(Criterion("style", 1, 5), Criterion("overall", 1, 5, is_overall=True)),
        best=np.array([[1, 1, 0, 0], [0, 1, 0, 1], [1, 1, 1, -1]]),
    )


def test_straight_lining_is_the_share_of_pages_with_one_rating(table: ScoreTable) -> None:
    alice, bob, _ = evaluator_quality(table, "overall")
    assert (alice.straight_lined, bob.straight_lined) == (0.0, 1.0)
    on_one_criterion = table.scores.copy()
    on_one_criterion[1, 0, 0, 0] = 4
    assert evaluator_quality(replace(table, scores=on_one_criterion), "overall")[1].straight_lined == 0.75


def test_evaluator_at_odds_with_the_others_is_flagged(table: ScoreTable) -> None:
    alice, bob, carol = evaluator_quality(table, "overall")
    assert carol.leave_one_out_r == pytest.approx(-1)
    assert carol.disagrees_with_others
    assert bob.leave_one_out_r is None
    assert not bob.disagrees_with_others
    assert alice.ratings == 16


def test_pick_below_the_highest_is_inconsistent_and_a_tie_is_not(table: ScoreTable) -> None:
    alice, bob, carol = evaluator_quality(table, "overall")
    assert (alice.pages_inconsistent, alice.consistent) == (0, 1.0)
    assert (bob.pages_inconsistent, bob.consistent) == (0, 1.0)
    assert (carol.pages_picked, carol.pages_inconsistent) == (3, 2)
    assert carol.consistent == pytest.approx(1 / 3)


def test_pick_without_its_rating_is_not_judged(table: ScoreTable) -> None:
    scores = table.scores.copy()
    scores[2, 0, 1, 1] = np.nan  # carol's pick, inconsistent before
    scores[2, 1, 0, 1] = np.nan  # the other text of a page on which the pick is rated
    carol = evaluator_quality(replace(table, scores=scores), "overall")[2]
    assert (carol.pages_picked, carol.pages_inconsistent) == (2, 0)


def test_off_scale_ratings_are_counted(table: ScoreTable) -> None:
    scores = table.scores.copy()
    scores[0, 0, 0] = [0, 6]
    assert [quality.off_scale for quality in evaluator_quality(replace(table, scores=scores), "overall")] == [
        2,
        0,
        0,
    ]


def test_time_on_page_is_a_median_of_what_is_known(table: ScoreTable) -> None:
    seconds = np.array([[10.0, 30.0, 20.0, np.nan], [np.nan] * 4, [1.0, 1.0, 1.0, 9.0]])
    found = evaluator_quality(table, "overall", page_seconds=Cells.of_table(seconds))
    assert [quality.median_seconds for quality in found] == [20.0, None, 1.0]


def test_correlation_is_over_the_texts_that_others_rated() -> None:
    ratings = np.array([[1.0, 2, 3, 9], [1, 2, 4, np.nan], [2, 2, 5, np.nan], [np.nan] * 4])
    cells = Cells.of_table(ratings)
    first, second, _, absent = leave_one_out_correlations(cells.evaluator, cells.prompt, cells.value, 4)
    assert first == pytest.approx(np.corrcoef([1, 2, 3], [1.5, 2, 4.5])[0, 1])
    assert second == pytest.approx(np.corrcoef([1, 2, 4], [1.5, 2, 4])[0, 1])
    assert absent is None
