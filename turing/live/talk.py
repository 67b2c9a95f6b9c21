"""Saying something in a live conversation, and reading what was said.

PostgreSQL is the truth: whoever says something holds the lock of the chat, and gets the next number of their side. A
machine's answer that is due is said by the same rule, by a worker: if those who look said it, their look would take
longer than one that finds what a human said. They do so only where no worker has. What is sent again changes nothing.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Case, F, Max, Q, When
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from generation.refusals import Refused
from generation.runs.notifications import send_tasks
from generation.texts.characters import control_characters
from turing.game.players import Visitor
from turing.models import LONGEST_MESSAGE, Chat, ChatMessage, Seat, Side, Turn

CHANNEL = "turing_chats"
QUEUE = "live"
ANSWER = "turing.tasks.answer_waiting"
SAY_DUE = "turing.tasks.say_due"
# So long after a machine's answer was due no worker is about to say it.
LATE = timedelta(seconds=1.5)
# A worker comes a moment later than it is told, so that its clock may be that much ahead of the database's.
MOMENT = timedelta(milliseconds=30)
ROLES = Seat.Role
# More than anybody types in the minutes of a chat: one person on one side.
MOST_MESSAGES = 100


class ChatOver(Refused):
    """Nothing more can be said in a chat."""


@dataclass(frozen=True)
class Said:
    """A message as those who may read it are sent it: nothing tells when, or by what it was written."""

    side: str
    number: int
    by: str
    text: str


@dataclass(frozen=True)
class Look:
    """What a seat sees after its cursor; `wait` is in how many seconds there may be more by itself."""

    said: tuple[Said, ...]
    cursor: Cursor
    is_over: bool
    wait: float
    wait_for_end: float


@dataclass(frozen=True)
class Cursor:
    """Up to which number of either side somebody has read."""

    left: int = 0
    right: int = 0

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Return a cursor as it was sent; what is none reads from the beginning."""
        numbers = text.split(".")
        if len(numbers) != 2 or not all(
            one.isascii() and one.isdecimal() and len(one) < 6 for one in numbers
        ):
            return cls()
        return cls(*map(int, numbers))

    def __str__(self) -> str:
        return f"{self.left}.{self.right}"


def seat_of(visitor: Visitor, chat: uuid.UUID) -> Seat | None:
    """Return the visitor's part in a chat, None where they have none."""
    return Seat.objects.select_related("chat").filter(visitor.owns("player"), chat__uuid=chat).first()


def sides_of(seat: Seat) -> tuple[Side, ...]:
    """Return which sides somebody sees: an interrogator both, a witness their own."""
    return tuple(Side) if seat.role == ROLES.INTERROGATOR else (Side(seat.chat.human_side),)


def say(seat: Seat, side: Side, text: str, client_id: uuid.UUID) -> ChatMessage:
    """Store what somebody says and return it; what has this id already is returned as it is.

    Raises `Refused`, of which `ChatOver` is one.
    """
    words = " ".join(text.split())
    if not words or len(words) > LONGEST_MESSAGE or control_characters(words):
        raise Refused(_("A message has one line of 1 to %(most)d characters.") % {"most": LONGEST_MESSAGE})
    with transaction.atomic():
        chat = locked(seat.chat_id)
        sent = ChatMessage.objects.filter(chat=chat, by=seat.role, client_id=client_id)
        if before := sent.filter(side=side).first():
            return before
        if not Chat.objects.under_way().filter(pk=chat.pk).exists():
            raise ChatOver(_("The time is over."))
        if ChatMessage.objects.filter(chat=chat, by=seat.role, side=side).count() >= MOST_MESSAGES:
            raise Refused(_("You have said enough here: wait for the end."))
        # What is due has been said before this.
        _say_due(chat)
        made = _add(chat, side, Seat.Role(seat.role), words, client_id)
        if seat.role == ROLES.INTERROGATOR:
            # On both sides alike: people's times are measured by it.
            _ask(chat, side, made.sent_at)
        else:
            Turn.objects.filter(chat=chat, side=side, answered_at=None).update(
                answered_at=made.sent_at, length=len(words)
            )
        transaction.on_commit(notify_workers)
    return made


