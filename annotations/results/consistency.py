"""Who finished, and whose answers agree with themselves: which evaluators count (pure).

Reference: Zou et al. (KDD 2021), section 5.1: an evaluator must answer everything; a page is inconsistent when the
candidate picked as best has an overall rating below the highest one given on that page; an evaluator with
more than 20 % of the pages inconsistent is left out. Where sub-tasks are shared out, everything is what the evaluator
was given; in a study that has no best picks, it is the ratings (`Study.has_best_picks`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
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


def answered_pages(table: ScoreTable, *, has_best_picks: bool = True) -> Bools:
    """Return which pages are answered in full, every rating and, where there are any, the best pick, shape (E, P)."""
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    import numpy as np

    picked = table.best >= 0 if has_best_picks else np.ones(table.best.shape, dtype=np.bool_)
    return ~np.isnan(table.scores).any(axis=(2, 3)) & picked


def inconsistent_pages(table: ScoreTable) -> Bools:
    """Return the pages whose best pick was rated overall below another candidate, shape (E, P).

    A tie for the highest is consistent. A page without a pick, or whose pick has no overall rating, cannot be
    judged and is none; so is every page of a study without an overall criterion.
    """
    import numpy as np

    if table.overall is None or not table.methods:
        return np.zeros(table.best.shape, dtype=np.bool_)
    overall = table.for_criterion(table.overall.key) * table.overall.direction
    picked = np.take_along_axis(overall, np.maximum(table.best, 0)[..., None], axis=2)[..., 0]
    highest = np.fmax.reduce(overall, axis=2)
    # A missing rating is NaN, and no comparison with NaN holds.
    inconsistent: Bools = (table.best >= 0) & (picked < highest)
    return inconsistent


def exclusion_of(*, pages: int, answered: int, inconsistent: int, threshold: Decimal) -> Exclusion | None:
    """Return why an evaluator with so many of their pages answered and inconsistent does not count, or None."""
    # Whoever was given nothing, or had everything given back, has not finished.
    if answered < pages or not pages:
        return "unfinished"
    return "inconsistent" if inconsistent > threshold * pages else None


def judge(
    table: ScoreTable,
    *,
    threshold: Decimal,
    asked: Sequence[int] | None = None,
    has_best_picks: bool = True,
) -> tuple[Verdict, ...]:
    """Return the verdict on every evaluator of the table, in its order.

    :param threshold: largest share of inconsistent pages, from 0 to 1, that a valid evaluator may have
    :param asked: how many pages each evaluator was given; all of them if left out
    :param has_best_picks: whether a page without a pick is unanswered
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be a share from 0 to 1, got {threshold}")
    verdicts = []
    for evaluator, pages, answered, inconsistent in zip(
        table.evaluators,
        [len(table.prompts)] * len(table.evaluators) if asked is None else asked,
        answered_pages(table, has_best_picks=has_best_picks).sum(axis=1).tolist(),
        inconsistent_pages(table).sum(axis=1).tolist(),
        strict=True,
    ):
        exclusion = exclusion_of(
            pages=pages, answered=answered, inconsistent=inconsistent, threshold=threshold
        )
        verdicts.append(Verdict(evaluator, pages, answered, inconsistent, exclusion))
    return tuple(verdicts)
