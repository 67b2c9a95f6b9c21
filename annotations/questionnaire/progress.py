"""How far evaluators are: a page has one rating for each candidate and criterion, and one best pick."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef

from annotations.models import BestChoice, Criterion, Enrolment, Page, Placement, Rating
from annotations.models.counting import count_of

if TYPE_CHECKING:
    from annotations.models import EnrolmentQuerySet


@dataclass(frozen=True)
class Progress:
    """Answers given and asked for."""

    answered: int
    total: int

    @property
    def missing(self) -> int:
        return self.total - self.answered

    @property
    def is_started(self) -> bool:
        return self.answered > 0

    @property
    def is_finished(self) -> bool:
        # Whoever has nothing to answer, because it was given to others, has finished nothing.
        return self.answered == self.total > 0


@dataclass(frozen=True)
class PageProgress(Progress):
    subtask: int
    page: int


@dataclass(frozen=True)
class SubtaskProgress(Progress):
    number: int
    pages: tuple[PageProgress, ...]

    @property
    def next_page(self) -> PageProgress:
        """The first page with something missing, or the first page of a finished sub-task."""
        return first_unfinished(self.pages) or self.pages[0]


@dataclass(frozen=True)
class StudyProgress(Progress):
    subtasks: tuple[SubtaskProgress, ...]

    @property
    def next_page(self) -> PageProgress | None:
        """Where the evaluator stopped: the first page with something missing, if there is one."""
        return first_unfinished(page for subtask in self.subtasks for page in subtask.pages)


def first_unfinished(pages: Any) -> PageProgress | None:
    return next((page for page in pages if not page.is_finished), None)


def study_progress(enrolment: Enrolment) -> StudyProgress:
    """Return the progress of one enrolment, page by page, with one query."""
    own = {"enrolment": enrolment}
    placed = Placement.objects.filter(**own, page=OuterRef("pk"))
    pages = (
        Page.objects.filter(Exists(placed))
        .annotate(
            candidates=count_of(placed),
            criteria=count_of(Criterion.objects.filter(study=OuterRef("subtask__study"))),
            ratings=count_of(
                Rating.objects.filter(
                    **own,
                    candidate__placement__enrolment=enrolment,
                    candidate__placement__page=OuterRef("pk"),
                )
            ),
            picks=count_of(BestChoice.objects.filter(**own, page=OuterRef("pk"))),
        )
        .values_list("subtask__number", "number", "candidates", "criteria", "ratings", "picks")
    )
    subtasks = []
    for number, rows in groupby(pages, key=lambda row: row[0]):
        done = tuple(
            PageProgress(ratings + picks, candidates * criteria + 1, number, page)
            for _, page, candidates, criteria, ratings, picks in rows
        )
        subtasks.append(
            SubtaskProgress(
                sum(page.answered for page in done), sum(page.total for page in done), number, done
            )
        )
    return StudyProgress(
        sum(subtask.answered for subtask in subtasks),
        sum(subtask.total for subtask in subtasks),
        tuple(subtasks),
    )


def progress_of(enrolments: EnrolmentQuerySet) -> dict[int, Progress]:
    """Return the progress of each of the enrolments by its primary key, with one query.

    The database lets nobody rate what they were not shown, so counting the answers is enough.
    """
    own = {"enrolment": OuterRef("pk")}
    counts = enrolments.order_by().annotate(
        candidates_asked=count_of(Placement.objects.filter(**own)),
        pages_asked=count_of(Placement.objects.filter(**own, position=0)),
        criteria_asked=count_of(Criterion.objects.filter(study=OuterRef("study"))),
        ratings_given=count_of(Rating.objects.filter(**own)),
        picks_given=count_of(BestChoice.objects.filter(**own)),
    )
    return {
        pk: Progress(ratings + picks, candidates * criteria + pages)
        for pk, candidates, pages, criteria, ratings, picks in counts.values_list(
            "pk", "candidates_asked", "pages_asked", "criteria_asked", "ratings_given", "picks_given"
        )
    }
