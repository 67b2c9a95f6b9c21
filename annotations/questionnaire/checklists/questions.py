"""The items of a page's checklist as questions about its texts, with what its evaluator has answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from annotations.models import ChecklistItem, Enrolment
from annotations.models.texts_by_language import TextsByLanguage
from annotations.protocols.protocol import Option
from annotations.questionnaire.checklists.saving import wrong_answer
from generation.web.prepared import PreparedStatement

ITEMS = PreparedStatement(
    "checklist_of_page",
    """
    SELECT item.*, given.tokens, given.given, given.highest_order, given.last_at
    FROM annotations_checklistitem item
    LEFT JOIN LATERAL (
        SELECT array_agg(placement.token) AS tokens, array_agg(answer.answer) AS given,
               max(answer.client_order) AS highest_order, max(answer.saved_at) AS last_at
        FROM annotations_placement placement
        JOIN annotations_checklistanswer answer USING (enrolment_id, candidate_id)
        WHERE placement.enrolment_id = %(enrolment)s AND placement.page_id = %(page)s AND answer.item_id = item.id
    ) given ON true
    WHERE item.study_id = %(study)s AND (item.page_id IS NULL OR item.page_id = %(page)s)
    ORDER BY item.page_id NULLS FIRST, item.number
    """,
    {"enrolment": "bigint", "page": "bigint", "study": "bigint"},
)


@dataclass(frozen=True)
class AskedItem:
    """An item of a page's checklist, with the answers given about its texts by their tokens."""

    item: ChecklistItem
    answers: Mapping[str, int]
    highest_order: int = 0
    saved_at: datetime | None = None


@dataclass(frozen=True)
class ChecklistQuestion:
    """An item asked about one text. Its name is the token and the item's key."""

    item: ChecklistItem
    token: str
    letter: str
    # A `ChecklistAnswer.Answer`.
    score: int | None
    is_open: bool = True

    @property
    def key(self) -> str:
        return self.item.key

    @property
    def label(self) -> TextsByLanguage:
        text: TextsByLanguage = self.item.text
        return text

    @property
    def name(self) -> str:
        return f"{self.token}.{self.key}"

    @property
    def anchor(self) -> str:
        return f"{self.letter.lower()}-{self.key}"

    @property
    def options(self) -> list[Option]:
        """The answers to choose from."""
        words = [pgettext("a statement holds", "yes"), pgettext("a statement holds", "no")]
        if self.item.may_not_apply:
            words.append(_("does not apply"))
        return [Option(number, word) for number, word in enumerate(words, start=1)]

    @property
    def points(self) -> range:
        return range(1, len(self.options) + 1)

    @property
    def off_scale(self) -> str:
        """What is said of an answer that the item does not have."""
        return wrong_answer(may_not_apply=self.item.may_not_apply)

    @property
    def field_html(self) -> SafeString:
        return render_to_string("annotations/questionnaire/_item.html", {"question": self})

    @property
    def missing_html(self) -> SafeString:
        """Its place in the list of what is missing."""
        return render_to_string("annotations/questionnaire/_missing.html", {"question": self})


def asked_items(enrolment: Enrolment, page: int) -> list[AskedItem]:
    """Return the items of a page (primary key) with what the evaluator has answered, with one query."""
    parameters = {"enrolment": enrolment.pk, "page": page, "study": enrolment.study_id}
    found = []
    for item in ChecklistItem.objects.raw(ITEMS.ready(), parameters):
        read = vars(item)
        answers = dict(zip(read["tokens"] or (), read["given"] or (), strict=True))
        found.append(AskedItem(item, answers, read["highest_order"] or 0, read["last_at"]))
    return found


def checklist_questions(
    asked: Sequence[AskedItem], token: str, letter: str, *, is_open: bool
) -> list[ChecklistQuestion]:
    """Return the items of a page as questions about one of its texts."""
    return [
        ChecklistQuestion(one.item, token, letter, one.answers.get(token), is_open=is_open) for one in asked
    ]
