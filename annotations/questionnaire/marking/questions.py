"""What a page asks about the errors of a text, and what its evaluator has marked so far."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from annotations.models import Study
from annotations.models.protocols.spans import LONGEST_NOTE, MOST_MARKS
from annotations.questionnaire.marking.marks import Mark, MarkedText, marked_text
from annotations.questionnaire.marking.saving import SPANS_OF, spans_of
from annotations.questionnaire.marking.scheme import Scheme, scheme_of

BLANK_ROWS = 3
STORED = f"""
SELECT placement.token, marking.is_done, {SPANS_OF.format(of="marking")}, marking.client_order, marking.saved_at
FROM annotations_placement placement JOIN annotations_marking marking USING (enrolment_id, candidate_id)
WHERE placement.enrolment_id = %(enrolment)s AND placement.page_id = %(page)s
"""


@dataclass(frozen=True)
class MarkingQuestion:
    """The errors of one text. Its name is the token and `marks`."""

    token: str
    letter: str
    text: MarkedText
    scheme: Scheme
    # In the text as it is shown.
    marks: tuple[Mark, ...] = ()
    is_done: bool = False
    # Whether it can be answered now.
    is_open: bool = True
    client_order: int = 0
    saved_at: datetime | None = None

    most = MOST_MARKS
    longest_note = LONGEST_NOTE

    @property
    def name(self) -> str:
        return f"{self.token}.marks"

    @property
    def anchor(self) -> str:
        return f"{self.letter.lower()}-marks"

    @property
    def label(self) -> str:
        return _("Errors")

    @property
    def score(self) -> int | None:
        """Something where all errors are marked, as of a rating."""
        return len(self.marks) if self.is_done else None

    @property
    def value(self) -> str:
        """All of the answer, as the browser reads it."""
        return json.dumps({"marks": [asdict(one) for one in self.marks], "done": self.is_done})

    @property
    def blank_rows(self) -> range:
        """The numbers of the new marks that a form takes at a time."""
        return range(1, min(BLANK_ROWS, MOST_MARKS - len(self.marks)) + 1)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The marks in words."""
        return [
            {
                "number": number,
                "words": None if one.start is None else self.text.shown[one.start : one.end],
                "category": self.scheme.category[one.category].label,
                "severity": self.scheme.severity[one.severity].label,
                "note": one.note,
            }
            for number, one in enumerate(self.marks, start=1)
        ]


def marking_questions(
    study: Study, texts: Iterable[tuple[str, str, str]], *, of: tuple[int, int] | None, is_open: bool = True
) -> dict[str, MarkingQuestion]:
    """Return the questions about the errors of texts by their tokens, with two queries; none where none are marked.

    :param texts: the token, the letter and what was written of each text
    :param of: the enrolment and the page (primary keys); nobody has marked anything in a preview
    """
    if not study.asks.marks_errors:
        return {}
    scheme = scheme_of(study.pk)
    stored = {} if of is None else stored_markings(*of)
    questions = {}
    for token, letter, written in texts:
        text = marked_text(written, study.normalisation, study.genre)
        is_done, rows, order, saved_at = stored.get(token, (False, [], 0, None))
        marks = tuple(text.to_shown(one) for one in spans_of(rows, scheme))
        questions[token] = MarkingQuestion(
            token, letter, text, scheme, marks, is_done, is_open, client_order=order, saved_at=saved_at
        )
    return questions


def stored_markings(enrolment: int, page: int) -> dict[str, tuple[bool, Any, int, datetime]]:
    """Return the markings of an evaluator on a page by the tokens of the texts, with one query."""
    with connection.cursor() as cursor:
        cursor.execute(STORED, {"enrolment": enrolment, "page": page})
        return {
            token: (is_done, rows, client_order, saved_at)
            for token, is_done, rows, client_order, saved_at in cursor.fetchall()
        }
