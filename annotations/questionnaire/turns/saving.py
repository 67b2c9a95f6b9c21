"""Saving the score of a turn of a dialogue: the only writer of these made in the questionnaire.

Each save is one statement, by the rules of `annotations.questionnaire.saving`.
"""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.db import connection
from django.utils.translation import gettext as _

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
    save_answer,
    stored_receipt,
)
from generation.web.prepared import PreparedStatement

# A criterion's key and the number of a turn.
OF_TURN = re.compile(r"([A-Za-z0-9_-]{1,40}):([1-9][0-9]{0,2})")

SAVE = f"""
WITH target AS ({
    TARGET.format(
        columns=", criterion.id AS criterion_id, criterion.minimum, criterion.maximum",
        joins="JOIN annotations_criterion criterion ON criterion.study_id = study.id AND criterion.key = %(criterion)s"
        " AND criterion.rates_turns JOIN annotations_pagecandidate shown ON shown.page_id = placement.page_id"
        " AND shown.candidate_id = placement.candidate_id AND shown.turns >= %(turn)s",
    )
}),
saved AS (
    INSERT INTO annotations_turnrating AS rating
        (enrolment_id, candidate_id, criterion_id, turn, score, client_order, saved_at)
    SELECT enrolment_id, candidate_id, criterion_id, %(turn)s, %(score)s, client_order, now()
    FROM target WHERE is_open AND is_agreed AND %(score)s BETWEEN minimum AND maximum
    ON CONFLICT (enrolment_id, candidate_id, criterion_id, turn) DO UPDATE
        SET score = excluded.score, client_order = excluded.client_order, saved_at = excluded.saved_at
        WHERE {IS_LATER.format(stored="rating", answer="score")}
    RETURNING client_order, saved_at
),
history AS (
    INSERT INTO annotations_answerchange
        (enrolment_id, page_id, candidate_id, criterion_id, turn, score, client_order, seconds_on_page, changed_at)
    SELECT enrolment_id, page_id, candidate_id, criterion_id, %(turn)s, %(score)s, saved.client_order,
           %(seconds_on_page)s, saved_at
    FROM target, saved
)
SELECT target.is_open, target.is_agreed, target.state, target.minimum, target.maximum,
    saved.client_order, saved.saved_at
FROM target LEFT JOIN saved ON true
"""  # noqa: S608 - put together from constants; every value is a parameter
SAVE_A_TURN = PreparedStatement(
    "save_turn_rating",
    SAVE,
    PLACE_TYPES | ANSWER_TYPES | {"criterion": "text", "turn": "smallint", "score": "bigint"},
)
READ = """
SELECT placement.token, rating.score, rating.client_order, rating.saved_at
FROM annotations_placement placement
JOIN annotations_turnrating rating USING (enrolment_id, candidate_id)
JOIN annotations_criterion criterion ON criterion.id = rating.criterion_id
WHERE placement.token = %(token)s AND criterion.key = %(criterion)s AND rating.turn = %(turn)s
"""


def save_score(evaluator: User, address: PageAddress, answer: Answer) -> Receipt:
    """Save an answer about a text, or about a turn of it where the criterion names one (`fluency:2`)."""
    of_turn = OF_TURN.fullmatch(answer.criterion or "")
    if of_turn is None:
        return save_answer(evaluator, address, answer)
    parameters = {
        **vars(address),
        **vars(answer),
        "evaluator": evaluator.pk,
        "criterion": of_turn[1],
        "turn": int(of_turn[2]),
    }
    with connection.cursor() as cursor:
        cursor.execute(SAVE_A_TURN.ready(), parameters)
        target = cursor.fetchone()
        if target is None:
            refuse_place(evaluator, answer)
        is_open, is_agreed, state, minimum, maximum, client_order, saved_at = target
        refuse_unless_open(state, is_open=is_open, is_agreed=is_agreed)
        if saved_at is not None:
            return Receipt(
                answer.token, answer.criterion, answer.score, client_order, saved_at, is_latest=True
            )
        if answer.score is None or not minimum <= answer.score <= maximum:
            raise OffScale(
                _("A score must be a whole number from %(minimum)d to %(maximum)d.")
                % {"minimum": minimum, "maximum": maximum}
            )
        cursor.execute(READ, parameters)
        return stored_receipt(answer, cursor.fetchone())
