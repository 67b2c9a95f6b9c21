"""What may be written on a page, and what its evaluator has written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from annotations.models import Enrolment, Study
from annotations.questionnaire.written.saving import LONGEST, Kind
from generation.web.prepared import PreparedStatement

LATEST = PreparedStatement(
    "written_on_page",
    """
    SELECT DISTINCT ON (written.candidate_id, written.kind)
           placement.token, written.kind, written.text, written.client_order, written.saved_at
    FROM annotations_writtenanswer written
    LEFT JOIN annotations_placement placement
        ON placement.enrolment_id = written.enrolment_id AND placement.candidate_id = written.candidate_id
    WHERE written.enrolment_id = %(enrolment)s AND written.page_id = %(page)s
    ORDER BY written.candidate_id, written.kind, written.client_order DESC
    """,
    {"enrolment": "bigint", "page": "bigint"},
)


@dataclass(frozen=True)
class WrittenText:
    """The version that counts."""

    text: str
    highest_order: int
    saved_at: datetime


# By the token of the text, none for the page, and the kind.
Written = Mapping[tuple[str | None, str], WrittenText]


@dataclass(frozen=True)
class WrittenField:
    """A place to write on a page. Its name is the token of a text and the kind."""

    kind: str
    token: str
    # Of the text that it is about; empty for the page.
    letter: str
    text: str
    is_open: bool
    # Whether the evaluator has written it: a correction begins with the text as it is shown.
    is_written: bool = True

    @property
    def name(self) -> str:
        return f"{self.token}~{self.kind}"

    @property
    def anchor(self) -> str:
        return f"{self.letter.lower() or 'page'}-{self.kind}"

    @property
    def is_reason(self) -> bool:
        return self.kind == Kind.REASON

    @property
    def longest(self) -> int:
        return LONGEST[Kind(self.kind)]


def has_written(study: Study) -> bool:
    """Whether anything may be written on the pages of a study."""
    return study.reasons != Study.Reasons.NONE or study.has_corrections


def written_on(enrolment: Enrolment, page: int) -> Written:
    """Return what an evaluator has written on a page (primary key); one query where the study lets them."""
    if not has_written(enrolment.study):
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LATEST.ready(), {"enrolment": enrolment.pk, "page": page})
        return {(token, kind): WrittenText(*latest) for token, kind, *latest in cursor.fetchall()}


def fields_of_text(
    study: Study, written: Written, token: str, letter: str, shown: str, *, is_open: bool
) -> list[WrittenField]:
    """Return the places to write about one text, which is shown as `shown`."""
    kinds = [
        *([Kind.REASON] if study.reasons == Study.Reasons.CANDIDATE else []),
        *([Kind.CORRECTION] if study.has_corrections else []),
    ]
    found = []
    for kind in kinds:
        latest = written.get((token, kind))
        text = latest.text if latest else ""
        # Whoever corrects begins with the text as they see it.
        given = shown if kind == Kind.CORRECTION and not text else text
        found.append(WrittenField(kind, token, letter, given, is_open, bool(text)))
    return found


def fields_of_page(
    study: Study, written: Written, tokens: Sequence[str], *, is_open: bool
) -> list[WrittenField]:
    """Return the places to write about a whole page."""
    if study.reasons != Study.Reasons.PAGE or not tokens:
        return []
    latest = written.get((None, Kind.REASON))
    return [WrittenField(Kind.REASON, tokens[0], "", latest.text if latest else "", is_open)]
