"""What there is to say about each evaluator, beside the rule that decides who counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stats.scores import Floats, Ints, ScoreTable

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
    table: ScoreTable, criterion: str, *, page_seconds: Floats | None = None
) -> tuple[EvaluatorQuality, ...]:
    """
    Describe every evaluator; correlations and consistency are those of `criterion`, the overall one.

    `page_seconds` (E, P) is the time spent on each page, NaN where unknown.
    """
    ratings = table.for_criterion(criterion)
    if page_seconds is not None and page_seconds.shape != table.best.shape:
        raise ValueError(f"page_seconds must have the shape {table.best.shape}, got {page_seconds.shape}")
    off_scale = table.off_scale()
    evaluators, prompts, methods = ratings.shape
    correlations = leave_one_out_correlations(ratings.reshape(evaluators, prompts * methods))
    found = []
    for e, evaluator in enumerate(table.evaluators):
        picked, inconsistent = _consistency(ratings[e], table.best[e])
        seconds = None if page_seconds is None else page_seconds[e][~np.isnan(page_seconds[e])]
        found.append(
            EvaluatorQuality(
                evaluator=evaluator,
                ratings=int(np.count_nonzero(~np.isnan(table.scores[e]))),
                pages_picked=picked,
                leave_one_out_r=correlations[e],
                off_scale=int(off_scale[e].sum()),
                pages_inconsistent=inconsistent,
                consistent=1 - inconsistent / picked if picked else None,
                straight_lined=_straight_lined(table.scores[e]),
                median_seconds=float(np.median(seconds)) if seconds is not None and seconds.size else None,
            )
        )
    return tuple(found)


def leave_one_out_correlations(ratings: Floats) -> list[float | None]:
    """
    Return each row's Pearson correlation with the mean of the other rows; `ratings` (E, N), NaN missing.

    Over the texts that the evaluator and at least one other rated; None with fewer than three of them or
    where one side does not vary.
    """
    there = ~np.isnan(ratings)
    filled = np.where(there, ratings, 0.0)
    sums, counts = filled.sum(axis=0), there.sum(axis=0)
    found: list[float | None] = []
    for e in range(len(ratings)):
        shared = there[e] & (counts > 1)
        own = ratings[e, shared]
        others = (sums[shared] - own) / (counts[shared] - 1)
        found.append(_correlation(own, others))
    return found


def _correlation(x: Floats, y: Floats) -> float | None:
    if x.size < FEWEST_TEXTS or np.ptp(x) < 1e-9 or np.ptp(y) < 1e-9:
        return None
    x, y = x - x.mean(), y - y.mean()
    return float(x @ y) / math.sqrt(float(x @ x) * float(y @ y))


def _consistency(ratings: Floats, best: Ints) -> tuple[int, int]:
    """Count the pages with a rated pick, and those of them with a pick rated below the page's highest."""
    pages = np.nonzero(best >= 0)[0]
    own = ratings[pages, best[pages]]
    known = ~np.isnan(own)
    highest = np.where(np.isnan(ratings[pages]), -np.inf, ratings[pages]).max(axis=1, initial=-np.inf)
    return int(known.sum()), int((own[known] < highest[known]).sum())


def _straight_lined(scores: Floats) -> float | None:
    """Return the share of complete pages (P, M, C) with one rating a criterion; None without such a page."""
    if scores.shape[1] < 2 or not scores.shape[2]:
        return None
    complete = scores[~np.isnan(scores).any(axis=(1, 2))]
    return float((np.ptp(complete, axis=1) == 0).all(axis=1).mean()) if len(complete) else None
