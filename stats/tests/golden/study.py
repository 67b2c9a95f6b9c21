"""A small simulated study from a fixed seed, complete and with missing answers, and a simulated game."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from stats.game.selection import SelectionRecords
from stats.scores import Criterion, ScoreTable

SEED = 20210814
EVALUATORS, PROMPTS, METHODS = 9, 12, 3
METHOD_MEANS = (4.6, 5.2, 6.1)


def simulated_study() -> ScoreTable:
    """Return 9 evaluators x 12 prompts x 3 methods on quality (1 to 5) and overall (1 to 10)."""
    draw = random.Random(SEED)  # noqa: S311
    leniency = [[_normal(draw, 0.8) for _ in range(METHODS)] for _ in range(EVALUATORS)]
    difficulty = [[_normal(draw, 0.6) for _ in range(METHODS)] for _ in range(PROMPTS)]
    habits = [[_normal(draw, 0.7) for _ in range(METHODS)] for _ in range(EVALUATORS)]
    scores = np.empty((EVALUATORS, PROMPTS, METHODS, 2))
    positions = np.empty((EVALUATORS, PROMPTS, METHODS), dtype=int)
    best = np.empty((EVALUATORS, PROMPTS), dtype=int)
    for e in range(EVALUATORS):
        for p in range(PROMPTS):
            order = sorted(range(METHODS), key=lambda _: draw.random())
            for place, m in enumerate(order):
                worth = METHOD_MEANS[m] + leniency[e][m] + difficulty[p][m] + habits[e][place] - 0.2 * place
                scores[e, p, m, 0] = _rating((worth + _normal(draw, 2.0)) / 2, 5)
                scores[e, p, m, 1] = _rating(worth + _normal(draw, 1.5), 10)
                positions[e, p, m] = place
            best[e, p] = max(range(METHODS), key=lambda m: scores[e, p, m, 1] + draw.random())
    return ScoreTable(
        scores=scores,
        evaluators=tuple(f"evaluator {e}" for e in range(EVALUATORS)),
        prompts=tuple(f"prompt {p}" for p in range(PROMPTS)),
        methods=("first", "second", "third"),
        criteria=(Criterion("quality", 1, 5), Criterion("overall", 1, 10, is_overall=True)),
        best=best,
        positions=positions,
    )


def simulated_study_with_missing() -> ScoreTable:
    """Return the same study with a fifth of the ratings missing, whole pages and single ones."""
    table = simulated_study()
    e, p, m, c = np.ogrid[:EVALUATORS, :PROMPTS, :METHODS, :2]
    gone = ((5 * e + 3 * p) % 7 == 0) | ((2 * e + 3 * p + 5 * m + 7 * c) % 11 == 0)
    return replace(table, scores=np.where(gone, np.nan, table.scores))


def simulated_game() -> SelectionRecords:
    """Return 60 players with one to four games of five rounds over 40 pairs; some games are broken off."""
    draw = random.Random(SEED + 1)  # noqa: S311
    players, pairs, games, rounds, selected, left = [], [], [], [], [], []
    skill = [_normal(draw, 0.15) for _ in range(60)]
    ease = [_normal(draw, 0.1) for _ in range(40)]
    game = 0
    for player in range(60):
        for _ in range(1 + int(draw.random() * 4)):
            for number in range(1, 6 if draw.random() < 0.8 else 4):
                pair = int(draw.random() * 40)
                players.append(player)
                pairs.append(pair)
                games.append(game)
                rounds.append(number)
                selected.append(draw.random() < 0.45 + skill[player] + ease[pair])
                left.append(draw.random() < 0.55)
            game += 1
    return SelectionRecords(
        players=np.array(players),
        pairs=np.array(pairs),
        games=np.array(games),
        rounds=np.array(rounds),
        selected=np.array(selected),
        chose_left=np.array(left),
    )


def _normal(draw: random.Random, deviation: float) -> float:
    """Draw about normally by `random.random` alone, whose stream Python promises to keep."""
    return deviation * (sum(draw.random() for _ in range(12)) - 6)


def _rating(value: float, maximum: int) -> float:
    return float(min(max(round(value), 1), maximum))
