"""Saving what an evaluator has marked in a text: the only writer of marks made in the questionnaire.

All marks of a text are one answer, saved by the rules of `annotations.questionnaire.saving`: the later one by client
order stays, a repeated request changes nothing, nothing slips in after the deadline, and the history has every version.
The place of the text is locked first, so that of two windows one takes the marks of the other out before it puts in
its own. So that nobody fills the disk, the history of a text keeps so many versions by one evaluator, and so much.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _

from annotations.protocols.table import PROTOCOLS
from annotations.questionnaire.marking.marks import BadMark, Mark, MarkedText, checked_marks, marked_text
from annotations.questionnaire.marking.scheme import SCHEME, Scheme
from annotations.questionnaire.saving import (
    MILLISECONDS,
    TARGET,
    Answer,
    PageAddress,
    UnknownPlace,
    refuse_place,
    refuse_unless_open,
)


@dataclass(frozen=True)
class SentMarking:
    """All marks in a text as the browser sends them, and whether they are all; `digest` names the text it shows."""

    token: str
    client_order: int
    marks: tuple[Mark, ...]
    is_done: bool
    seconds_on_page: float | None = None
    digest: str | None = None


@dataclass(frozen=True)
class MarkingReceipt:
    """What is stored now, in the text as it is shown. `is_latest` is false where a later answer had been stored before.

    `is_widened` is true where a mark would have cut a character, and now has all of it.
    """

    token: str
    marks: tuple[Mark, ...]
    is_done: bool
    client_order: int
    saved_at: datetime
    is_latest: bool
    is_widened: bool = False


# Of one evaluator's marks in one text; bytes as the database stores them.
MOST_VERSIONS = 1_000
MOST_BYTES = 4_000_000

# Locks are taken in the order of `TARGET`.
LOOK_UP = f"""
SELECT candidate.text, study.normalisation, study.genre, study.protocol, {SCHEME.format(study="study.id")}
FROM annotations_placement placement
JOIN annotations_enrolment enrolment ON enrolment.id = placement.enrolment_id
JOIN annotations_study study ON study.id = enrolment.study_id
JOIN annotations_page page ON page.id = placement.page_id
JOIN annotations_subtask subtask ON subtask.id = page.subtask_id
JOIN generation_candidate candidate ON candidate.id = placement.candidate_id
WHERE placement.token = %(token)s AND enrolment.evaluator_id = %(evaluator)s
  AND study.slug = %(slug)s AND subtask.number = %(subtask)s AND page.number = %(page)s
FOR SHARE OF study FOR NO KEY UPDATE OF placement
"""
SPANS_OF = """(SELECT coalesce(json_agg(json_build_array(span.start, span."end", span.category_id, span.severity_id,
    span.note) ORDER BY span.number), '[]') FROM annotations_span span
    WHERE span.enrolment_id = {of}.enrolment_id AND span.candidate_id = {of}.candidate_id)"""
IS_THE_SAME = f"""EXISTS (
    SELECT FROM annotations_marking marking WHERE marking.enrolment_id = placement.enrolment_id
        AND marking.candidate_id = placement.candidate_id AND marking.is_done = %(is_done)s)
    AND {SPANS_OF.format(of="placement")}::jsonb = %(spans)s::jsonb"""
HAS_ROOM = """(SELECT count(*) < %(most_versions)s
        AND coalesce(sum(pg_column_size(change.marking)), 0) + octet_length(%(marking)s) <= %(most_bytes)s
    FROM annotations_answerchange change WHERE change.enrolment_id = placement.enrolment_id
        AND change.candidate_id = placement.candidate_id AND change.marking IS NOT NULL)"""
SAVE = f"""
WITH target AS ({TARGET.format(columns=f", {IS_THE_SAME} AS is_the_same, {HAS_ROOM} AS has_room", joins="")}),
saved AS (
    INSERT INTO annotations_marking AS marking (enrolment_id, candidate_id, is_done, client_order, saved_at)
    SELECT enrolment_id, candidate_id, %(is_done)s, client_order, now() FROM target
    WHERE is_open AND is_agreed AND has_room AND (NOT is_the_same OR client_order = %(client_order)s)
    ON CONFLICT (enrolment_id, candidate_id) DO UPDATE
        SET is_done = excluded.is_done, client_order = excluded.client_order, saved_at = excluded.saved_at
        WHERE least(marking.client_order, {
    MILLISECONDS.format(time="marking.saved_at")
}) < excluded.client_order
    RETURNING enrolment_id, candidate_id, client_order, saved_at
),
removed AS (
    DELETE FROM annotations_span span USING saved
    WHERE span.enrolment_id = saved.enrolment_id AND span.candidate_id = saved.candidate_id
),
added AS (
    INSERT INTO annotations_span
        (enrolment_id, candidate_id, number, start, "end", category_id, severity_id, note)
    SELECT saved.enrolment_id, saved.candidate_id, span.number - 1, (span.of ->> 0)::int, (span.of ->> 1)::int,
           (span.of ->> 2)::bigint, (span.of ->> 3)::bigint, span.of ->> 4
    FROM saved, jsonb_array_elements(%(spans)s::jsonb) WITH ORDINALITY AS span(of, number)
),
history AS (
    INSERT INTO annotations_answerchange
        (enrolment_id, page_id, candidate_id, marking, client_order, seconds_on_page, changed_at)
    SELECT target.enrolment_id, page_id, target.candidate_id, %(marking)s::jsonb, saved.client_order,
           %(seconds_on_page)s, saved_at
    FROM target, saved
)
SELECT target.is_open, target.is_agreed, target.state, saved.client_order, saved.saved_at,
    target.has_room OR target.is_the_same
