"""Saving what an evaluator writes: each version that is sent becomes a row, and none is lost.

Each save is one statement after the rules of `annotations.questionnaire.saving`. Of two versions the one of the higher
client order counts, and the other one stays beside it; what is written already is not stored again. So that nobody
fills the disk, a page keeps so many versions by one evaluator, and so much; what was written can be taken back always.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _

from annotations.models import WrittenAnswer
from annotations.questionnaire.saving import (
    PLACE_TYPES,
    TARGET,
    Answer,
    AnswerRefused,
    PageAddress,
    refuse_place,
    refuse_unless_open,
)
from generation.texts.characters import UNSTORABLE
from generation.web.prepared import PreparedStatement

Kind = WrittenAnswer.Kind
# A corrected text may be as long as a text.
LONGEST = {Kind.REASON: 5_000, Kind.CORRECTION: 50_000}
# Of one evaluator on one page, all versions of all that is written there; as many bytes as 26 longest texts in Chinese.
MOST_VERSIONS = 1_000
MOST_BYTES = 4_000_000

SAVE = f"""
WITH target AS ({
    TARGET.format(
        columns=", CASE WHEN %(kind)s = 'reason' AND study.reasons = 'page' THEN NULL"
        " ELSE placement.candidate_id END AS about_id",
        joins="AND CASE %(kind)s WHEN 'correction' THEN study.has_corrections ELSE study.reasons <> 'none' END",
    )
}),
latest AS (
    SELECT written.text, written.client_order, written.saved_at
    FROM target JOIN annotations_writtenanswer written
        ON written.enrolment_id = target.enrolment_id AND written.page_id = target.page_id
        AND written.candidate_id IS NOT DISTINCT FROM target.about_id AND written.kind = %(kind)s
    ORDER BY written.client_order DESC LIMIT 1
),
kept AS (
    -- The size of a text is known without reading it.
    SELECT count(*) < %(most_versions)s
        AND coalesce(sum(octet_length(written.text)), 0) + octet_length(%(text)s) <= %(most_bytes)s AS has_room
    FROM target JOIN annotations_writtenanswer written
        ON written.enrolment_id = target.enrolment_id AND written.page_id = target.page_id
),
saved AS (
    INSERT INTO annotations_writtenanswer
        (enrolment_id, page_id, candidate_id, kind, text, client_order, saved_at)
    SELECT enrolment_id, page_id, about_id, %(kind)s, %(text)s, target.client_order, now()
    FROM target CROSS JOIN kept LEFT JOIN latest ON true
    WHERE is_open AND is_agreed AND coalesce(latest.text, '') <> %(text)s
        AND (has_room OR %(text)s = '' AND target.client_order > latest.client_order)
    ON CONFLICT DO NOTHING
    RETURNING client_order, saved_at
)
SELECT target.is_open, target.is_agreed, target.state, saved.client_order, saved.saved_at,
    latest.text, latest.client_order, latest.saved_at, now(), kept.has_room
FROM target CROSS JOIN kept LEFT JOIN saved ON true LEFT JOIN latest ON true
"""  # noqa: S608 - put together from constants; every value is a parameter
SAVE_A_TEXT = PreparedStatement(
    "save_written_answer",
    SAVE,
    PLACE_TYPES
    | {"client_order": "bigint", "kind": "text", "text": "text"}
    | {"most_versions": "bigint", "most_bytes": "bigint"},
)


@dataclass(frozen=True)
class SentText:
    """A version of a reason or of a corrected text as the browser sends it; `token` is that of a text of the page."""

    token: str
    kind: str
    text: str
    client_order: int


@dataclass(frozen=True)
class TextReceipt:
    """What counts now. `is_latest` is false where a version written later had been stored before."""

    token: str
    kind: str
    text: str
    client_order: int
    saved_at: datetime
    is_latest: bool


class BadText(AnswerRefused):
    """A text that is too long, that cannot be stored, or of which its page has too many versions."""

    status = HTTPStatus.BAD_REQUEST


def save_text(evaluator: User, address: PageAddress, sent: SentText) -> TextReceipt:
    """Save a version of what an evaluator writes and return what counts now, with one query.

    Raises `BadText`, otherwise as `annotations.questionnaire.saving.save_answer` does.
    """
    if sent.kind not in Kind.values:
        refuse_place(evaluator, as_answer(sent))
    longest = LONGEST[Kind(sent.kind)]
    if len(sent.text) > longest:
        raise BadText(_("Give at most %(longest)d characters.") % {"longest": longest})
    if UNSTORABLE.search(sent.text):
        raise BadText(_("This text has a character that is none."))
    parameters = {
        **vars(address),
        **vars(sent),
        "evaluator": evaluator.pk,
        "most_versions": MOST_VERSIONS,
        "most_bytes": MOST_BYTES,
    }
    with connection.cursor() as cursor:
        cursor.execute(SAVE_A_TEXT.ready(), parameters)
        row = cursor.fetchone()
    if row is None:
        refuse_place(evaluator, as_answer(sent))
    is_open, is_agreed, state, order, saved_at, latest, latest_order, latest_at, now, has_room = row
    refuse_unless_open(state, is_open=is_open, is_agreed=is_agreed)
    if saved_at is not None and (latest_order is None or order > latest_order):
        return TextReceipt(sent.token, sent.kind, sent.text, order, saved_at, is_latest=True)
    if not has_room and sent.text not in ("", latest):
        raise BadText(
            _("This page keeps no more versions of what you write. What was saved last stays, and counts.")
        )
    if latest is None:
        # Nothing was written, and nothing is.
        return TextReceipt(sent.token, sent.kind, "", sent.client_order, now, is_latest=True)
    return TextReceipt(sent.token, sent.kind, latest, latest_order, latest_at, is_latest=latest == sent.text)


def as_answer(sent: SentText) -> Answer:
    """Return what tells whose place is meant."""
    return Answer(sent.token, sent.client_order)


@transaction.atomic
def save_texts(evaluator: User, address: PageAddress, texts: Sequence[SentText]) -> None:
    """Save all that was written on a page that was sent as one form, or nothing if some of it is refused."""
    for sent in texts:
        save_text(evaluator, address, sent)
