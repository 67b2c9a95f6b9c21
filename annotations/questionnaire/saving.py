"""Saving the answers of an evaluator: the only writer of ratings and best picks made in the questionnaire.

Each save is one statement. It finds the place that the token names among the evaluator's own, checks the deadline by
the database's clock and that the evaluator has agreed to take part, keeps the answer if it is later than the one
stored, and adds to the history. So a repeated request changes nothing, two tabs cannot interleave, and nothing slips
in after the deadline. It shares a lock on the study, so that closing it waits for what is being saved and nothing is
saved afterwards; then on the placement, which whoever withdraws or gives back deletes.

The device says when an answer was given, and the database's clock bounds it: a device whose clock is ahead cannot make
later answers lose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, NoReturn

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _

from annotations.models import Placement, Study
from annotations.protocols.table import PROTOCOLS
from generation.refusals import Refused
from generation.web.prepared import PreparedStatement

# The largest whole number that JavaScript counts without a gap.
MAX_CLIENT_ORDER = 2**53 - 1


@dataclass(frozen=True)
class PageAddress:
    """Where a page is found: the study's slug and the numbers of sub-task and page."""

    slug: str
    subtask: int
    page: int


@dataclass(frozen=True)
class Answer:
    """One answer as the browser sends it: a score on a criterion, or without a criterion the best pick."""

    token: str
    client_order: int
    criterion: str | None = None
    score: int | None = None
    seconds_on_page: float | None = None


@dataclass(frozen=True)
class Receipt:
    """What is stored now. `is_latest` is false where an answer given later had been stored before."""

    token: str
    criterion: str | None
    score: int | None
    client_order: int
    saved_at: datetime
    is_latest: bool


class AnswerRefused(Refused):
    """An answer that was not saved, with a message for the evaluator."""


class UnknownPlace(AnswerRefused):
    """The token, page or criterion is none of this evaluator's."""

    status = HTTPStatus.NOT_FOUND


class AnotherAccount(UnknownPlace):
    """The token is another account's: at a page somebody else has logged in since it was loaded."""


def said_on_page(refused: Refused) -> str:
    """Return why an answer was not saved to whoever looks at its page, where unsent answers are kept."""
    if isinstance(refused, AnotherAccount):
        return _(
            "Another account is logged in here now. Your answers are kept on this device and will be sent when you are"
            " back: log in again, or open your personal link."
        )
    return str(refused)


class Closed(AnswerRefused):
    """The deadline has passed or the study is closed."""


class NotAgreed(AnswerRefused):
    """The evaluator has not agreed yet to what the study asks them to agree to."""


class Paused(AnswerRefused):
    """The study takes no answers for a time: the answer may be sent again when it goes on."""


class NotMarked(AnswerRefused):
    """A text is rated after all its errors are marked. The marks may be on their way: the answer may be sent again."""

    status = HTTPStatus.PRECONDITION_REQUIRED


class OffScale(AnswerRefused):
    """The score is not a point of the criterion's scale."""


# Whether a text may be rated: where errors are marked, once all are.
IS_MARKED = """study.protocol NOT IN ({}) OR EXISTS (
    SELECT FROM annotations_marking marking WHERE marking.enrolment_id = placement.enrolment_id
        AND marking.candidate_id = placement.candidate_id AND marking.is_done)""".format(
    ", ".join(f"'{key}'" for key, one in PROTOCOLS.items() if one.marks_errors)
)

MILLISECONDS = "floor(extract(epoch FROM {time}) * 1000)::bigint"

TARGET = f"""
    SELECT placement.enrolment_id, placement.page_id, placement.candidate_id,
           study.state = 'open' AND enrolment.source <> 'imported' AND enrolment.deadline > now() AS is_open,
           enrolment.source <> 'questionnaire' OR enrolment.consented_at IS NOT NULL
               OR (study.consent = '{{{{}}}}' AND study.questions = '[]') AS is_agreed,
           study.state, least(%(client_order)s, {MILLISECONDS.format(time="now()")}) AS client_order {{columns}}
    FROM annotations_placement placement
    JOIN annotations_enrolment enrolment ON enrolment.id = placement.enrolment_id
    JOIN annotations_study study ON study.id = enrolment.study_id
    JOIN annotations_page page ON page.id = placement.page_id
    JOIN annotations_subtask subtask ON subtask.id = page.subtask_id
    {{joins}}
    WHERE placement.token = %(token)s AND enrolment.evaluator_id = %(evaluator)s
      AND study.slug = %(slug)s AND subtask.number = %(subtask)s AND page.number = %(page)s
    FOR SHARE OF study FOR KEY SHARE OF placement
"""