FROM target LEFT JOIN saved ON true
"""
READ = f"""
SELECT marking.is_done, {SPANS_OF.format(of="marking")}, marking.client_order, marking.saved_at
FROM annotations_placement placement JOIN annotations_marking marking USING (enrolment_id, candidate_id)
WHERE placement.token = %(token)s
"""


def save_marking(evaluator: User, address: PageAddress, sent: SentMarking) -> MarkingReceipt:
    """Save all marks of an evaluator in a text and return what is stored now, with two queries.

    A mark that would cut a character is widened to all of it. Raises `BadMark` for marks that cannot be, otherwise as
    `save_answer` does, and then nothing has changed.
    """
    parameters: dict[str, Any] = {
        **vars(address),
        **vars(sent),
        "evaluator": evaluator.pk,
        "most_versions": MOST_VERSIONS,
        "most_bytes": MOST_BYTES,
    }
    bad = target = stored = None
    # Refusals are raised after it: nothing was written, and there is nothing to go back to.
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(LOOK_UP, parameters)
        found = cursor.fetchone()
        if found is not None:
            text, scheme = marked_text(*found[:3]), Scheme.of_rows(*found[4:])
            try:
                refuse_another_text(found[3], text, sent)
                spans = checked_marks(text, sent.marks, scheme)
            except (BadMark, UnknownPlace) as error:
                bad = error
            else:
                cursor.execute(SAVE, parameters | stored_as(spans, scheme, is_done=sent.is_done))
                target = cursor.fetchone()
                if target is not None and target[4] is None:
                    cursor.execute(READ, parameters)
                    stored = cursor.fetchone()
    if bad is not None:
        raise bad
    if target is None:
        refuse_place(evaluator, Answer(sent.token, sent.client_order))
    is_open, is_agreed, state, client_order, saved_at, has_room = target
    refuse_unless_open(state, is_open=is_open, is_agreed=is_agreed)
    if not has_room:
        raise BadMark(
            _("No more versions are kept of the marks in this text. Those saved last stay, and count.")
        )
    is_done = sent.is_done
    is_latest = stored is None
    if stored is not None:
        is_done, rows, client_order, saved_at = stored
        there = spans_of(rows, scheme)
        is_latest = (there, is_done) == (spans, sent.is_done) and client_order <= sent.client_order
        spans = there
    shown = tuple(text.to_shown(one) for one in spans)
    return MarkingReceipt(
        sent.token,
        shown,
        is_done,
        client_order,
        saved_at,
        is_latest,
        is_widened=is_latest and shown != sent.marks,
    )


def refuse_another_text(protocol: str, text: MarkedText, sent: SentMarking) -> None:
    """Raise `UnknownPlace` where no errors are marked, or where the browser shows another text than there is now."""
    if not PROTOCOLS[protocol].marks_errors or sent.digest not in (None, text.digest):
        raise UnknownPlace(_("This page has changed. Load it again."))


def stored_as(spans: Sequence[Mark], scheme: Scheme, *, is_done: bool) -> dict[str, str]:
    """Return spans as the statement takes them, and as the history keeps them."""
    rows = [
        (one.start, one.end, scheme.category[one.category].pk, scheme.severity[one.severity].pk, one.note)
        for one in spans
    ]
    return {
        "spans": json.dumps(rows),
        "marking": json.dumps({"is_done": is_done, "marks": [asdict(one) for one in spans]}),
    }


def spans_of(rows: Any, scheme: Scheme) -> list[Mark]:
    """Return spans from the rows of `SPANS_OF`."""
    categories = {one.pk: one.key for one in scheme.categories}
    severities = {one.pk: one.key for one in scheme.severities}
    return [
        Mark(categories[category], severities[severity], start, end, note)
        for start, end, category, severity, note in rows
    ]


def save_markings(evaluator: User, address: PageAddress, markings: Sequence[SentMarking]) -> None:
    """Save the marks of a page that was sent as one form."""
    for marking in markings:
        save_marking(evaluator, address, marking)
