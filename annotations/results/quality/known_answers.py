"""Which known answers evaluators met, by any protocol: a range of scores, or the best text of a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from annotations.models import KnownAnswer, Page, Study
from stats.ratings.table import RatingTable
from stats.scores import Bools


@dataclass(frozen=True)
class Known:
    """A known answer in the names of a rating table; without a range the text is the best of its page."""

    pk: int
    page: str
    method: str
    criterion: str | None
    lowest: float | None
    highest: float | None


@dataclass(frozen=True)
class Met:
    """Whether an evaluator met a known answer."""

    evaluator: str
    page: str
    known: int
    is_right: bool


def known_answers(study: Study, role: Page.Role) -> list[Known]:
    """Return the known answers on the pages of a role, with one query."""
    rows = KnownAnswer.objects.filter(
        page_candidate__page__subtask__study=study, page_candidate__page__role=role
    ).order_by("pk")
    page = "page_candidate__page__"
    return [
        Known(pk, f"{subtask}/{number}", method, criterion, lowest, highest)
        for pk, subtask, number, method, criterion, lowest, highest in rows.values_list(
            "pk",
            f"{page}subtask__number",
            f"{page}number",
            "page_candidate__study_method__method__key",
            "criterion__key",
            "lowest",
            "highest",
        )
    ]


def met_answers(table: RatingTable, known: Sequence[Known], *, has_best_picks: bool) -> Iterator[Met]:
    """Yield which answers were met by the evaluators of a table who answered what they are about, in its order."""
    ratings = table.first_ratings()
    for one in known:
        if one.page not in table.prompts:
            continue
        on_page = ratings.prompt == table.prompts.index(one.page)
        own = on_page & (ratings.method == table.methods.index(one.method))
        if one.criterion is None and has_best_picks:
            yield from _picked(table, one, np.unique(ratings.evaluator[own]).tolist())
            continue
        criterion = _criterion(table, one)
        by = ratings.criterion == criterion
        for evaluator, score in zip(
            ratings.evaluator[own & by].tolist(), ratings.score[own & by].tolist(), strict=True
        ):
            if one.lowest is not None and one.highest is not None:
                is_right = one.lowest <= score <= one.highest
            else:
                others = ratings.score[on_page & by & ~own & (ratings.evaluator == evaluator)]
                better = score < others if table.criteria[criterion].lower_is_better else score > others
                is_right = bool(better.all())
            yield Met(table.evaluators[evaluator], one.page, one.pk, is_right)


def _picked(table: RatingTable, known: Known, shown_to: Sequence[int]) -> Iterator[Met]:
    """Yield whether the text was picked by those who picked one, and to whom it was shown."""
    picks = table.picks
    here: Bools = picks.prompt == table.prompts.index(known.page)
    method = table.methods.index(known.method)
    for evaluator, picked in zip(picks.evaluator[here].tolist(), picks.method[here].tolist(), strict=True):
        if picked == method or evaluator in shown_to:
            yield Met(table.evaluators[evaluator], known.page, known.pk, picked == method)


def _criterion(table: RatingTable, known: Known) -> int:
    """Return the criterion that is meant: as a whole it is the overall one, or the first."""
    if known.criterion is not None:
        return table.criterion_index(known.criterion)
    return table.criterion_index(table.overall.key) if table.overall else 0


def right_pages(found: Sequence[Met]) -> dict[str, tuple[int, int]]:
    """Return of each evaluator on how many pages there is something to say, and on how many of them all is right."""
    pages: dict[str, dict[str, bool]] = {}
    for one in found:
        own = pages.setdefault(one.evaluator, {})
        own[one.page] = own.get(one.page, True) and one.is_right
    return {evaluator: (len(own), sum(own.values())) for evaluator, own in pages.items()}
