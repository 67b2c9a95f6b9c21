"""The waiting room: two people who never met are brought together, with a machine; nobody waits for long."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from generation.web.quotas import network_of, take
from turing.game.limits import games_of_address, games_of_player
from turing.game.play import origin_of
from turing.game.players import Visitor, new_player
from turing.live.talk import notify_workers
from turing.models import Chat, Meeting, Persona, Player, Seat, Side, Turn, Waiting

# Any number that nothing else in this database locks.
LOCK = 7_305_003
# Whoever was not seen for so long has gone.
GONE = timedelta(seconds=10)
RULES = "rules"


class Wait(Enum):
    """How somebody's waiting goes: on, over without anybody who came, or there is none."""

    ON = "on"
    LATE = "late"
    NONE = "none"


@dataclass(frozen=True)
class Entered:
    """Who waits now, and the token of their player where the visitor had none."""

    player: Player
    token: str | None = None


def enter(visitor: Visitor, address: str, language: str, *, may_be_read: bool, nonce: str = "") -> Entered:
    """Let a visitor wait for another one; raise `TooMany`."""
    take(games_of_address(), network_of(address))
    player, token = visitor.player(), None
    if player is None:
        player, token = new_player(visitor.user, nonce)
    take(games_of_player(), str(player.pk))
    Waiting.objects.update_or_create(
        player=player,
        defaults={
            "language": language,
            "origin": origin_of(address),
            "may_be_read": may_be_read,
            "since": Now(),
            "seen_at": Now(),
        },
    )
    return Entered(player, token)


def leave(player: Player) -> None:
    """Let a player wait no longer."""
    Waiting.objects.filter(player=player).delete()


def open_chat(player: Player) -> Chat | None:
    """Return the chat under way that a player has a part in."""
    return Chat.objects.under_way().filter(seats__player=player).order_by("-pk").first()


@transaction.atomic
def look_for_other(player: Player, rng: random.Random | None = None) -> Chat | Wait:
    """Return the chat of a player, begun now where somebody else waits too, or how their waiting goes."""
    with connection.cursor() as cursor:
        # Of two who look at once the second one finds the chat that the first one began.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if chat := open_chat(player):
        return chat
    waiting = Waiting.objects.filter(player=player)
    if not waiting.update(seen_at=Now()):
        return Wait.NONE
    own = waiting.select_related("player").get()
    other = others_for(own).select_related("player").order_by("since", "pk").first()
    if other is not None:
        return begin(own, other, rng or secrets.SystemRandom())
    limit = timedelta(seconds=settings.TURING_LIVE_WAIT_SECONDS)
    return Wait.LATE if waiting.filter(since__lt=Now() - limit).delete()[0] else Wait.ON


def others_for(own: Waiting) -> QuerySet[Waiting]:
    """Return those who wait and may be brought together with somebody: never whom they met, nor their own address."""
    met = Meeting.objects.filter(Q(first=own.player) | Q(second=own.player))
    others = Waiting.objects.filter(language=own.language, seen_at__gt=Now() - GONE).exclude(pk=own.pk)
    others = others.exclude(player__in=met.values("first")).exclude(player__in=met.values("second"))
    if own.player.user_id is not None:
        others = others.exclude(player__user=own.player.user_id)
    if not settings.TURING_LIVE_SAME_ADDRESS:
        others = others.exclude(origin=own.origin)
    return others


def begin(one: Waiting, other: Waiting, rng: random.Random) -> Chat:
    """Begin a chat of two who waited: who asks, on which side the human is, and who begins are drawn."""
    asking, answering = rng.sample([one, other], 2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    chat = Chat.objects.create(
        persona=rng.choice(personas_in_play()),
        language=one.language,
        human_side=rng.choice(Side.values),
        left_begins=rng.random() < 0.5,
        right_begins=rng.random() < 0.5,
        created_at=now,
        ends_at=now + timedelta(seconds=settings.TURING_LIVE_SECONDS),
    )
    Seat.objects.bulk_create(
        Seat(
            chat=chat,
            player=waiting.player,
            role=role,
            may_be_read=waiting.may_be_read,
            origin=waiting.origin,
        )
        for waiting, role in ((asking, Seat.Role.INTERROGATOR), (answering, Seat.Role.WITNESS))
    )
    first, second = sorted([one.player, other.player], key=lambda player: player.pk)
    Meeting.objects.create(first=first, second=second)
    Waiting.objects.filter(pk__in=[one.pk, other.pk]).delete()
    Turn.objects.bulk_create(
        Turn(chat=chat, side=side, asked_at=now) for side in Side if chat.witness_begins(side)
    )
    transaction.on_commit(notify_workers)
    return chat


def personas_in_play() -> list[Persona]:
    """Return whom machines may play here; without any the rules that come with the site."""
    found = list(
        Persona.objects.filter(is_in_play=True, model__in=["", *settings.LANGUAGE_MODEL_SERVERS]).order_by(
            "pk"
        )
    )
    return found or [Persona.objects.get_or_create(name=RULES, version=1, model="")[0]]
