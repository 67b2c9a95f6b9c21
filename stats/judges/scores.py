"""The scores of one judge as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stats.ratings.cells import Cells
from stats.ratings.table import RatingTable
from stats.scores import Bools, Criterion, Floats, Ints

# The place of no criterion: such a score is compared with every one.
ANY = -1


@dataclass(frozen=True, eq=False)
class JudgeScores:
    """
    K scores of a judge: the prompt, method and criterion of each (K,), which time it was asked, and at what position.

    Prompts are numbered as in `prompts`, methods and criteria as in the table of people's ratings; the criterion is
    `ANY` for a metric of none, a position -1 where it is unknown.
    """

    prompt: Ints
    method: Ints
    criterion: Ints
    score: Floats
    repeat: Ints
    position: Ints
    prompts: tuple[str, ...]
    methods: int
    # Whether the scores are those of a metric, on a scale of its own, and not points of the evaluators' scale.
    has_own_scale: bool = False

    def of_criterion(self, criterion: int) -> JudgeScores:
        """Return the scores on one criterion: its own, or those of no criterion where it has none."""
        own = self.criterion == criterion
        return self.rows(own if own.any() else self.criterion == ANY)

    def rows(self, chosen: Bools) -> JudgeScores:
        """Return the scores that are chosen (K,)."""
        return replace(
            self,
            **{
                name: getattr(self, name)[chosen]
                for name in ("prompt", "method", "criterion", "score", "repeat", "position")
            },
        )

    def texts(self) -> Floats:
        """Return the mean score of each text over repeats and positions, (N, M), NaN without one."""
        place = self.prompt * self.methods + self.method
        size = len(self.prompts) * self.methods
        counts = np.bincount(place, minlength=size)
        sums = np.bincount(place, self.score, size)
        means: Floats = np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)
        return means.reshape(len(self.prompts), self.methods)

    def is_on_scale(self, criterion: Criterion) -> bool:
        """Say whether the scores are on the criterion's scale: those of a judge, not of a metric."""
        inside = (self.score >= criterion.minimum) & (self.score <= criterion.maximum)
        return bool(not self.has_own_scale and inside.all() and (self.criterion != ANY).all())


def text_means(table: RatingTable, prompts: int) -> Floats:
    """Return the evaluators' mean rating of each text, (prompts, M), NaN without one; the table is of one criterion."""
    size = prompts * len(table.methods)
    counts = np.bincount(table.text, minlength=size)
    sums = np.bincount(table.text, table.score, size)
    means: Floats = np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)
    return means.reshape(prompts, len(table.methods))


def rated_texts(table: RatingTable) -> Floats:
    """Return the ratings of each evaluator of each text, (E, P x M), NaN where missing; of one criterion."""
    ratings = np.full((len(table.evaluators), len(table.prompts) * len(table.methods)), np.nan)
    ratings[table.evaluator, table.text] = table.score
    return ratings


def pair_differences(table: RatingTable, a: int, b: int) -> Cells:
    """Return b - a on the pages with both methods; the table is of one criterion without repeats."""
    return table.pages().pair(a, b).differences


def with_judge(table: RatingTable, scores: Floats, names: Sequence[str] = ("judge",)) -> RatingTable:
    """Return a table of one criterion with the judge's `scores` (P, M) as those of one evaluator more."""
    prompt, method = np.nonzero(~np.isnan(scores))
    return replace(
        table,
        evaluator=np.append(table.evaluator, np.full(len(prompt), len(table.evaluators))),
        prompt=np.append(table.prompt, prompt),
        method=np.append(table.method, method),
        criterion=np.append(table.criterion, np.full(len(prompt), table.criterion[0])),
        score=np.append(table.score, scores[prompt, method]),
        evaluators=(*table.evaluators, *names),
        position=None,
    )
