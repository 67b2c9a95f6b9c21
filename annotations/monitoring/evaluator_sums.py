"""How far every evaluator of a study is and whether their answers count: sums that the database makes and keeps.

The pages are those of `annotations.questionnaire.completeness`, each summed up once after its last change. Who
counts is decided by the rule of `annotations.results.consistency`, as in the report.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from annotations.models import Enrolment, Study
from annotations.questionnaire.completeness import OF_STALE_PAGES, page_sums
from annotations.results.consistency import Exclusion, exclusion_of

COLUMNS = (
    "enrolment_id, page_id, asked, answered, is_inconsistent, first_at, last_at,"
    " longest_seconds, first_change_at, last_change_at"
)
# What changes an answer counts the page's `changes` up (triggers of `0037_page_sums`), so the kept sums of a page are
# those of now where they were taken at that count. What is stale is summed up here, from the answers, and kept for the
# next who asks; whoever is saving on such a page at this moment, or has seen it change, keeps their row.
KEPT = f"""
WITH {page_sums(OF_STALE_PAGES)},
summed AS (
    SELECT min(id) AS id, min(changes) AS changes, enrolment_id, page_id, min(asked) AS asked,
           min(answered) AS answered, bool_or(is_inconsistent) AS is_inconsistent, min(first_at) AS first_at,
           min(last_at) AS last_at, max(seconds_on_page) AS longest_seconds,
           min(changed_at) AS first_change_at, max(changed_at) AS last_change_at
    FROM (
        SELECT page.*, NULL::float8 AS seconds_on_page, NULL::timestamptz AS changed_at FROM page
        UNION ALL
        SELECT NULL, NULL, change.enrolment_id, change.page_id, NULL, NULL, NULL, NULL, NULL,
               change.seconds_on_page, change.changed_at
        FROM annotations_enrolment enrolment
        JOIN annotations_answerchange change ON change.enrolment_id = enrolment.id
        JOIN annotations_pagesums sums
            ON sums.enrolment_id = change.enrolment_id AND sums.page_id = change.page_id
        WHERE {OF_STALE_PAGES}
    ) page_and_its_changes
    GROUP BY enrolment_id, page_id
),
kept AS (
    UPDATE annotations_pagesums sums SET
        summed_at_change = free.changes, asked = free.asked, answered = free.answered,
        is_inconsistent = free.is_inconsistent, first_at = free.first_at, last_at = free.last_at,
        longest_seconds = free.longest_seconds, first_change_at = free.first_change_at,
        last_change_at = free.last_change_at
    FROM (
        SELECT summed.* FROM summed
        JOIN annotations_pagesums now ON now.id = summed.id AND now.changes = summed.changes
        FOR UPDATE OF now SKIP LOCKED
    ) free
    WHERE sums.id = free.id
),
one_page AS (
    SELECT {COLUMNS} FROM summed
    UNION ALL
    SELECT {COLUMNS} FROM annotations_pagesums sums
    WHERE sums.summed_at_change = sums.changes
        AND sums.enrolment_id IN (SELECT id FROM annotations_enrolment WHERE study_id = %(study)s)
)
"""
# What checks how carefully people answer is no part of how far they are.
COUNTED = """(
    SELECT page.id FROM annotations_page page JOIN annotations_subtask subtask ON subtask.id = page.subtask_id
    WHERE subtask.study_id = %(study)s AND page.role = 'counted'
)"""
# Two sums over the same pages in one statement: of each evaluator, and, with no evaluator in front, how many prompts
# of each sub-task have been answered in full by how many evaluators.
SUMS = (
    KEPT
    + f"""
SELECT enrolment_id, count(*), count(*) FILTER (WHERE answered = asked), count(is_inconsistent),
       count(*) FILTER (WHERE is_inconsistent), sum(answered), sum(asked), min(first_at), max(last_at),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY longest_seconds), min(first_change_at), max(last_change_at)
FROM one_page WHERE page_id IN {COUNTED} GROUP BY enrolment_id
UNION ALL
SELECT NULL, one.subtask_id, complete.evaluators, count(*), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (SELECT page_id, count(*) FILTER (WHERE answered = asked) AS evaluators FROM one_page
      WHERE page_id IN {COUNTED} GROUP BY page_id) complete
