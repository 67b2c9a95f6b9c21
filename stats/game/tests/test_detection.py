"""Detection against published numbers, and its errors against leaving out one player after another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from stats.game.boundary import boundary, chance_exact, points_for
from stats.game.detection import (
    CELLS,
    FEWEST_PLAYERS,
    SHAPE,
    chi_square_against_half,
    criterion,
    detection,
    hit_rates,
    roc_area,
    sensitivity_index,
)
from stats.game.selection import d_prime
from stats.scores import Floats

GOLDEN = Path(__file__).resolve().parents[3].parent / "shared" / "reference" / "golden_examples.json"
# A rating experiment: answers from surely machine to surely human.
HUMAN, MACHINE = np.array([4.0, 8, 10, 14, 28, 36]), np.array([30.0, 24, 16, 14, 10, 6])


def simulated(players: int = 60, seed: int = 3) -> Floats:
    """Return the counts of players who differ in skill and in how sure they are, (players, 16)."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((players, *SHAPE))
    for player in range(players):
        skill, lean = rng.normal(0.8, 0.6), rng.normal(0, 0.3)
        for _ in range(int(rng.integers(5, 40))):
            stimulus = int(rng.integers(2))
            heard = rng.normal(skill * (0.5 - stimulus) + lean)
            counts[player, stimulus, int(heard < 0), min(1 + int(abs(heard) / 0.6), 3)] += 1
    return counts.reshape(players, CELLS)


def of_players(own: Floats) -> Any:
    return detection(own.sum(axis=0).reshape(SHAPE), own.T @ own, len(own), forced_choice=True)


def test_d_prime_and_bias_of_hits_and_false_alarms_are_the_textbook_s() -> None:
    assert sensitivity_index(0.8, 0.4) == pytest.approx(1.0949683367, abs=1e-10)
    assert criterion(0.8, 0.4) == pytest.approx(-0.2941370652, abs=1e-10)
    assert sensitivity_index(0.75, 0.25, forced_choice=True) == pytest.approx(0.9538725524, abs=1e-10)


def test_forced_choice_gives_the_published_figure_of_the_live_test() -> None:
    # Jones and Bergen (2025): a machine that was taken for the human in .73 of its games.
    assert d_prime(73, 100) == pytest.approx(-0.8666484431, abs=1e-10)


def test_all_right_has_a_finite_d_prime_by_the_log_linear_correction() -> None:
    # Hautus (1995): 10 of 10 hits and no false alarm are 10.5 / 11 and .5 / 11.
    assert hit_rates(10, 10, 0, 10) == pytest.approx((10.5 / 11, 0.5 / 11))


def test_area_under_the_roc_is_the_share_of_pairs_in_the_right_order() -> None:
    assert roc_area(HUMAN, MACHINE) == pytest.approx(0.8078, abs=1e-12)
    levels = np.arange(6)
    human, machine = np.repeat(levels, HUMAN.astype(int)), np.repeat(levels, MACHINE.astype(int))
    u = scipy.stats.mannwhitneyu(human, machine).statistic
    assert roc_area(HUMAN, MACHINE) == pytest.approx(u / (len(human) * len(machine)))


def test_detection_reads_the_six_ratings_from_answers_and_confidences() -> None:
    counts = np.zeros(SHAPE)
    for stimulus, row in ((0, HUMAN), (1, MACHINE)):
        counts[stimulus, 1, [3, 2, 1]] = row[:3]
        counts[stimulus, 0, [1, 2, 3]] = row[3:]
    found = detection(counts, np.outer(counts, counts) / 1000, 40, forced_choice=False)
    assert found is not None
    assert found.area.value == pytest.approx(0.8078)
    assert found.d_a.value == pytest.approx(1.2301080839, abs=1e-9)
    assert found.roc[0] == (0, 0) and found.roc[-1] == pytest.approx((1, 1))
    assert found.roc[1] == pytest.approx((0.06, 0.36))