# Whether an answer takes the place of the stored one. An equal order is the same answer sent again. So is an equal
# answer whose order had to be bounded: each time it arrives it would be a later one.
IS_LATER = f"""
    least({{stored}}.client_order, {MILLISECONDS.format(time="{stored}.saved_at")}) < excluded.client_order
    AND ({{stored}}.{{answer}} <> excluded.{{answer}} OR excluded.client_order = %(client_order)s)
"""

# Put together from constants; every value is a parameter.
SAVE_RATING = f"""
WITH target AS ({
    TARGET.format(
        columns=f", criterion.id AS criterion_id, criterion.minimum, criterion.maximum, {IS_MARKED} AS is_marked",
        joins="JOIN annotations_criterion criterion ON criterion.study_id = study.id AND criterion.key = %(criterion)s"
        " AND criterion.derived = ''",
    )
}),
saved AS (
    INSERT INTO annotations_rating AS rating
        (enrolment_id, candidate_id, criterion_id, score, off_scale, client_order, saved_at)
    SELECT enrolment_id, candidate_id, criterion_id, %(score)s, false, client_order, now()
    FROM target WHERE is_open AND is_agreed AND is_marked AND %(score)s BETWEEN minimum AND maximum
    ON CONFLICT (enrolment_id, candidate_id, criterion_id) DO UPDATE
        SET score = excluded.score, client_order = excluded.client_order, saved_at = excluded.saved_at
        WHERE {IS_LATER.format(stored="rating", answer="score")}
    RETURNING score, client_order, saved_at
),
history AS (
    INSERT INTO annotations_answerchange
        (enrolment_id, page_id, candidate_id, criterion_id, score, client_order, seconds_on_page, changed_at)
    SELECT enrolment_id, page_id, candidate_id, criterion_id, score, saved.client_order, %(seconds_on_page)s, saved_at
    FROM target, saved
)
SELECT target.is_open, target.is_agreed, target.state, target.is_marked, target.minimum, target.maximum,
    saved.client_order, saved.saved_at
FROM target LEFT JOIN saved ON true
"""

READ_RATING = """
SELECT placement.token, rating.score, rating.client_order, rating.saved_at
FROM annotations_placement placement
JOIN annotations_rating rating USING (enrolment_id, candidate_id)
JOIN annotations_criterion criterion ON criterion.id = rating.criterion_id
WHERE placement.token = %(token)s AND criterion.key = %(criterion)s
"""

SAVE_BEST_CHOICE = f"""
WITH target AS ({TARGET.format(columns="", joins="AND study.has_best_picks")}),
saved AS (
    INSERT INTO annotations_bestchoice AS choice (enrolment_id, page_id, candidate_id, client_order, saved_at)
    SELECT enrolment_id, page_id, candidate_id, client_order, now() FROM target WHERE is_open AND is_agreed
    ON CONFLICT (enrolment_id, page_id) DO UPDATE
        SET candidate_id = excluded.candidate_id, client_order = excluded.client_order, saved_at = excluded.saved_at
        WHERE {IS_LATER.format(stored="choice", answer="candidate_id")}
    RETURNING client_order, saved_at
),
history AS (
    INSERT INTO annotations_answerchange
        (enrolment_id, page_id, candidate_id, client_order, seconds_on_page, changed_at)
    SELECT enrolment_id, page_id, candidate_id, saved.client_order, %(seconds_on_page)s, saved_at FROM target, saved
)
SELECT target.is_open, target.is_agreed, target.state, true, NULL, NULL, saved.client_order, saved.saved_at
FROM target LEFT JOIN saved ON true
"""

READ_BEST_CHOICE = """
SELECT picked.token, NULL, choice.client_order, choice.saved_at
FROM annotations_placement placement
JOIN annotations_bestchoice choice USING (enrolment_id, page_id)
JOIN annotations_placement picked
    ON picked.enrolment_id = choice.enrolment_id AND picked.candidate_id = choice.candidate_id
WHERE placement.token = %(token)s
"""