JOIN annotations_page one ON one.id = complete.page_id
GROUP BY one.subtask_id, complete.evaluators
"""
)


@dataclass(frozen=True)
class EvaluatorSums:
    """How far one evaluator is: pages, answers (ratings and picks), and why they do not count, if so.

    A page is judged once its pick has an overall rating: then it is consistent or not.
    """

    enrolment: Enrolment
    exclusion: Exclusion | None
    pages: int = 0
    pages_answered: int = 0
    pages_judged: int = 0
    pages_inconsistent: int = 0
    answered: int = 0
    asked: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    # By the history: the median time that a page was in view, the first and the last change.
    page_seconds: float | None = None
    first_change_at: datetime | None = None
    last_change_at: datetime | None = None

    @property
    def is_started(self) -> bool:
        return self.answered > 0

    @property
    def is_finished(self) -> bool:
        return self.exclusion != "unfinished"

    @property
    def is_valid(self) -> bool:
        return self.exclusion is None

    @property
    def missing(self) -> int:
        return self.asked - self.answered

    @property
    def inconsistent_share(self) -> float | None:
        return self.pages_inconsistent / self.pages_judged if self.pages_judged else None


@dataclass(frozen=True)
class Coverage:
    """So many prompts of a sub-task have been answered in full by so many evaluators."""

    subtask: int
    evaluators: int
    prompts: int


@dataclass(frozen=True)
class StudySums:
    """The evaluators of a study in order of enrolment, and what is answered of its sub-tasks (by primary key)."""

    evaluators: tuple[EvaluatorSums, ...]
    coverage: tuple[Coverage, ...]


def study_sums(study: Study) -> StudySums:
    """Return how far every evaluator of a study is and what of it is answered, with two queries."""
    with connection.cursor() as cursor:
        cursor.execute(SUMS, {"study": study.pk})
        rows = cursor.fetchall()
    of_evaluator = {enrolment: sums for enrolment, *sums in rows if enrolment is not None}
    related = ("evaluator", "group", "study__rating_import")
    found = Enrolment.objects.filter(study=study).select_related(*related).with_is_over()
    enrolments = list(found.order_by("number"))
    imported = enrolments[0].study.from_elsewhere if enrolments else None
    everybody_counts = imported is not None and imported.everybody_counts
    return StudySums(
        evaluators=tuple(
            evaluator_sums(
                enrolment,
                study.inconsistency_threshold,
                *of_evaluator.get(enrolment.pk, ()),
                everybody_counts=everybody_counts,
            )
            for enrolment in enrolments
        ),
        coverage=tuple(Coverage(*sums[:3]) for enrolment, *sums in rows if enrolment is None),
    )


def sums_by_evaluator(study: Study) -> tuple[EvaluatorSums, ...]:
    """Return how far every evaluator of a study is, in order of enrolment, with two queries."""
    return study_sums(study).evaluators


def evaluator_sums(
    enrolment: Enrolment,
    threshold: Decimal,
    pages: int = 0,
    pages_answered: int = 0,
    pages_judged: int = 0,
    pages_inconsistent: int = 0,
    answered: int = 0,
    asked: int = 0,
    first_at: datetime | None = None,
    last_at: datetime | None = None,
    page_seconds: float | None = None,
    first_change_at: datetime | None = None,
    last_change_at: datetime | None = None,
    *,
    everybody_counts: bool = False,
) -> EvaluatorSums:
    """Return how far one evaluator is by the sums over their pages."""
    exclusion = exclusion_of(
        pages=pages, answered=pages_answered, inconsistent=pages_inconsistent, threshold=threshold
    )
    return EvaluatorSums(
        enrolment,
        None if everybody_counts else exclusion,
        pages,
        pages_answered,
        pages_judged,
        pages_inconsistent,
        int(answered),
        int(asked),
        first_at,
        last_at,
        page_seconds,
        first_change_at,
        last_change_at,
    )
