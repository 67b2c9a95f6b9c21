"""Means turn by turn and slopes over turns, against numpy's own fit of a line and the closed form written out."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats as reference

from stats.turns.facts import MOST_TURNS, TurnScores, slopes, turn_facts

EVALUATORS, PROMPTS, TURNS = 7, 12, 4


def drawn(turns: int = TURNS) -> tuple[TurnScores, np.ndarray]:
    """Return scores of one method on one criterion, and the same laid out (E, P, T)."""
    rng = np.random.default_rng(5)
    laid = rng.integers(1, 6, (EVALUATORS, PROMPTS, turns)).astype(float)
    evaluator, prompt, turn = (np.array(one) for one in zip(*product(*map(range, laid.shape)), strict=True))
    nothing = np.zeros(laid.size, dtype=np.int64)
    return TurnScores(evaluator, prompt, nothing, nothing, turn + 1, laid.ravel()), laid


def crossed(table: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of a complete table and its 95 % interval by Clark's closed form and Satterthwaite's df."""
    e, p = table.shape
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    rest = table - rows[:, None] - columns + table.mean()
    a, b = rows.var(ddof=1) / e, columns.var(ddof=1) / p
    c = (rest**2).sum() / ((e - 1) * (p - 1)) / (e * p)
    assert min(a, b) > c, "the plain form holds away from the boundary"
    variance = a + b - c
    df = variance**2 / (a**2 / (e - 1) + b**2 / (p - 1) + c**2 / ((e - 1) * (p - 1)))
    half = reference.t.ppf(0.975, df) * variance**0.5
    return table.mean(), table.mean() - half, table.mean() + half


def test_the_slope_of_a_dialogue_is_that_of_the_line_through_its_turns() -> None:
    scores, laid = drawn()
    wanted = np.polyfit(np.arange(TURNS), laid.reshape(-1, TURNS).T, 1)[0]
    found = slopes(scores)
    assert found.value == pytest.approx(wanted)
    assert found.table(EVALUATORS, PROMPTS) == pytest.approx(wanted.reshape(EVALUATORS, PROMPTS))


def test_means_by_turn_and_the_change_have_crossed_intervals() -> None:
    scores, laid = drawn()
    # Spreads of evaluators and prompts, so that the closed form is away from its boundary.
    shift = np.linspace(-2, 2, EVALUATORS)[scores.evaluator] + np.linspace(-3, 3, PROMPTS)[scores.prompt]
    tilt = scores.turn * (np.linspace(-1, 1, EVALUATORS)[scores.evaluator] + np.cos(scores.prompt))
    moved = TurnScores(
        scores.evaluator,
        scores.prompt,
        scores.method,
        scores.criterion,
        scores.turn,
        scores.score + shift + tilt,
    )
    laid = moved.score.reshape(laid.shape)
    of = turn_facts(moved, methods=["bot"], criteria=[("fluency", "fluency:turns")]).criteria[0].methods[0]
    assert of.ratings == laid.size
    for turn, mean in enumerate(of.by_turn):
        assert mean.ci is not None
        assert (mean.estimate, *mean.ci) == pytest.approx(crossed(laid[:, :, turn]))
    slope = np.polyfit(np.arange(TURNS), laid.reshape(-1, TURNS).T, 1)[0].reshape(EVALUATORS, PROMPTS)
    assert of.change.ci is not None
    assert (of.change.estimate, *of.change.ci) == pytest.approx(crossed(slope))


def test_a_dialogue_of_one_turn_has_no_slope_and_a_method_without_dialogues_no_mean() -> None:
    scores, _laid = drawn(turns=1)
    found = turn_facts(scores, methods=["bot", "plain"], criteria=[("fluency", "fluency:turns")])
    bot, plain = found.criteria[0].methods
    assert len(slopes(scores)) == 0
    assert (bot.change.estimate, plain.ratings, plain.by_turn[0].estimate) == (None, 0, None)
    assert found.as_dict()["criteria"][0]["methods"][0]["by_turn"][0]["turn"] == 1


def test_of_long_dialogues_the_first_turns_are_told_apart() -> None:
    scores, _laid = drawn(turns=MOST_TURNS + 3)
    found = turn_facts(scores, methods=["bot"], criteria=[("fluency", "fluency:turns")])
    assert found.longest == MOST_TURNS + 3
    assert len(found.criteria[0].methods[0].by_turn) == MOST_TURNS
