"""Saving what an evaluator says of a checklist's item and a text: the only writer of these answers.

Each save is one statement, by the rules of `annotations.questionnaire.saving`.
"""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.db import connection
from django.utils.translation import gettext as _

from annotations.models import ChecklistAnswer
from annotations.questionnaire.saving import (
    ANSWER_TYPES,
    IS_LATER,
    PLACE_TYPES,
    TARGET,
    Answer,
    OffScale,
    PageAddress,
    Receipt,
    refuse_place,
    refuse_unless_open,
    stored_receipt,
)
from generation.web.prepared import PreparedStatement

# As `ChecklistItem.key` writes it.
ITEM = re.compile(r"(study|prompt)-([1-9][0-9]{0,2})")

SAVE = f"""
WITH target AS ({
    TARGET.format(
        columns=", item.id AS item_id, item.may_not_apply",
        joins="JOIN annotations_checklistitem item ON item.study_id = study.id AND item.number = %(number)s"
        " AND study.protocol = 'checklist'"
        " AND CASE WHEN %(of_prompt)s THEN item.page_id = page.id ELSE item.page_id IS NULL END",
    )
}),
saved AS (
    INSERT INTO annotations_checklistanswer AS stored
        (enrolment_id, candidate_id, item_id, answer, client_order, saved_at)
    SELECT enrolment_id, candidate_id, item_id, %(score)s, client_order, now()
    FROM target WHERE is_open AND is_agreed AND (may_not_apply OR %(score)s <> 3)
    ON CONFLICT (enrolment_id, candidate_id, item_id) DO UPDATE
        SET answer = excluded.answer, client_order = excluded.client_order, saved_at = excluded.saved_at
        WHERE {IS_LATER.format(stored="stored", answer="answer")}
    RETURNING client_order, saved_at
),
history AS (
    INSERT INTO annotations_answerchange
        (enrolment_id, page_id, candidate_id, item_id, score, client_order, seconds_on_page, changed_at)
    SELECT enrolment_id, page_id, candidate_id, item_id, %(score)s, saved.client_order, %(seconds_on_page)s, saved_at
    FROM target, saved
)
SELECT target.is_open, target.is_agreed, target.state, target.may_not_apply, saved.client_order, saved.saved_at
FROM target LEFT JOIN saved ON true
"""  # noqa: S608 - put together from constants; every value is a parameter
SAVE_AN_ANSWER = PreparedStatement(
    "save_checklist_answer",
    SAVE,
    PLACE_TYPES | ANSWER_TYPES | {"number": "integer", "of_prompt": "boolean", "score": "smallint"},
)

READ = """
SELECT placement.token, answer.answer, answer.client_order, answer.saved_at
FROM annotations_placement placement
JOIN annotations_checklistanswer answer USING (enrolment_id, candidate_id)
JOIN annotations_checklistitem item ON item.id = answer.item_id
WHERE placement.token = %(token)s AND item.number = %(number)s AND (item.page_id IS NOT NULL) = %(of_prompt)s
"""


def save_checklist_answer(evaluator: User, address: PageAddress, answer: Answer) -> Receipt:
    """Save what an evaluator says of an item (the key in `criterion`) and return what is stored now.

    The score is a `ChecklistAnswer.Answer`. Refuses as `annotations.questionnaire.saving.save_answer` does.
    """
    item = ITEM.fullmatch(answer.criterion or "")
    if item is None:
        refuse_place(evaluator, answer)
    if answer.score not in ChecklistAnswer.Answer.values:
        raise OffScale(wrong_answer(may_not_apply=True))
    parameters = {
        **vars(address),
        **vars(answer),
        "evaluator": evaluator.pk,
        "of_prompt": item[1] == "prompt",
        "number": int(item[2]),
    }
    with connection.cursor() as cursor:
        cursor.execute(SAVE_AN_ANSWER.ready(), parameters)
        target = cursor.fetchone()
        if target is None:
            refuse_place(evaluator, answer)
        is_open, is_agreed, state, may_not_apply, client_order, saved_at = target
        refuse_unless_open(state, is_open=is_open, is_agreed=is_agreed)
        if saved_at is not None:
            return Receipt(
                answer.token, answer.criterion, answer.score, client_order, saved_at, is_latest=True
            )
        if answer.score == ChecklistAnswer.Answer.DOES_NOT_APPLY and not may_not_apply:
            raise OffScale(wrong_answer(may_not_apply=False))
        cursor.execute(READ, parameters)
        return stored_receipt(answer, cursor.fetchone())


def wrong_answer(*, may_not_apply: bool) -> str:
    """Say what an item can be answered with."""
    return (
        _("An answer is 1 (yes), 2 (no) or 3 (does not apply).")
        if may_not_apply
        else _("An answer is 1 (yes) or 2 (no).")
    )
