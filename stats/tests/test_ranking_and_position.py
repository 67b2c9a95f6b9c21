"""Ranks that the picks leave open or close, and the effect of the displayed position."""

from __future__ import annotations

from dataclasses import replace

import choix
import numpy as np
import pytest

from stats.cluster import two_way_meat, two_way_table_mean
from stats.position import position_bias
from stats.ranking import bradley_terry, page_wins, rank_sets, ranking_from_picks, ranking_from_ratings
from stats.scores import Criterion, Ints, ScoreTable
from stats.tests.golden.study import simulated_study


def picked(best: Ints, methods: int = 3) -> ScoreTable:
    evaluators, prompts = best.shape
    return ScoreTable(
        scores=np.full((evaluators, prompts, methods, 1), np.nan),
        evaluators=tuple(f"e{i}" for i in range(evaluators)),
        prompts=tuple(f"p{i}" for i in range(prompts)),
        methods=tuple("abcd"[:methods]),
        criteria=(Criterion("overall", 1, 10, is_overall=True),),
        best=best,
    )


def test_clear_winner_has_the_first_rank_alone() -> None:
    best = np.random.default_rng(1).choice(3, p=[0.1, 0.8, 0.1], size=(20, 50))
    ranking = ranking_from_picks(picked(best))
    assert ranking is not None
    assert next((m.method, m.rank_low, m.rank_high) for m in ranking.methods) == ("b", 1, 1)
    assert {(m.rank_low, m.rank_high) for m in ranking.methods[1:]} == {(2, 3)}
    assert not ranking.is_regularised
    assert ranking.pages == 1000


def test_strengths_from_picks_are_centred_log_shares() -> None:
    ranking = ranking_from_picks(picked(np.array([[0, 1, 1, 2], [1, 1, 2, 0], [1, 0, 1, -1]])))
    assert ranking is not None
    logs = np.log([3, 6, 2])
    strengths = {method.method: method.strength for method in ranking.methods}
    assert [strengths[key] for key in "abc"] == pytest.approx(logs - logs.mean())


def test_strengths_are_those_of_another_implementation() -> None:
    rng = np.random.default_rng(5)
    for methods in (2, 4, 7):
        wins = rng.integers(1, 40, size=(methods, methods)).astype(float)
        np.fill_diagonal(wins, 0)
        pairs = [(i, j) for i, j in np.ndindex(wins.shape) for _ in range(int(wins[i, j]))]
        theirs = choix.opt_pairwise(methods, pairs, alpha=0.0, tol=1e-12)
        assert bradley_terry(wins).strengths == pytest.approx(theirs - theirs.mean(), abs=1e-5)


def test_method_that_was_never_picked_has_a_finite_strength() -> None:
    ranking = ranking_from_picks(picked(np.random.default_rng(1).choice(2, size=(8, 12))))
    assert ranking is not None
    assert ranking.is_regularised
    assert ranking.methods[-1].method == "c"
    assert np.isfinite([method.strength for method in ranking.methods]).all()


def test_small_study_leaves_every_rank_open() -> None:
    ranking = ranking_from_picks(picked(np.zeros((5, 40), dtype=int)))
    assert ranking is not None
    assert {(method.rank_low, method.rank_high) for method in ranking.methods} == {(1, 3)}


def test_no_picks_give_no_ranking() -> None:
    assert ranking_from_picks(picked(np.full((8, 12), -1))) is None
    assert ranking_from_picks(picked(np.zeros((8, 12), dtype=int), methods=1)) is None
    assert ranking_from_ratings(picked(np.full((8, 12), -1)), "overall") is None


def test_one_evaluator_gives_strengths_without_errors() -> None:
    ranking = ranking_from_picks(picked(np.array([[0, 1, 2, 1]])))
    assert ranking is not None
    assert {method.se for method in ranking.methods} == {None}


def test_ties_are_half_wins_or_dropped() -> None:
    ratings = np.array([[[5.0, 5.0, 3.0]]])
    assert page_wins(ratings, "half")[0, 0].tolist() == [[0, 0.5, 1], [0.5, 0, 1], [0, 0, 0]]
    assert page_wins(ratings, "drop")[0, 0].tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert page_wins(np.array([[[5.0, np.nan]]])).sum() == 0
    with pytest.raises(ValueError, match="ties must be 'half' or 'drop'"):
        page_wins(ratings, "split")  # type: ignore[arg-type]


def test_two_methods_have_the_log_odds() -> None:
    fit = bradley_terry(np.array([[0.0, 30.0], [10.0, 0.0]]))
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log(3))


def test_rank_sets_follow_significant_differences() -> None:
    low, high = rank_sets(np.array([2.0, 0.0, -0.1]), np.eye(3) * 0.05, 30)
    assert low.tolist() == [1, 2, 2]
    assert high.tolist() == [1, 3, 3]