# Numbers in an address may be of any size.
PLACE_TYPES = {
    "token": "text",
    "evaluator": "bigint",
    "slug": "text",
    "subtask": "numeric",
    "page": "numeric",
}
ANSWER_TYPES = {"client_order": "bigint", "seconds_on_page": "double precision"}
SAVE_A_RATING = PreparedStatement(
    "save_rating", SAVE_RATING, PLACE_TYPES | ANSWER_TYPES | {"criterion": "text", "score": "bigint"}
)
SAVE_A_BEST_CHOICE = PreparedStatement("save_best_choice", SAVE_BEST_CHOICE, PLACE_TYPES | ANSWER_TYPES)


def save_answer(evaluator: User, address: PageAddress, answer: Answer) -> Receipt:
    """Save one answer of an evaluator and return what is stored now.

    The later answer by client order wins, which counts milliseconds and at most to now; an equal order is the same
    answer sent again. Raises `UnknownPlace`, `AnotherAccount`, `Closed`, `Paused`, `NotAgreed`, `NotMarked` or
    `OffScale`, and then nothing has changed.
    """
    is_rating = answer.criterion is not None
    parameters = {**vars(address), **vars(answer), "evaluator": evaluator.pk}
    with connection.cursor() as cursor:
        cursor.execute((SAVE_A_RATING if is_rating else SAVE_A_BEST_CHOICE).ready(), parameters)
        target = cursor.fetchone()
        if target is None:
            refuse_place(evaluator, answer)
        is_open, is_agreed, state, is_marked, minimum, maximum, client_order, saved_at = target
        refuse_unless_open(state, is_open=is_open, is_agreed=is_agreed)
        if not is_marked:
            raise NotMarked(_("Mark the errors of this text first, or say that all are marked."))
        if saved_at is not None:
            return Receipt(
                answer.token, answer.criterion, answer.score, client_order, saved_at, is_latest=True
            )
        if is_rating and (answer.score is None or not minimum <= answer.score <= maximum):
            raise OffScale(
                _("A score must be a whole number from %(minimum)d to %(maximum)d.")
                % {"minimum": minimum, "maximum": maximum}
            )
        cursor.execute(READ_RATING if is_rating else READ_BEST_CHOICE, parameters)
        return stored_receipt(answer, cursor.fetchone())


def refuse_unless_open(state: str, *, is_open: bool, is_agreed: bool) -> None:
    """Raise `Paused`, `Closed` or `NotAgreed` where an answer is not taken now."""
    if state == Study.State.PAUSED:
        raise Paused(_("This study is paused. Your answer was not saved; earlier ones are."))
    if not is_open:
        raise Closed(_("The time for this study is over. Your answer was not saved; earlier ones are."))
    if not is_agreed:
        raise NotAgreed(_("Agree to take part first: open the study's page. Your answer was not saved."))


def refuse_place(evaluator: User, answer: Answer) -> NoReturn:
    """Raise `AnotherAccount` for a place of somebody else's, otherwise `UnknownPlace`."""
    if Placement.objects.filter(token=answer.token).exclude(enrolment__evaluator=evaluator).exists():
        raise AnotherAccount(_("This token belongs to another account."))
    raise UnknownPlace(_("This page has changed. Load it again."))


def stored_receipt(answer: Answer, stored: tuple[Any, ...]) -> Receipt:
    """Return the receipt of an answer that found an equal or later one in its place."""
    token, stored_score, client_order, saved_at = stored
    score = None if stored_score is None else int(stored_score)
    is_the_same = (token, score) == (answer.token, answer.score) and client_order <= answer.client_order
    return Receipt(token, answer.criterion, score, client_order, saved_at, is_latest=is_the_same)


@transaction.atomic
def save_page(
    evaluator: User,
    address: PageAddress,
    answers: Sequence[Answer],
    save: Callable[[User, PageAddress, Answer], Receipt] = save_answer,
) -> None:
    """Save all answers of a page that was sent as one form, or none if one of them is refused."""
    for answer in answers:
        save(evaluator, address, answer)
