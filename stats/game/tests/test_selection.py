"""The game's statistics: the published totals, what is left out, and how often the intervals hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stats.cluster import two_way_mean
from stats.game.selection import (
    SelectionRecords,
    d_prime,
    exact_binomial_p,
    first_game_shares,
    learning,
    selection_rate,
    sensitivity,
    side_bias,
    verdict,
    wilson_interval,
)
from stats.mixed import Interval
from stats.sequences import (
    asymptotic_radius,
    asymptotic_sequence,
    beta_mixture_log_e,
    beta_mixture_sequence,
    share_sequence,
)
from stats.tests.golden.study import simulated_game

# The published game: 755 players, 4,592 records, the machine's poem taken for the human one 2,132 times.
SELECTED, TOTAL = 2132, 4592


def records(rows: list[tuple[int, int, int, int, bool, bool]], **columns: Any) -> SelectionRecords:
    """Build records from rows of player, pair, game, round, selected, chose_left."""
    player, pair, game, number, selected, left = (np.array(column) for column in zip(*rows, strict=True))
    return SelectionRecords(player, pair, game, number, selected, left, **columns)


def test_published_totals_give_the_golden_numbers() -> None:
    # The figures of the specification, to the digits it prints.
    assert wilson_interval(SELECTED, TOTAL) == pytest.approx((0.449897, 0.478734), abs=5e-7)
    assert exact_binomial_p(SELECTED, TOTAL) == pytest.approx(1.382541e-6, rel=5e-7)
    assert np.exp(beta_mixture_log_e(SELECTED, TOTAL, 0.5)) == pytest.approx(2278.57, abs=5e-3)
    assert beta_mixture_sequence(SELECTED, TOTAL).ci == pytest.approx((0.43686, 0.49185), abs=5e-6)
    assert d_prime(SELECTED, TOTAL) == pytest.approx(0.1268, abs=5e-5)


def test_published_totals_give_every_golden_number_of_the_file(golden: Any) -> None:
    expected = golden["turing"]
    assert wilson_interval(SELECTED, TOTAL) == pytest.approx(expected["wilson95"], rel=1e-9)
    assert exact_binomial_p(SELECTED, TOTAL) == pytest.approx(
        expected["exact_binomial_two_sided_p"], rel=1e-9
    )
    assert d_prime(SELECTED, TOTAL) == pytest.approx(expected["dprime_2afc"], rel=1e-9)
    for a, b in (("1", "1"), ("0.5", "0.5"), ("50", "50"), ("250", "250")):
        numbers = expected[f"betabinomial_e_process_Beta({a},{b})"]
        shape = float(a), float(b)
        assert beta_mixture_log_e(SELECTED, TOTAL, 0.5, *shape) == pytest.approx(
            numbers["log_e_value_vs_half"], rel=1e-9
        )
        sequence = beta_mixture_sequence(SELECTED, TOTAL, a=shape[0], b=shape[1])
        assert sequence.ci == pytest.approx(numbers["cs95"], rel=1e-9)
    for tightest_at in (1000, 4592):
        # The golden radius takes .5, the largest deviation of a choice, in place of the records' own.
        assert asymptotic_radius(0.5, TOTAL, 0.95, tightest_at) == pytest.approx(
            expected[f"normal_mixture_cs95_tuned_n{tightest_at}"]["radius"], rel=1e-9
        )
    alone = two_way_mean(
        (np.arange(TOTAL) < SELECTED).astype(float), np.arange(TOTAL), np.arange(TOTAL), floor_at_iid=True
    )
    assert alone is not None
    # Each record its own player and pair: the error of independent records, with n - 1 for n.
    assert alone.se * np.sqrt((TOTAL - 1) / TOTAL) == pytest.approx(expected["se_iid"], rel=1e-9)


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ((0.43, 0.49), "distinguishable"),
        ((0.51, 0.60), "distinguishable"),
        ((0.46, 0.54), "equivalent"),
        ((0.44, 0.54), "undecided"),
        ((0.46, 0.56), "undecided"),
        ((0.45, 0.55), "undecided"),
        ((0.0, 1.0), "undecided"),
    ],
)
def test_verdict_is_one_of_three(interval: Interval, expected: str) -> None:
    assert verdict(interval) == expected


def test_margin_of_the_verdict_can_be_set() -> None:
    assert verdict((0.44, 0.56), margin=0.1) == "equivalent"


def test_player_counts_once_with_the_first_completed_game() -> None:
    broken_off = [(7, i, 0, i, True, True) for i in range(1, 4)]
    other = [(5, i, 1, i, i <= 2, True) for i in range(1, 6)]
    completed = [(7, i, 2, i, i == 1, True) for i in range(1, 6)]
    later = [(7, i, 3, i, True, True) for i in range(1, 6)]
    found = first_game_shares(records(broken_off + completed + other + later))
    assert found.tolist() == [0.2, 0.4]  # in order of completion: player 7, then player 5
    assert first_game_shares(records(broken_off)).tolist() == []
    sequence = share_sequence(found)
    assert (sequence.units, sequence.method) == (2, "beta mixture")


def test_interleaved_games_are_ordered_by_their_last_round() -> None:
    rows = [
        (1, 0, 10, 1, True, True),
        (2, 0, 11, 1, False, True),
        (2, 1, 11, 2, False, True),
        (1, 1, 10, 2, True, True),
    ]
    assert first_game_shares(records(rows), rounds_in_game=2).tolist() == [0.0, 1.0]


def test_sequence_is_asymptotic_from_fifty_players() -> None:
    values = np.random.default_rng(1).integers(0, 6, size=60) / 5
    assert share_sequence(values[:49]).method == "beta mixture"
    assert share_sequence(values[:50]).method == "asymptotic"
    assert share_sequence(np.full(60, 0.4)).method == "beta mixture"
    assert share_sequence(np.zeros(0)).ci == (0.0, 1.0)
    with pytest.raises(ValueError, match="values must lie between 0 and 1"):
        share_sequence(np.array([2.0]))
    with pytest.raises(ValueError, match="values must be at least two"):
        asymptotic_sequence(np.array([0.4]))


def test_sequence_ends_at_zero_and_one() -> None:
    assert beta_mixture_sequence(0, 10).ci[0] == 0
    assert beta_mixture_sequence(10, 10).ci[1] == 1
    # The e-value of none out of ten is 1 / (11 (1 - p)^10); it reaches 20 at the upper end.
    assert beta_mixture_sequence(0, 10).ci[1] == pytest.approx(1 - 220**-0.1)
    with pytest.raises(ValueError, match="share must lie between 0 and 1"):
        beta_mixture_log_e(1, 2, 1.0)
    with pytest.raises(ValueError, match="selected must lie between 0 and total"):
        beta_mixture_log_e(3, 2, 0.5)


def test_sequence_holds_however_often_one_looks() -> None:
    rng = np.random.default_rng(5)
    left = 0
    for _ in range(200):
        shares = rng.binomial(5, 0.5, size=400) / 5
        looks = (share_sequence(shares[:t]).ci for t in range(10, 401, 15))
        left += any(not low <= 0.5 <= high for low, high in looks)
    assert left / 200 <= 0.05


def test_clustered_interval_is_wider_than_that_of_independent_records() -> None:
    rng = np.random.default_rng(6)
    players, pairs = np.repeat(np.arange(80), 10), rng.integers(0, 30, size=800)
    chance = np.clip(0.46 + rng.normal(0, 0.25, size=80)[players] + rng.normal(0, 0.2, size=30)[pairs], 0, 1)
    rate = selection_rate(rng.random(800) < chance, players, pairs)
    assert rate.clustered is not None and rate.wilson is not None and rate.clustered.ci is not None
    assert rate.clustered.df == 29
    assert rate.clustered.se > 1.5 * rate.clustered.se_iid
    assert rate.clustered.ci[1] - rate.clustered.ci[0] > rate.wilson[1] - rate.wilson[0]


def test_error_is_floored_at_that_of_independent_records() -> None:
    # Every player selects exactly once in two: the players' sums do not vary at all.
    players, pairs = np.repeat(np.arange(50), 2), np.arange(100)
    rate = selection_rate(np.tile([True, False], 50), players, pairs)
    assert rate.clustered is not None
    assert rate.clustered.se == rate.clustered.se_iid > 0


def test_floor_holds_above_zero_too() -> None:
    # Balanced players and loosely balanced pairs: V is above zero and below that of independent records.
    rng = np.random.default_rng(12)
    players, pairs = np.repeat(np.arange(40), 10), np.tile(np.arange(100), 4)
    selected = np.concatenate([rng.permutation([True, False] * 5) for _ in range(40)])
    free = two_way_mean(selected.astype(float), players, pairs)
    rate = selection_rate(selected, players, pairs)
    assert free is not None and rate.clustered is not None
    assert 0 < free.se < free.se_iid
    assert rate.clustered.se == free.se_iid


def test_games_without_records_have_no_rate() -> None:
    none = np.zeros(0, dtype=int)
    empty = SelectionRecords(none, none, none, none, none.astype(bool), none.astype(bool))
    rate = selection_rate(empty.selected, empty.players, empty.pairs)
    assert (rate.total, rate.rate, rate.clustered, rate.wilson, rate.exact_p) == (0, None, None, None, None)
    assert share_sequence(first_game_shares(empty)).estimate is None
    assert side_bias(empty).estimate is None
    assert learning(empty).estimate is None
    assert sensitivity(empty)["without_repeats"].rate is None


def test_one_player_has_a_rate_and_no_error() -> None:
    rate = selection_rate(np.array([True, True]), np.array([1, 1]), np.array([1, 2]))
    assert (rate.rate, rate.clustered, rate.d_prime) == (1.0, None, None)


def test_what_may_distort_is_left_out() -> None:
    rows = [
        (1, 10, 0, 1, True, True),
        (1, 11, 0, 2, False, True),
        (1, 10, 0, 3, False, True),
        (2, 10, 1, 1, True, True),
    ]
    game = records(
        rows, seconds=np.array([1.0, 5.0, np.nan, 2.0]), known=np.array([False, True, False, False])
    )
    found = {name: (rate.selected, rate.total) for name, rate in sensitivity(game).items()}
    assert found == {"without_repeats": (2, 3), "without_hasty": (1, 3), "without_known": (2, 3)}
    assert sensitivity(records(rows)).keys() == {"without_repeats"}


def test_side_bias_is_against_one_half() -> None:
    game = simulated_game()
    biased = side_bias(replace(game, chose_left=np.random.default_rng(1).random(645) < 0.7))
    fair = side_bias(replace(game, chose_left=np.random.default_rng(1).random(645) < 0.5))
    assert biased.p is not None and biased.p < 0.001
    assert biased.estimate == pytest.approx(0.7, abs=0.05)
    assert fair.p is not None and fair.p > 0.05


def test_learning_is_the_slope_within_players() -> None:
    rng = np.random.default_rng(2)
    players = np.repeat(np.arange(300), 20)
    earlier = np.tile(np.arange(20), 300)
    # Better players (not players who learn) must not show as learning: their slope is within themselves.
    right = rng.random(6000) < 0.3 + 0.02 * earlier + rng.uniform(-0.1, 0.1, size=300)[players]
    order = np.argsort(rng.random(6000) + earlier, kind="stable")
    game = SelectionRecords(players, players * 20 + earlier, players, earlier + 1, ~right, right)
    shuffled = SelectionRecords(*(getattr(game, name)[order] for name in
        ("players", "pairs", "games", "rounds", "selected", "chose_left")))  # fmt: skip
    for found in (learning(game), learning(shuffled)):
        assert found.estimate == pytest.approx(0.02, abs=0.003)
        assert found.ci is not None and found.ci[0] < 0.02 < found.ci[1]
        assert found.p is not None and found.p < 1e-6


def test_columns_of_another_length_are_refused() -> None:
    game = simulated_game()
    with pytest.raises(ValueError, match=r"seconds must have the shape \(645,\), got \(3,\)"):
        replace(game, seconds=np.zeros(3))
