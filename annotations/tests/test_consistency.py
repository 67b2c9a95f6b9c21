"""The rule of Zou et al. (KDD 2021), section 5.1, worked out by hand on small tables."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.results.consistency import inconsistent_picks, judge
from stats.ratings.table import RatingTable
from stats.scores import Criterion, Floats, ScoreTable

FIFTH = Decimal("0.2")


def table_of(overall: Floats, best: list[list[int]], *, with_overall: bool = True) -> RatingTable:
    """A table with one criterion; `overall` has the shape (evaluators, pages, methods)."""
    evaluators, pages, methods = overall.shape
    scores = ScoreTable(
        scores=overall[..., None],
        evaluators=tuple(f"E{number}" for number in range(evaluators)),
        prompts=tuple(str(number) for number in range(pages)),
        methods=tuple("abcdef"[:methods]),
        criteria=(Criterion("overall", 1, 10, is_overall=with_overall),),
        best=np.array(best, dtype=np.int64).reshape(evaluators, pages),
    )
    return RatingTable.of_scores(scores)


def one_page(scores: list[float], best: int) -> bool:
    return bool(inconsistent_picks(table_of(np.array([[scores]], dtype=float), [[best]])).any())


def test_a_pick_below_the_highest_overall_rating_is_inconsistent() -> None:
    assert one_page([7, 9, 3], best=0)


def test_the_highest_is_consistent_and_so_is_a_tie_for_it() -> None:
    assert not one_page([7, 9, 3], best=1)
    assert not one_page([9, 9, 3], best=0)


def test_a_page_without_pick_or_without_the_picks_rating_is_not_judged() -> None:
    assert not one_page([7, 9, 3], best=-1)
    assert not one_page([np.nan, 9, 3], best=0)


def test_a_missing_rating_of_another_candidate_does_not_hide_a_higher_one() -> None:
    assert one_page([7, np.nan, 8], best=0)


def test_a_study_without_overall_criterion_has_no_inconsistent_page() -> None:
    table = table_of(np.array([[[1.0, 9.0]]]), [[0]], with_overall=False)
    assert not inconsistent_picks(table).any()


@pytest.mark.parametrize(
    ("inconsistent", "exclusion"), [(0, None), (19, None), (20, None), (21, "inconsistent")]
)
def test_more_than_a_fifth_of_a_hundred_pages_excludes(inconsistent: int, exclusion: str | None) -> None:
    overall = np.tile(np.array([9.0, 5.0]), (1, 100, 1))
    best = [[1] * inconsistent + [0] * (100 - inconsistent)]
    (verdict,) = judge(table_of(overall, best), threshold=FIFTH)
    assert verdict.exclusion == exclusion
    assert (verdict.pages_answered, verdict.pages_inconsistent) == (100, inconsistent)
    assert verdict.is_finished


@pytest.mark.parametrize("missing", ["a rating", "a pick"])
def test_one_missing_answer_is_unfinished(missing: str) -> None:
    overall = np.tile(np.array([9.0, 5.0]), (1, 10, 1))
    best = [[0] * 10]
    if missing == "a rating":
        overall[0, 3, 1] = np.nan
    else:
        best[0][3] = -1
    (verdict,) = judge(table_of(overall, best), threshold=FIFTH)
    assert verdict.exclusion == "unfinished"
    assert verdict.pages_answered == 9
    assert not verdict.is_finished
    assert not verdict.is_valid


def test_an_unfinished_evaluator_is_called_unfinished_even_if_inconsistent_too() -> None:
    overall = np.tile(np.array([9.0, 5.0]), (1, 10, 1))
    (verdict,) = judge(table_of(overall, [[1] * 9 + [-1]]), threshold=FIFTH)
    assert verdict.exclusion == "unfinished"
    assert verdict.pages_inconsistent == 9


def test_a_zero_kept_from_a_record_counts_as_an_answer() -> None:
    (verdict,) = judge(table_of(np.array([[[0.0, 5.0]]]), [[1]]), threshold=FIFTH)
    assert verdict.exclusion is None


def test_a_threshold_that_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="threshold must be a share"):
        judge(table_of(np.array([[[1.0, 5.0]]]), [[1]]), threshold=Decimal("20"))


def test_a_study_nobody_rates_has_no_verdicts() -> None:
    assert judge(table_of(np.empty((0, 3, 2)), np.empty((0, 3), dtype=int).tolist()), threshold=FIFTH) == ()


def test_ratings_alone_finish_a_study_without_best_picks() -> None:
    overall = np.tile(np.array([9.0, 5.0]), (2, 10, 1))
    overall[1, 3, 1] = np.nan
    table = table_of(overall, [[-1] * 10] * 2, with_overall=False)
    whole, half = judge(table, threshold=FIFTH, has_best_picks=False)
    assert (whole.exclusion, whole.pages_answered, whole.pages_inconsistent) == (None, 10, 0)
    assert (half.exclusion, half.pages_answered) == ("unfinished", 9)


@settings(deadline=None)
@given(st.data())
def test_the_rule_holds_page_by_page(data: st.DataObject) -> None:
    scores = data.draw(st.lists(st.integers(1, 10), min_size=2, max_size=5))
    best = data.draw(st.integers(0, len(scores) - 1))
    assert one_page([float(score) for score in scores], best) == (scores[best] < max(scores))
