"""Statistics from sums equal those from the records, and the published totals give the golden numbers."""

from __future__ import annotations

import numpy as np
import pytest

from stats.game.selection import first_game_shares, selection_rate, wilson_interval
from stats.game.tallied import ClusterSums, selection_rate_of_sums, share_interval, share_sequence_of_sums
from stats.scores import Ints
from stats.sequences import share_sequence
from stats.tests.golden.study import simulated_game

GAME = simulated_game()


def sums(clusters: Ints) -> ClusterSums:
    """Sum the simulated game up over clusters (N,), numbered in any way."""
    _, number = np.unique(clusters, return_inverse=True)
    n, s = np.bincount(number), np.bincount(number, GAME.selected).astype(int)
    return ClusterSums(len(n), int(n @ n), int(n @ s), int(s @ s))


def test_rate_from_sums_equals_that_of_the_records() -> None:
    found = selection_rate_of_sums(
        int(GAME.selected.sum()),
        len(GAME.selected),
        players=sums(GAME.players),
        pairs=sums(GAME.pairs),
        both=sums(GAME.players * 1000 + GAME.pairs),
    )
    expected = selection_rate(GAME.selected, GAME.players, GAME.pairs)
    assert found.clustered is not None and expected.clustered is not None
    for name in ("estimate", "se", "df", "se_first", "se_second", "se_iid"):
        assert getattr(found.clustered, name) == pytest.approx(getattr(expected.clustered, name), rel=1e-12)
    for name in ("selected", "total", "players", "pairs", "rate", "wilson", "exact_p", "d_prime"):
        assert getattr(found, name) == getattr(expected, name)


def test_error_from_sums_is_floored_at_that_of_independent_records() -> None:
    # 50 players of two records with one selection each: their sums do not vary at all.
    alone = ClusterSums(clusters=100, nn=100, ns=50, ss=50)
    rate = selection_rate_of_sums(
        50, 100, players=ClusterSums(clusters=50, nn=200, ns=100, ss=50), pairs=alone, both=alone
    )
    assert rate.clustered is not None
    assert rate.clustered.se_first == 0
    assert rate.clustered.se == rate.clustered.se_iid == pytest.approx(np.sqrt(0.25 / 99))


def test_one_player_has_no_error() -> None:
    two = ClusterSums(clusters=2, nn=2, ns=1, ss=1)
    rate = selection_rate_of_sums(1, 2, players=ClusterSums(1, 4, 2, 1), pairs=two, both=two)
    assert (rate.rate, rate.clustered) == (0.5, None)
    nobody = ClusterSums(0, 0, 0, 0)
    assert selection_rate_of_sums(0, 0, players=nobody, pairs=nobody, both=nobody).rate is None


def test_published_totals_give_the_golden_interval() -> None:
    # 755 players, 4,592 records, 2,132 selections; the figures of the specification, to the digits it prints.
    alone = ClusterSums(clusters=4592, nn=4592, ns=2132, ss=2132)
    rate = selection_rate_of_sums(
        2132, 4592, players=ClusterSums(755, 4592, 2132, 2132), pairs=alone, both=alone
    )
    assert rate.rate == pytest.approx(0.464286, abs=5e-7)
    assert rate.wilson == pytest.approx((0.449897, 0.478734), abs=5e-7)
    assert rate.exact_p == pytest.approx(1.382541e-6, rel=5e-7)
    assert rate.d_prime == pytest.approx(0.1268, abs=5e-5)


def test_share_of_one_cluster_each_is_that_of_independent_records() -> None:
    alone = ClusterSums(clusters=400, nn=400, ns=180, ss=180)
    interval = share_interval(180, 400, alone)
    assert interval == pytest.approx(wilson_interval(180, 400), abs=1e-3)
    assert share_interval(180, 400, ClusterSums(4, 40_000, 18_000, 9_000)) != interval
    assert share_interval(0, 400, alone) is None
    assert share_interval(3, 5, ClusterSums(1, 25, 15, 9)) is None


def test_interval_widens_where_clusters_differ() -> None:
    # Two clusters of 400 with 172 and 188 selections: s - n r = -8 and 8, so se = sqrt(2 * 128) / 800.
    interval = share_interval(360, 800, ClusterSums(clusters=2, nn=320_000, ns=144_000, ss=64_928))
    assert interval is not None
    # 12.706: the 97.5th percentile of t with one degree of freedom.
    assert interval == pytest.approx((0.45 - 12.706205 * 0.02, 0.45 + 12.706205 * 0.02), abs=1e-6)


def test_sequence_from_sums_equals_that_of_the_players() -> None:
    shares = first_game_shares(GAME)
    counts = np.rint(shares * 5).astype(int)
    found = share_sequence_of_sums(len(counts), int(counts.sum()), int(counts @ counts), rounds=5)
    expected = share_sequence(shares)
    assert (found.units, found.method) == (expected.units, expected.method) == (len(counts), "asymptotic")
    assert found.estimate == pytest.approx(expected.estimate, rel=1e-12)
    assert found.ci == pytest.approx(expected.ci, rel=1e-12)


@pytest.mark.parametrize("counts", [[], [2], [5, 0, 3], [2] * 60, [5] * 60])
def test_few_or_equal_players_take_the_beta_mixture(counts: list[int]) -> None:
    found = share_sequence_of_sums(len(counts), sum(counts), sum(c * c for c in counts), rounds=5)
    expected = share_sequence(np.array(counts) / 5)
    assert found.method == expected.method == "beta mixture"
    assert found.ci == pytest.approx(expected.ci, abs=1e-12)
    assert found.units == len(counts)
