"""The Rasch model against the published analysis of LSAT 6, and against players whose skill is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stats.game.rasch import Start, fit_rasch, normal_interval

# Bock and Lieberman (1970): how many of 1,000 had each pattern of answers, from 00000 to 11111.
PATTERN_COUNTS = [
    3, 6, 2, 11, 1, 1, 3, 4, 1, 8, 0, 16, 0, 3, 2, 15, 10, 29, 14, 81, 3, 28, 15, 80, 16, 56, 21, 173, 11, 61, 28, 298,
]  # fmt: skip
# Rizopoulos (2006), JSS 17(5), the Rasch model of the law school test.
DIFFICULTY = [-3.6153, -1.3224, -0.3176, -1.7301, -2.7802]
DISCRIMINATION = 0.7551
LOG_LIKELIHOOD = -2466.938


def law_school_test() -> tuple[Any, Any, Any]:
    patterns = np.array([[int(digit) for digit in f"{number:05b}"] for number in range(32)])
    right = np.repeat(patterns, PATTERN_COUNTS, axis=0)
    players, pairs = np.indices(right.shape)
    return players.ravel(), pairs.ravel(), right.ravel().astype(bool)


def simulated(players: int = 200, pairs: int = 40, rounds: int = 10, seed: int = 5) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    skill, difficulty = rng.normal(0, 0.8, players), rng.normal(-0.3, 0.6, pairs)
    who = np.repeat(np.arange(players), rounds)
    what = np.concatenate([rng.choice(pairs, rounds, replace=False) for _ in range(players)])
    right = rng.random(len(who)) < 1 / (1 + np.exp(difficulty[what] - skill[who]))
    return who, what, right, skill, difficulty


def test_six_questions_for_law_schools_have_the_published_difficulties_discrimination_and_likelihood() -> (
    None
):
    fit = fit_rasch(*law_school_test(), shrink=False)
    assert fit.spread == pytest.approx(DISCRIMINATION, abs=1e-4)
    # With a discrimination of one the same difficulties are that much smaller.
    assert fit.difficulty / fit.spread == pytest.approx(DIFFICULTY, abs=2e-4)
    assert fit.log_likelihood == pytest.approx(LOG_LIKELIHOOD, abs=1e-3)


def test_five_of_five_is_drawn_far_towards_the_mean_and_fifty_of_fifty_less() -> None:
    who, what, right, *_ = simulated()
    players = np.concatenate([who, np.full(5, 900), np.full(40, 901)])
    pairs = np.concatenate([what, np.arange(5), np.arange(40)])
    fit = fit_rasch(players, pairs, np.concatenate([right, np.ones(45, dtype=bool)]))
    five, forty = fit.skill[-2:]
    assert 0 < five < forty
    assert five < fit.skill[:-2].max()
    assert fit.skill_se[-2] > fit.skill_se[-1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_intervals_hold_the_true_skills_and_difficulties_in_about_95_of_100(seed: int) -> None:
    who, what, right, skill, difficulty = simulated(players=400, pairs=60, seed=seed)
    fit = fit_rasch(who, what, right)
    # The mean of the skills is set to zero, so the true ones are compared from their mean.
    of_skill = np.abs(fit.skill - (skill - skill.mean())) < 1.96 * fit.skill_se
    of_pairs = np.abs(fit.difficulty - (difficulty - skill.mean())) < 1.96 * fit.difficulty_se
    assert 0.92 < of_skill.mean() < 0.98
    assert of_pairs.mean() > 0.88


def test_a_pair_with_nothing_but_right_answers_has_a_finite_difficulty() -> None:
    who, what, right, *_ = simulated()
    fit = fit_rasch(who, what, right | (what == 3))
    assert fit.difficulty[3] == fit.difficulty.min()
    assert fit.difficulty[3] > -4


def test_players_who_all_guess_do_not_differ() -> None:
    rng = np.random.default_rng(8)
    who = np.repeat(np.arange(300), 10)
    fit = fit_rasch(who, rng.integers(0, 30, len(who)), rng.random(len(who)) < 0.5)
    assert fit.spread < 0.25
    assert np.abs(fit.skill).max() < 0.3


def test_a_fit_that_begins_at_the_last_one_ends_there() -> None:
    who, what, right, *_ = simulated()
    first = fit_rasch(who, what, right)
    again = fit_rasch(who, what, right, start=Start(first.pairs, first.difficulty, first.spread))
    assert again.difficulty == pytest.approx(first.difficulty, abs=5e-3)
    assert again.skill == pytest.approx(first.skill, abs=5e-3)


def test_expected_answers_take_skill_and_difficulty_out() -> None:
    who, what, right, *_ = simulated()
    fit = fit_rasch(who, what, right)
    rest = right - fit.expected_right(who, what)
    assert abs(rest.mean()) < 0.01
    assert np.abs(np.bincount(what, rest) / np.bincount(what)).max() < 0.1


def test_an_interval_is_as_wide_as_its_level_says() -> None:
    assert normal_interval(1.0, 0.5) == pytest.approx((1 - 0.97998, 1 + 0.97998), abs=1e-5)
    with pytest.raises(ValueError, match="at least one answer"):
        fit_rasch(np.zeros(0, int), np.zeros(0, int), np.zeros(0, bool))
