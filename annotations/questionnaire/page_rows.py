"""What is read of one page of one evaluator: four statements, each planned once a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from annotations.models import Criterion, Enrolment, Study
from generation.models import Prompt
from generation.web.prepared import PreparedStatement, columns_of, object_of

# As `EnrolmentQuerySet.answering` reads it, which takes five times as long to put together as to run.
ENROLMENT = PreparedStatement(
    "answering_enrolment",
    f"""
    SELECT {columns_of(Enrolment, "enrolment")}, {columns_of(Study, "study")},
           study.state = 'open' AND enrolment.deadline > statement_timestamp(),
           study.state = 'closed' OR enrolment.deadline <= statement_timestamp()
    FROM annotations_enrolment enrolment
    JOIN annotations_study study ON study.id = enrolment.study_id
    WHERE enrolment.evaluator_id = %(evaluator)s AND enrolment.source = 'questionnaire' AND study.slug = %(slug)s
    """,  # noqa: S608 - names of columns
    {"evaluator": "bigint", "slug": "text"},
)

# Numbers in an address may be of any size.
PAGE = PreparedStatement(
    "rating_page",
    """
    SELECT prompt.*, page.id AS page_id, (
        SELECT count(*) FROM annotations_page other
        WHERE other.subtask_id = page.subtask_id AND EXISTS (
            SELECT FROM annotations_placement WHERE enrolment_id = %(enrolment)s AND page_id = other.id)
    ) AS pages, EXISTS (
        SELECT FROM annotations_qualitycontrol WHERE study_id = %(study)s AND has_flags
    ) AND page.role <> 'training' AS notes_events
    FROM annotations_subtask subtask
    JOIN annotations_page page ON page.subtask_id = subtask.id AND page.number = %(number)s
    JOIN generation_prompt prompt ON prompt.id = page.prompt_id
    WHERE subtask.study_id = %(study)s AND subtask.number = %(subtask)s AND EXISTS (
        SELECT FROM annotations_placement WHERE enrolment_id = %(enrolment)s AND page_id = page.id)
    """,
    {"enrolment": "bigint", "study": "bigint", "subtask": "numeric", "number": "numeric"},
)
TEXTS = PreparedStatement(
    "rating_page_texts",
    """
    SELECT placement.token, placement.position, candidate.text, given.scores,
           coalesce(choice.candidate_id = placement.candidate_id, false),
           greatest(given.client_order, choice.client_order), greatest(given.saved_at, choice.saved_at)
    FROM annotations_placement placement
    JOIN generation_candidate candidate ON candidate.id = placement.candidate_id
    LEFT JOIN LATERAL (
        SELECT array_agg(ARRAY[criterion_id, score]) AS scores, max(client_order) AS client_order,
               max(saved_at) AS saved_at
        FROM annotations_rating
        WHERE enrolment_id = placement.enrolment_id AND candidate_id = placement.candidate_id
    ) given ON true
    LEFT JOIN annotations_bestchoice choice
        ON choice.enrolment_id = placement.enrolment_id AND choice.page_id = placement.page_id
    WHERE placement.enrolment_id = %(enrolment)s AND placement.page_id = %(page)s
    ORDER BY placement.position
    """,
    {"enrolment": "bigint", "page": "bigint"},
)
CRITERIA = PreparedStatement(
    "criteria_of_study",
    "SELECT * FROM annotations_criterion WHERE study_id = %(study)s ORDER BY number",
    {"study": "bigint"},
)


@dataclass(frozen=True)
class StoredText:
    """A text on a page with what its evaluator has answered about it: scores by the criteria's primary keys."""

    token: str
    position: int
    text: str
    scores: Mapping[int, float]
    is_best: bool
    # Of the answers about it, the pick of the page among them.
    highest_order: int
    saved_at: datetime | None


def find_enrolment(evaluator: int, slug: str) -> Enrolment | None:
    """Return the enrolment in which somebody (primary key) answers a study, read as `Enrolment.objects.answering`."""
    with connection.cursor() as cursor:
        cursor.execute(ENROLMENT.ready(), {"evaluator": evaluator, "slug": slug})
        row = cursor.fetchone()
    if row is None:
        return None
    own = len(Enrolment._meta.concrete_fields)
    enrolment = object_of(Enrolment, row[:own])
    enrolment.study = object_of(Study, row[own:-2])
    vars(enrolment).update(is_open=row[-2], is_over=row[-1])
    return enrolment


def find_page(enrolment: Enrolment, subtask: int, number: int) -> tuple[Prompt, int, int, bool] | None:
    """Return the prompt of a page of this enrolment, the page's primary key, how many pages its sub-task has, and
    whether what happens there beside the answers is noted.
    """
    parameters = {
        "enrolment": enrolment.pk,
        "study": enrolment.study_id,
        "subtask": subtask,
        "number": number,
    }
    prompt = next(iter(Prompt.objects.raw(PAGE.ready(), parameters)), None)
    if prompt is None:
        return None
    read = vars(prompt)
    return prompt, read["page_id"], read["pages"], read["notes_events"]


def texts_of(enrolment: Enrolment, page: int) -> list[StoredText]:
    """Return the texts of a page in the order of the evaluator."""
    with connection.cursor() as cursor:
        cursor.execute(TEXTS.ready(), {"enrolment": enrolment.pk, "page": page})
        return [
            StoredText(
                token,
                position,
                text,
                {int(pk): int(score) if score.is_integer() else score for pk, score in scores or ()},
                is_best,
                order or 0,
                saved_at,
            )
            for token, position, text, scores, is_best, order, saved_at in cursor.fetchall()
        ]


def criteria_of(study: int) -> list[Criterion]:
    return list(Criterion.objects.raw(CRITERIA.ready(), {"study": study}))
