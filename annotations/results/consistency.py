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
    from stats.ratings.table import RatingTable
    from stats.scores import Bools, Ints


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


def answered_pages(
    table: RatingTable, *, has_best_picks: bool = True, candidates_per_page: int | None = None
) -> Ints:
    """Return how many pages each evaluator answered in full (E,): every rating and, where there are any, the pick."""
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    import numpy as np

    pages, given = np.unique(table.first_ratings().page, return_counts=True)
    texts = np.minimum(table.texts_of_prompt, candidates_per_page or len(table.methods))
    whole = texts[pages % max(len(table.prompts), 1)] * len(table.criteria)
    answered = pages[given == whole]
    if has_best_picks:
        answered = np.intersect1d(answered, table.picks.evaluator * len(table.prompts) + table.picks.prompt)
    return np.bincount(answered // max(len(table.prompts), 1), minlength=len(table.evaluators))


def inconsistent_picks(table: RatingTable) -> Bools:
    """Return which best picks (K,) were rated overall below another candidate of their page.

    A tie for the highest is consistent. A pick without an overall rating cannot be judged and is none; so is every
    pick of a study without an overall criterion.
    """
    import numpy as np

    if table.overall is None:
        return np.zeros(len(table.picks), dtype=np.bool_)
    _, below = table.picks_below_best(table.overall.key)
    return below


def exclusion_of(*, pages: int, answered: int, inconsistent: int, threshold: Decimal) -> Exclusion | None:
    """Return why an evaluator with so many of their pages answered and inconsistent does not count, or None."""
    # Whoever was given nothing, or had everything given back, has not finished.
    if answered < pages or not pages:
        return "unfinished"
    return "inconsistent" if inconsistent > threshold * pages else None


def judge(
    table: RatingTable,
    *,
    threshold: Decimal,
    asked: Sequence[int] | None = None,
    answered: Sequence[int] | None = None,
    has_best_picks: bool = True,
    candidates_per_page: int | None = None,
    everybody_counts: bool = False,
) -> tuple[Verdict, ...]:
    """Return the verdict on every evaluator of the table, in its order.

    :param threshold: largest share of inconsistent pages, from 0 to 1, that a valid evaluator may have
    :param asked: how many pages each evaluator was given; all of them if left out
    :param answered: how many pages each evaluator answered in full; those of which the table has all scores if left out
    :param has_best_picks: whether a page without a pick is unanswered
    :param candidates_per_page: how many of a prompt's texts share a page; all of them if left out
    :param everybody_counts: whether no rule excludes anybody, as where ratings were collected elsewhere
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be a share from 0 to 1, got {threshold}")
    import numpy as np

    by = table.picks.evaluator[inconsistent_picks(table)]
    verdicts = []
    if answered is None:
        answered = answered_pages(
            table, has_best_picks=has_best_picks, candidates_per_page=candidates_per_page
        ).tolist()
    for evaluator, pages, done, inconsistent in zip(
        table.evaluators,
        [len(table.prompts)] * len(table.evaluators) if asked is None else asked,
        answered,
        np.bincount(by, minlength=len(table.evaluators)).tolist(),
        strict=True,
    ):
        exclusion = exclusion_of(pages=pages, answered=done, inconsistent=inconsistent, threshold=threshold)
        verdicts.append(
            Verdict(evaluator, pages, done, inconsistent, None if everybody_counts else exclusion)
        )
    return tuple(verdicts)