def test_chi_square_against_guessing_is_that_of_the_published_poems() -> None:
    # Porter and Machery (2024): 7,616 of 16,340 right.
    assert chi_square_against_half(7616, 16340) == pytest.approx(75.13, abs=0.005)


@pytest.mark.skipif(not GOLDEN.exists(), reason="needs ../shared/reference")
def test_the_data_rows_of_the_reference_agree() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    roc, sdt = golden["roc"], golden["sdt"]["yes_no"]
    assert roc_area(np.array(roc["human"]), np.array(roc["machine"])) == pytest.approx(roc["auc"])
    assert sensitivity_index(sdt["hit"], sdt["false_alarm"]) == pytest.approx(sdt["d"])


@pytest.mark.parametrize("figure", ["right", "d_prime", "bias", "area", "d_a", "overconfidence"])
def test_errors_are_those_of_leaving_out_one_player_after_another(figure: str) -> None:
    own = simulated()
    players = len(own)
    left_out = [
        getattr(of_players(np.delete(own, player, axis=0)), figure).value for player in range(players)
    ]
    jackknife = np.sqrt((players - 1) / players * np.sum((left_out - np.mean(left_out)) ** 2))
    assert getattr(of_players(own), figure).se == pytest.approx(jackknife, rel=0.06)


def test_interval_is_wider_where_players_differ_than_where_all_answers_are_independent() -> None:
    own = simulated()
    found = of_players(own)
    share = found.right.value
    assert found.right.se > np.sqrt(share * (1 - share) / own.sum())


def test_nothing_is_said_below_thirty_players() -> None:
    assert of_players(simulated(FEWEST_PLAYERS - 1)) is None
    assert of_players(simulated(FEWEST_PLAYERS)) is not None


def test_where_one_side_was_shown_sensitivity_is_left_out_and_the_rest_stays() -> None:
    own = simulated()
    own.reshape(-1, *SHAPE)[:, 1] = 0
    found = of_players(own)
    assert (found.d_prime.value, found.d_prime.note) == (None, "one_side")
    assert (found.area.value, found.area.note) == (None, "one_side")
    assert found.right.value is not None and found.roc == ()


@pytest.mark.parametrize(("levels", "note"), [([0, 2, 3], "one_confidence"), ([1, 2, 3], "no_confidence")])
def test_where_one_confidence_was_used_the_area_is_left_out(levels: list[int], note: str) -> None:
    own = simulated()
    cells = own.reshape(-1, *SHAPE)
    kept = ({0, 1, 2, 3} - set(levels)).pop()
    cells[..., kept] = cells.sum(axis=3)
    cells[..., levels] = 0
    found = of_players(own)
    assert (found.area.value, found.area.note) == (None, note)
    assert found.d_prime.value is not None


def test_players_who_are_sure_and_guess_are_overconfident_by_one_half() -> None:
    own = np.zeros((40, *SHAPE))
    own[:, :, :, 3] = 5
    found = of_players(own.reshape(40, CELLS))
    assert found.overconfidence.value == pytest.approx(0.5)
    (row,) = found.calibration
    assert (row.confidence, row.right, row.total, row.share.value) == (3, 400, 800, 0.5)


def test_points_of_a_boundary_fall_with_lateness_and_are_none_for_who_is_early() -> None:
    assert [points_for(said, 4) for said in range(2, 11)] == [0, 0, 5, 4, 3, 2, 1, 0, 0]
    # RoFT's ten sentences: 10 % of guesses would be exact if any of ten places were possible.
    assert chance_exact(11) == pytest.approx(0.10)


def test_boundary_counts_the_exact_and_the_signed_distance_by_true_place() -> None:
    # The published share, 23.4 % of 1,000 rounds, half of the others a sentence early and half two late.
    found = boundary({(5, 5): 234, (5, 4): 383, (5, 7): 383})
    assert found is not None
    assert found.share_exact == pytest.approx(0.234)
    assert found.distance == pytest.approx(0.383)
    assert found.points == pytest.approx((234 * 5 + 383 * 3) / 1000)
    assert boundary({}) is None
