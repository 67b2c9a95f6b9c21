"""What there is to say about each evaluator, beside the rule that decides who counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stats.ratings.cells import Cells
from stats.ratings.table import RatingTable, long_table
from stats.scores import Bools, Floats, Ints, ScoreTable

LOW_CORRELATION = 0.2
FEWEST_TEXTS = 3


@dataclass(frozen=True)
class EvaluatorQuality:
    """
    Signs of care of one evaluator; a share is None where there is nothing to take it of.

    `leave_one_out_r` is the correlation with the mean of the others over the texts,
    `pages_inconsistent` counts the pages whose best pick has an overall rating below the page's highest,
    `straight_lined` is the share of pages on which, on every criterion, all texts have one rating.
    These describe; only the rule declared beforehand may exclude.
    """

    evaluator: str
    ratings: int
    pages_picked: int
    leave_one_out_r: float | None
    off_scale: int
    pages_inconsistent: int
    consistent: float | None
    straight_lined: float | None
    median_seconds: float | None

    @property
    def disagrees_with_others(self) -> bool:
        """Say whether the ratings go their own way: a correlation below .2."""
        return self.leave_one_out_r is not None and self.leave_one_out_r < LOW_CORRELATION


def evaluator_quality(
    table: RatingTable | ScoreTable, criterion: str, *, page_seconds: Cells | None = None
) -> tuple[EvaluatorQuality, ...]:
    """
    Describe every evaluator; correlations and consistency are those of `criterion`, the overall one.

    `page_seconds` are the times spent on the pages where they are known.
    """
    every = long_table(table).first_ratings()
    evaluators = len(every.evaluators)
    ratings = every.for_criterion(criterion)
    correlations = leave_one_out_correlations(ratings.evaluator, ratings.text, ratings.score, evaluators)
    known, below = every.picks_below_best(criterion)
    picked = np.bincount(every.picks.evaluator[known], minlength=evaluators)
    inconsistent = np.bincount(every.picks.evaluator[below], minlength=evaluators)
    given = np.bincount(every.evaluator, minlength=evaluators)
    off_scale = np.bincount(every.evaluator[every.off_scale()], minlength=evaluators)
    seconds = [np.empty(0)] * evaluators if page_seconds is None else _by_evaluator(page_seconds, evaluators)
    return tuple(
        EvaluatorQuality(
            evaluator=evaluator,
            ratings=int(given[e]),
            pages_picked=int(picked[e]),
            leave_one_out_r=correlations[e],
            off_scale=int(off_scale[e]),
            pages_inconsistent=int(inconsistent[e]),
            consistent=1 - int(inconsistent[e]) / int(picked[e]) if picked[e] else None,
            straight_lined=straight,
            median_seconds=float(np.median(seconds[e])) if seconds[e].size else None,
        )
        for e, (evaluator, straight) in enumerate(zip(every.evaluators, _straight_lined(every), strict=True))
    )


def leave_one_out_correlations(
    evaluator: Ints, text: Ints, score: Floats, evaluators: int
) -> list[float | None]:
    """
    Return the Pearson correlation of each evaluator's ratings (N,) with the means of the others' of the texts.

    Over the texts that the evaluator and at least one other rated; None with fewer than three of them or
    where one side does not vary.
    """
    _, text = np.unique(text, return_inverse=True)
    sums, counts = np.bincount(text, score), np.bincount(text)
    shared = counts[text] > 1
    evaluator, text, score = evaluator[shared], text[shared], score[shared]
    others = (sums[text] - score) / (counts[text] - 1)
    own = _by_evaluator(Cells(evaluator, text, score), evaluators)
    theirs = _by_evaluator(Cells(evaluator, text, others), evaluators)
    return [_correlation(x, y) for x, y in zip(own, theirs, strict=True)]


def _by_evaluator(cells: Cells, evaluators: int) -> list[Floats]:
    """Return the values of every evaluator."""
    order = np.argsort(cells.evaluator, kind="stable")
    ends = np.cumsum(np.bincount(cells.evaluator, minlength=evaluators))
    return np.split(cells.value[order], ends[:-1]) if evaluators else []


def _correlation(x: Floats, y: Floats) -> float | None:
    if x.size < FEWEST_TEXTS or np.ptp(x) < 1e-9 or np.ptp(y) < 1e-9:
        return None
    x, y = x - x.mean(), y - y.mean()
    return float(x @ y) / math.sqrt(float(x @ x) * float(y @ y))


def _straight_lined(table: RatingTable) -> list[float | None]:
    """Return each evaluator's share of complete pages with one rating a criterion; None without such a page."""
    criteria, evaluators = len(table.criteria), len(table.evaluators)
    if len(table.methods) < 2 or not len(table):
        return [None] * evaluators
    pages, page = np.unique(table.page, return_inverse=True)
    place = page * criteria + table.criterion
    lowest, highest = np.full(len(pages) * criteria, np.inf), np.full(len(pages) * criteria, -np.inf)
    np.minimum.at(lowest, place, table.score)
    np.maximum.at(highest, place, table.score)
    is_complete: Bools = np.bincount(page) == len(table.methods) * criteria
    is_straight = is_complete & (lowest == highest).reshape(-1, criteria).all(axis=1)
    evaluator = pages // len(table.prompts)
    complete = np.bincount(evaluator[is_complete], minlength=evaluators)
    straight = np.bincount(evaluator[is_straight], minlength=evaluators)
    return [int(s) / int(n) if n else None for s, n in zip(straight, complete, strict=True)]
