"""How far evaluators are: a page has one rating for each candidate and criterion, and one best pick."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from django.db import connection

from annotations.models import Enrolment, Study
from annotations.models.pages import TRAINING_SUBTASK
from annotations.questionnaire.completeness import OF_ENROLMENTS, page_sums

BY_PAGE = (
    "WITH "
    + page_sums(OF_ENROLMENTS)
    + """
SELECT page.answered::int, page.asked::int, subtask.number, one.number
FROM page
JOIN annotations_page one ON one.id = page.page_id
JOIN annotations_subtask subtask ON subtask.id = one.subtask_id
ORDER BY subtask.number, one.number
"""
)
BY_ENROLMENT = (
    "WITH "
    + page_sums(OF_ENROLMENTS)
    + """
SELECT enrolment_id, sum(answered)::int, sum(asked)::int
FROM page JOIN annotations_page one ON one.id = page.page_id AND one.role <> 'training'
GROUP BY enrolment_id
"""
)

BY_PSEUDONYM = (
    "WITH "
    + page_sums(OF_ENROLMENTS)
    + """
SELECT enrolment.pseudonym, count(*) FILTER (WHERE page.answered = page.asked)::int
FROM page JOIN annotations_enrolment enrolment ON enrolment.id = page.enrolment_id
JOIN annotations_page one ON one.id = page.page_id AND one.role = 'counted'
GROUP BY enrolment.pseudonym
"""
)


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
    # The training pages, which are no part of the rest.
    training: SubtaskProgress | None = None

    @property
    def next_page(self) -> PageProgress | None:
        """Where the evaluator stopped: the first page with something missing, if there is one."""
        return first_unfinished(page for subtask in self.subtasks for page in subtask.pages)


def first_unfinished(pages: Iterable[PageProgress]) -> PageProgress | None:
    return next((page for page in pages if not page.is_finished), None)


def study_progress(enrolment: Enrolment) -> StudyProgress:
    """Return the progress of one enrolment, page by page, with one query."""
    with connection.cursor() as cursor:
        cursor.execute(BY_PAGE, {"enrolments": [enrolment.pk]})
        pages = [PageProgress(*row) for row in cursor.fetchall()]
    subtasks = []
    for number, found in groupby(pages, key=lambda page: page.subtask):
        done = tuple(found)
        subtasks.append(
            SubtaskProgress(
                sum(page.answered for page in done), sum(page.total for page in done), number, done
            )
        )
    training = subtasks.pop(0) if subtasks and subtasks[0].number == TRAINING_SUBTASK else None
    return StudyProgress(
        sum(subtask.answered for subtask in subtasks),
        sum(subtask.total for subtask in subtasks),
        tuple(subtasks),
        training,
    )


def pages_answered(study: Study) -> dict[str, int]:
    """Return how many pages each evaluator (pseudonym) of a study has answered in full, with two queries."""
    keys = list(study.enrolments.filter(withdrawn_at=None).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(BY_PSEUDONYM, {"enrolments": keys})
        return dict(cursor.fetchall())


def progress_of(enrolments: Iterable[Enrolment]) -> dict[int, Progress]:
    """Return the progress of each of the enrolments by its primary key, with one query."""
    keys = [enrolment.pk for enrolment in enrolments]
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(BY_ENROLMENT, {"enrolments": keys})
        found = {pk: Progress(answered, total) for pk, answered, total in cursor.fetchall()}
    # Whoever was given no page has no row.
    return {pk: found.get(pk, Progress(0, 0)) for pk in keys}
