"""What the ratings of single turns say: the mean of each method at each turn, and how scores change over a dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stats.cluster import quick_crossed_mean
from stats.mixed import CrossedMean
from stats.ratings.cells import Cells
from stats.scores import Bools, Floats, Ints
from stats.significance import gated

# Of longer dialogues the first turns are told apart; the change from turn to turn is that over all of them.
MOST_TURNS = 12


@dataclass(frozen=True, eq=False)
class TurnScores:
    """N scores of turns (numbered from 1), by the places of evaluator, prompt, method and criterion; shapes (N,)."""

    evaluator: Ints
    prompt: Ints
    method: Ints
    criterion: Ints
    turn: Ints
    score: Floats

    def __len__(self) -> int:
        return len(self.score)

    def rows(self, chosen: Bools) -> TurnScores:
        """Return the scores at which `chosen` (N,) is true."""
        return TurnScores(
            self.evaluator[chosen],
            self.prompt[chosen],
            self.method[chosen],
            self.criterion[chosen],
            self.turn[chosen],
            self.score[chosen],
        )


@dataclass(frozen=True)
class MethodTurns:
    """
    A method's ratings of turns on one criterion.

    `by_turn` has the crossed mean of turn 1, 2 and so on; `change` is the crossed mean of the least squares slopes over
    the turns of each dialogue by each evaluator who rated two of its turns or more, in points a turn.
    """

    method: str
    ratings: int
    by_turn: tuple[CrossedMean, ...]
    change: CrossedMean


@dataclass(frozen=True)
class CriterionTurns:
    """The ratings of turns on one criterion, by method; `mean_criterion` names the mean over turns in the analysis."""

    criterion: str
    mean_criterion: str
    methods: tuple[MethodTurns, ...]


@dataclass(frozen=True)
class TurnFacts:
    """The ratings of turns of a study; `longest` is the number of the last turn that was rated."""

    ratings: int
    longest: int
    criteria: tuple[CriterionTurns, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return {
            "ratings": self.ratings,
            "longest": self.longest,
            "criteria": [
                {
                    "criterion": one.criterion,
                    "mean_criterion": one.mean_criterion,
                    "methods": [
                        {
                            "method": of.method,
                            "ratings": of.ratings,
                            "by_turn": [
                                {"turn": turn, **mean.as_dict()}
                                for turn, mean in enumerate(of.by_turn, start=1)
                            ],
                            "change": of.change.as_dict(),
                        }
                        for of in one.methods
                    ],
                }
                for one in self.criteria
            ],
        }


def turn_facts(
    scores: TurnScores,
    *,
    methods: Sequence[str],
    criteria: Sequence[tuple[str, str]],
    confidence_level: float = 0.95,
) -> TurnFacts:
    """
    Return the means by turn and the change from turn to turn of each method on each criterion.

    `criteria` are keys, each with the key of the criterion that is the mean over turns. An evaluator has at most one
    score of a turn.
    """
    longest = int(scores.turn.max(initial=0))
    found = []
    for place, (key, mean_key) in enumerate(criteria):
        of_criterion = scores.rows(scores.criterion == place)
        by_method = []
        for number, method in enumerate(methods):
            own = of_criterion.rows(of_criterion.method == number)
            by_method.append(
                MethodTurns(
                    method=method,
                    ratings=len(own),
                    by_turn=tuple(
                        _crossed(_at_turn(own, turn), confidence_level)
                        for turn in range(1, min(longest, MOST_TURNS) + 1)
                    ),
                    change=_crossed(slopes(own), confidence_level),
                )
            )
        found.append(CriterionTurns(key, mean_key, tuple(by_method)))
    return TurnFacts(ratings=len(scores), longest=longest, criteria=tuple(found))


def slopes(scores: TurnScores) -> Cells:
    """Return the least squares slope over turns of each evaluator and prompt with two turns or more.

    The scores are of one method and one criterion.
    """
    if not len(scores):
        return Cells(scores.evaluator, scores.prompt, scores.score)
    prompts = int(scores.prompt.max()) + 1
    keys, cell = np.unique(scores.evaluator * prompts + scores.prompt, return_inverse=True)
    count = np.bincount(cell)
    turn = scores.turn - (np.bincount(cell, scores.turn) / count)[cell]
    spread = np.bincount(cell, turn**2)
    has_slope = spread > 0
    slope = np.bincount(cell, turn * scores.score)[has_slope] / spread[has_slope]
    return Cells(keys[has_slope] // prompts, keys[has_slope] % prompts, slope)


def _at_turn(scores: TurnScores, turn: int) -> Cells:
    own = scores.rows(scores.turn == turn)
    return Cells(own.evaluator, own.prompt, own.score)


def _crossed(cells: Cells, confidence_level: float) -> CrossedMean:
    return gated(quick_crossed_mean(cells, confidence_level=confidence_level))
