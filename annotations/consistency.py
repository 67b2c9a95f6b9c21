"""Who finished, and whose answers agree with themselves: which evaluators count (pure).

Reference: Zou et al. (KDD 2021), section 5.1: an evaluator must answer everything; a page is inconsistent when the
candidate picked as best has an overall rating below the highest one given on that page; an evaluator with
more than 20 % of the pages inconsistent is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np

from stats.scores import Bools, ScoreTable

Exclusion = Literal["unfinished", "inconsistent"]


@dataclass(frozen=True)
class Verdict:
    """How far one evaluator came and whether the answers count; `exclusion` is None for a valid evaluator."""

    evaluator: str
    pages: int
    pages_answered: int
    pages_inconsistent: int
    exclusion: Exclusion | None

    @property
    def is_finished(self) -> bool:
        return self.exclusion != "unfinished"

    @property
    def is_valid(self) -> bool:
        return self.exclusion is None


def answered_pages(table: ScoreTable) -> Bools:
    """Return which pages are answered in full, every rating and the best pick, shape (E, P)."""
    return ~np.isnan(table.scores).any(axis=(2, 3)) & (table.best >= 0)


def inconsistent_pages(table: ScoreTable) -> Bools:
    """Return the pages whose best pick was rated overall below another candidate, shape (E, P).

    A tie for the highest is consistent. A page without a pick, or whose pick has no overall rating, cannot be
    judged and is none; so is every page of a study without an overall criterion.
    """
    if table.overall is None or not table.methods:
        return np.zeros(table.best.shape, dtype=np.bool_)
    overall = table.for_criterion(table.overall.key)
    picked = np.take_along_axis(overall, np.maximum(table.best, 0)[..., None], axis=2)[..., 0]
    highest = np.fmax.reduce(overall, axis=2)
    # A missing rating is NaN, and no comparison with NaN holds.
    inconsistent: Bools = (table.best >= 0) & (picked < highest)
    return inconsistent


def judge(table: ScoreTable, *, threshold: Decimal) -> tuple[Verdict, ...]:
    """Return the verdict on every evaluator of the table, in its order.

    :param threshold: largest share of inconsistent pages, from 0 to 1, that a valid evaluator may have
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be a share from 0 to 1, got {threshold}")
    pages = len(table.prompts)
    verdicts = []
    for evaluator, answered, inconsistent in zip(
        table.evaluators,
        answered_pages(table).sum(axis=1).tolist(),
        inconsistent_pages(table).sum(axis=1).tolist(),
        strict=True,
    ):
        exclusion: Exclusion | None = None
        if answered < pages:
            exclusion = "unfinished"
        elif inconsistent > threshold * pages:
            exclusion = "inconsistent"
        verdicts.append(Verdict(evaluator, pages, answered, inconsistent, exclusion))
    return tuple(verdicts)
