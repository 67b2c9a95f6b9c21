"""Saving what an evaluator answers about a whole page: the only writer of judgements made in the questionnaire.

Each save is one statement after the page is looked up, by the rules of `annotations.questionnaire.saving`: the later
answer by client order stays, a repeated request changes nothing, and nothing slips in after the deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _

from annotations.models import Placement
from annotations.protocols.protocol import AnswerToPage, Judged
from annotations.protocols.table import PROTOCOLS
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
class SentJudgement:
    """One answer about a page as the browser sends it: the number of an option, or texts (tokens) in an order.

    `token` is that of any text of the page.
    """

    token: str
    criterion: str
    client_order: int
    number: int | None = None
    places: tuple[str, ...] | None = None
    seconds_on_page: float | None = None


@dataclass(frozen=True)
class JudgementReceipt:
    """What is stored now. `is_latest` is false where an answer given later had been stored before."""

    token: str
    criterion: str
    number: int | None
    places: tuple[str, ...] | None
    client_order: int
    saved_at: datetime
    is_latest: bool


@dataclass
class Asked:
    """What a page asks of its evaluator: by which protocol and scale, about which texts (tokens by their places)."""

    answer: AnswerToPage
    preference_scale: str
    tokens: list[str]

    def receipt(
        self, sent: SentJudgement, stored: Judged, client_order: int, saved_at: datetime, *, is_latest: bool
    ) -> JudgementReceipt:
        """Return what is stored, in the words of the browser."""
        return JudgementReceipt(
            sent.token,
            sent.criterion,
            self.answer.number_of(self, stored),
            None if stored.places is None else tuple(self.tokens[place] for place in stored.places),
            client_order,
            saved_at,
            is_latest,
        )


SAVE = f"""
WITH target AS ({
    TARGET.format(
        columns=", criterion.id AS criterion_id",
        joins="JOIN annotations_criterion criterion ON criterion.study_id = study.id AND criterion.key = %(criterion)s",
    )
}),
saved AS (
    INSERT INTO annotations_judgement AS judgement
        (enrolment_id, page_id, criterion_id, preference, both_bad, places, client_order, saved_at)
    SELECT enrolment_id, page_id, criterion_id, %(preference)s::smallint, %(both_bad)s, %(places)s::smallint[],
           client_order, now()
    FROM target WHERE is_open AND is_agreed
    ON CONFLICT (enrolment_id, page_id, criterion_id) DO UPDATE
        SET preference = excluded.preference, both_bad = excluded.both_bad, places = excluded.places,
            client_order = excluded.client_order, saved_at = excluded.saved_at
        WHERE least(judgement.client_order, {
    MILLISECONDS.format(time="judgement.saved_at")
}) < excluded.client_order
          AND ((judgement.preference, judgement.both_bad, judgement.places)
                   IS DISTINCT FROM (excluded.preference, excluded.both_bad, excluded.places)
               OR excluded.client_order = %(client_order)s)
    RETURNING client_order, saved_at
),
history AS (
    INSERT INTO annotations_answerchange
        (enrolment_id, page_id, criterion_id, preference, both_bad, places, client_order, seconds_on_page, changed_at)
    SELECT enrolment_id, page_id, criterion_id, %(preference)s::smallint, %(both_bad)s, %(places)s::smallint[],
           saved.client_order, %(seconds_on_page)s, saved_at
    FROM target, saved
)
SELECT target.is_open, target.is_agreed, target.state, saved.client_order, saved.saved_at
FROM target LEFT JOIN saved ON true
"""

READ = """
SELECT judgement.preference, judgement.both_bad, judgement.places, judgement.client_order, judgement.saved_at
FROM annotations_placement placement
JOIN annotations_judgement judgement USING (enrolment_id, page_id)
JOIN annotations_criterion criterion ON criterion.id = judgement.criterion_id
WHERE placement.token = %(token)s AND criterion.key = %(criterion)s
"""


def save_judgement(evaluator: User, address: PageAddress, sent: SentJudgement) -> JudgementReceipt:
    """Save one answer of an evaluator about a page and return what is stored now, with two queries.

    Raises `BadJudgement` for an answer that the study's protocol does not have, otherwise as `save_answer` does, and
    then nothing has changed.
    """
    asked = asked_on(evaluator, address, sent)
    judged = asked.answer.read(asked, sent.number, places_of(asked, sent), len(asked.tokens))
    parameters: dict[str, Any] = {
        **vars(address),
        **vars(sent),
        **vars(judged),
        "places": None if judged.places is None else list(judged.places),
        "evaluator": evaluator.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(SAVE, parameters)
        target = cursor.fetchone()
        if target is None:
            refuse_place(evaluator, as_answer(sent))
        is_open, is_agreed, state, client_order, saved_at = target
        refuse_unless_open(state, is_open=is_open, is_agreed=is_agreed)
        if saved_at is not None:
            return asked.receipt(sent, judged, client_order, saved_at, is_latest=True)
        cursor.execute(READ, parameters)
        preference, both_bad, places, client_order, saved_at = cursor.fetchone()
    stored = Judged(preference, both_bad, None if places is None else tuple(places))
    is_the_same = stored == judged and client_order <= sent.client_order
    return asked.receipt(sent, stored, client_order, saved_at, is_latest=is_the_same)


def asked_on(evaluator: User, address: PageAddress, sent: SentJudgement) -> Asked:
    """Return what a page asks of its evaluator, with one query; raise `UnknownPlace` or `AnotherAccount`."""
    placed = list(
        Placement.objects.filter(
            enrolment__evaluator=evaluator,
            enrolment__study__slug=address.slug,
            page__subtask__number=address.subtask,
            page__number=address.page,
        )
        .order_by("position")
        .values_list("token", "enrolment__study__protocol", "enrolment__study__preference_scale")
    )
    tokens = [token for token, _protocol, _scale in placed]
    if sent.token not in tokens:
        refuse_place(evaluator, as_answer(sent))
    _token, protocol, scale = placed[0]
    answer = PROTOCOLS[protocol].answer
    if answer is None:
        raise UnknownPlace(_("This page has changed. Load it again."))
    return Asked(answer, scale, tokens)


def as_answer(sent: SentJudgement) -> Answer:
    """Return what tells whose place is meant."""
    return Answer(sent.token, sent.client_order, sent.criterion)


def places_of(asked: Asked, sent: SentJudgement) -> list[int] | None:
    """Return the texts that were sent by their places; raise `UnknownPlace` for one that is not on the page."""
    if sent.places is None:
        return None
    if not set(sent.places) <= set(asked.tokens):
        raise UnknownPlace(_("This page has changed. Load it again."))
    return [asked.tokens.index(token) for token in sent.places]


@transaction.atomic
def save_judgements(evaluator: User, address: PageAddress, judgements: Sequence[SentJudgement]) -> None:
    """Save all answers about a page that was sent as one form, or none if one of them is refused."""
    for judgement in judgements:
        save_judgement(evaluator, address, judgement)