def notify_workers() -> None:
    """Tell a worker that there may be something to answer: whichever side was spoken to."""
    send_tasks(ANSWER, [()], QUEUE)


def have_said(chat: int, due_at: datetime) -> None:
    """Have a worker say what a machine says at a time."""
    transaction.on_commit(lambda: send_tasks(SAY_DUE, [(chat,)], QUEUE, eta=due_at + MOMENT))


def say_due(chat: int, late: timedelta = timedelta(0)) -> bool:
    """Say what a machine has to say by now, or had to so long ago, and return whether there was anything."""
    due = Turn.objects.filter(chat=chat, answered_at=None, due_at__lte=Now() - late)
    if not due.exists():
        return False
    with transaction.atomic():
        return _say_due(locked(chat))


def locked(chat: int) -> Chat:
    return Chat.objects.select_for_update().get(pk=chat)


def _say_due(chat: Chat) -> bool:
    """Say what is due in a chat that is locked; what would come after its end is never said."""
    turn = Turn.objects.filter(
        chat=chat, answered_at=None, due_at__lte=_clock(), due_at__lt=chat.ends_at, chat__reported_at=None
    ).first()
    if turn is None:
        return False
    made = _add(chat, Side(turn.side), ROLES.WITNESS, turn.text, uuid.uuid5(chat.uuid, str(turn.pk)))
    Turn.objects.filter(pk=turn.pk).update(answered_at=made.sent_at, length=len(turn.text))
    later = ChatMessage.objects.filter(
        chat=chat, side=turn.side, by=ROLES.INTERROGATOR, number__gt=turn.knows
    ).order_by("number")
    if asked_at := later.values_list("sent_at", flat=True).first():
        _ask(chat, Side(turn.side), asked_at)
        transaction.on_commit(notify_workers)
    return True


def _clock() -> datetime:
    with connection.cursor() as cursor:
        # Not that of the transaction, which may have waited for the lock.
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _add(chat: Chat, side: Side, by: Seat.Role, text: str, client_id: uuid.UUID) -> ChatMessage:
    last = ChatMessage.objects.filter(chat=chat, side=side).aggregate(last=Max("number"))["last"] or 0
    made = ChatMessage.objects.create(
        chat=chat, side=side, number=last + 1, by=by, client_id=client_id, text=text, sent_at=_clock()
    )
    notify_listeners(chat.pk)
    return made


def notify_listeners(chat: int) -> None:
    """Wake those who listen to a chat, once the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(chat)])


def _ask(chat: Chat, side: Side, asked_at: datetime) -> None:
    Turn.objects.get_or_create(chat=chat, side=side, answered_at=None, defaults={"asked_at": asked_at})


def look(seat: Seat, after: Cursor) -> Look:
    """Return what was said on the sides of a seat after a cursor. Three queries."""
    say_due(seat.chat_id, LATE)
    unread = {Side.LEFT: after.left, Side.RIGHT: after.right}
    of_sides = Q(pk__in=[])
    for side in sides_of(seat):
        of_sides |= Q(side=side, number__gt=unread[side])
    said = []
    for one in ChatMessage.objects.filter(of_sides, chat=seat.chat_id).order_by("sent_at", "number"):
        unread[Side(one.side)] = one.number
        said.append(Said(one.side, one.number, one.by, one.text))
    state = Chat.objects.filter(pk=seat.chat_id).annotate(
        is_over=Case(When(Q(ends_at__lte=Now()) | Q(reported_at__isnull=False), then=True), default=False),
        left=F("ends_at") - Now(),
    )
    is_over, left = state.values_list("is_over", "left").get()
    due = (
        Turn.objects.filter(
            chat=seat.chat_id, side__in=sides_of(seat), answered_at=None, due_at__isnull=False
        )
        .values_list(F("due_at") + LATE - Now(), flat=True)
        .first()
    )
    until_end = left.total_seconds()
    # A moment later, so that what is late then is late.
    wait = max(0.05, min(until_end, due.total_seconds() if due else until_end) + 0.01)
    return Look(tuple(said), Cursor(unread[Side.LEFT], unread[Side.RIGHT]), is_over, wait, until_end)
