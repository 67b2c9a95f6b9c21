"""Two people in a live chat for the tests, each with a browser of their own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client

from turing.game.players import COOKIE, Visitor, hash_of
from turing.live import talk
from turing.live.waiting import Entered, begin, enter
from turing.models import Chat, ChatMessage, Seat, Side, Turn, Waiting

AGREED = {"consent": "on", "adult": "on"}
WAITING = "/turing/live/waiting/"


@dataclass
class Person:
    """A browser, and the seat that it has in the chat."""

    client: Client
    seat: Seat

    @property
    def chat(self) -> str:
        return f"/turing/live/{self.seat.chat.uuid}/"

    def say(self, text: str, side: str = "left", client_id: uuid.UUID | None = None) -> Any:
        return self.client.post(
            self.chat, {"side": side, "text": text, "client_id": client_id or uuid.uuid4()}
        )

    def messages(self, after: str = "0.0") -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"{self.chat}messages/", {"after": after}).json()
        return found

    def page(self) -> str:
        return self.client.get(self.chat).content.decode()


@dataclass
class Trio:
    """An interrogator and a human witness; the machine answers when it is told to."""

    chat: Chat
    interrogator: Person
    witness: Person

    @property
    def human_side(self) -> Side:
        return Side(self.chat.human_side)

    @property
    def machine_side(self) -> Side:
        return self.human_side.other

    def let_due(self) -> None:
        """Let the machine's answer be late by now."""
        Turn.objects.filter(chat=self.chat, due_at__isnull=False).update(
            due_at=F("asked_at") - timedelta(minutes=1)
        )

    def end(self) -> None:
        """Let the time be over."""
        Chat.objects.filter(pk=self.chat.pk).update(
            created_at=F("created_at") - timedelta(hours=1),
            ends_at=F("created_at") - timedelta(minutes=1),
            # What was reported before the end was so.
            reported_at=F("reported_at") - timedelta(minutes=30),
        )


def enter_live(client: Client, **more: str) -> Any:
    return client.post("/turing/live/", AGREED | more)


def meet(*clients: Client, **more: str) -> Trio:
    """Bring two people together over their pages."""
    one, other = clients or (Client(), Client())
    for client in (one, other):
        enter_live(client, **more)
    one.post(WAITING)
    other.post(WAITING)
    chat = Chat.objects.latest("pk")
    people = {}
    for client in (one, other):
        token = client.cookies[COOKIE].value.split(":")[0]
        seat = Seat.objects.select_related("chat").get(chat=chat, player__token_hash=hash_of(token))
        people[seat.role] = Person(client, seat)
    return Trio(chat, people[Seat.Role.INTERROGATOR], people[Seat.Role.WITNESS])


def waiting(name: str, address: str = "192.0.2.1", language: str = "en") -> Waiting:
    """Let somebody of their own wait."""
    entered: Entered = enter(Visitor(None, None), address, language, may_be_read=True, nonce=name)
    return Waiting.objects.get(player=entered.player)


def begun_by(user: User) -> Chat:
    """Begin a chat of a user and somebody else."""
    player = enter(Visitor(None, user), "192.0.2.2", "en", may_be_read=True).player
    return begin(Waiting.objects.get(player=player), waiting("other"), Random(0))  # noqa: S311


def begun(seed: int, name: str = "") -> tuple[Chat, Seat, Seat]:
    """Begin a chat without pages, and return it with its interrogator's and its witness's seats."""
    name = name or str(seed)
    chat = begin(waiting(f"{name} a"), waiting(f"{name} b"), Random(seed))  # noqa: S311 - the same in every run
    seats = {seat.role: seat for seat in Seat.objects.filter(chat=chat).select_related("chat")}
    return chat, seats[Seat.Role.INTERROGATOR], seats[Seat.Role.WITNESS]


def said(chat: Chat, side: str) -> list[tuple[int, str, str]]:
    """Return what was said on a side."""
    rows = ChatMessage.objects.filter(chat=chat, side=side).order_by("number")
    return list(rows.values_list("number", "by", "text"))


def say(seat: Seat, side: str, text: str, client_id: uuid.UUID | None = None) -> ChatMessage:
    return talk.say(seat, Side(side), text, client_id or uuid.uuid4())