def test_rank_sets_are_those_of_all_pairs_at_once() -> None:
    # A difference of 2.2 standard errors is significant alone and not among three pairs.
    covariance = np.eye(3) * 0.5
    low, high = rank_sets(np.array([2.2, 0.0, 0.0]), covariance, 10_000)
    assert (low.tolist(), high.tolist()) == ([1, 1, 1], [3, 3, 3])
    low, high = rank_sets(np.array([2.5, 0.0, 0.0]), covariance, 10_000)
    assert (low.tolist(), high.tolist()) == ([1, 2, 2], [1, 3, 3])


def test_error_is_never_below_that_of_independent_pages() -> None:
    # Every evaluator and prompt has the same sum: both clusterings alone would say no error at all.
    e, p = (axis.ravel() for axis in np.indices((4, 4)))
    scores = np.where((e + p) % 2 == 0, 1.0, -1.0)[:, np.newaxis]
    assert two_way_meat(scores, e, p) == pytest.approx(16 * 16 / 15)


def test_order_without_effect_is_not_significant_and_a_strong_one_is() -> None:
    rng = np.random.default_rng(2)
    table = simulated_study()
    positions = np.argsort(rng.random((9, 12, 3)), axis=2)
    noise = np.clip(np.rint(rng.normal(5, 1, size=table.scores.shape)), 1, 10)
    fair = replace(table, scores=noise, positions=positions, best=rng.integers(0, 3, size=(9, 12)))
    first = np.argmax(positions == 0, axis=2)
    unfair = replace(fair, scores=noise - positions[..., np.newaxis], best=first)
    for studied, is_biased in ((fair, False), (unfair, True)):
        bias = position_bias(studied, "overall")
        assert bias is not None and bias.ratings_test is not None and bias.effects is not None
        assert (bias.ratings_test.p < 0.05) == is_biased
        assert bias.ratings_test.df == (2, 8)
        if not is_biased:
            assert bias.picks_test is not None
            assert bias.picks_test.p > 0.05
    assert bias is not None
    assert bias.effects == pytest.approx((1, 0, -1), abs=0.3)
    assert bias.picks == (108, 0, 0)


def test_test_of_two_positions_is_that_of_one_share_against_one_half() -> None:
    rng = np.random.default_rng(4)
    chance = np.clip(0.6 + rng.normal(0, 0.2, size=(10, 1)) + rng.normal(0, 0.2, size=20), 0, 1)
    best = (rng.random((10, 20)) < chance).astype(int)
    table = picked(best, methods=2)
    bias = position_bias(replace(table, positions=np.broadcast_to([0, 1], (10, 20, 2))), "overall")
    share = two_way_table_mean(best.astype(float))
    assert bias is not None and bias.picks_test is not None and share is not None
    assert bias.picks == (200 - best.sum(), best.sum())
    assert bias.picks_test.f == pytest.approx(((share.estimate - 0.5) / share.se) ** 2)
    assert bias.picks_test.p == pytest.approx(share.p_value(0.5))


def test_adjusted_difference_takes_the_position_out() -> None:
    rng = np.random.default_rng(3)
    # The second method is shown first on three pages of four, and the first place is worth 4 points.
    b_first = rng.random((10, 30)) < 0.75
    positions = np.stack([b_first, ~b_first], axis=2).astype(int)
    scores = 5 + rng.normal(0, 0.1, size=(10, 30, 2)) + [0.0, 1.0] + 4 * (positions == 0)
    table = replace(
        picked(np.full((10, 30), -1), methods=2), scores=scores[..., np.newaxis], positions=positions
    )
    bias = position_bias(table, "overall")
    assert bias is not None
    assert scores[..., 1].mean() - scores[..., 0].mean() > 2
    (adjusted,) = bias.adjusted_differences
    assert adjusted.estimate == pytest.approx(1, abs=0.05)
    assert adjusted.ci is not None and adjusted.ci[0] < 1 < adjusted.ci[1]
    assert bias.picks_test is None


def test_one_order_on_every_page_cannot_tell_methods_from_positions() -> None:
    table = simulated_study()
    fixed = replace(table, positions=np.broadcast_to(np.arange(3), (9, 12, 3)))
    bias = position_bias(fixed, "overall")
    assert bias is not None
    assert (bias.effects, bias.ratings_test, bias.adjusted_differences) == (None, None, ())
    assert bias.means == pytest.approx(table.for_criterion("overall").mean(axis=(0, 1)))


def test_unknown_positions_have_no_bias() -> None:
    assert position_bias(replace(simulated_study(), positions=None), "overall") is None
    unknown = np.full((9, 12, 3), -1)
    assert position_bias(replace(simulated_study(), positions=unknown), "overall") is None
