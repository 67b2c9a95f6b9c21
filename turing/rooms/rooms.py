"""Opening and closing rooms, what players are called there, and the board of a room."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, DateTimeField, F, When
from django.db.models.functions import Least, Now
from django.utils.translation import gettext as _

from generation.refusals import Refused
from generation.texts.characters import control_characters
from turing.game.play import in_play_of
from turing.models import (
    ROUNDS_IN_GAME,
    Kind,
    Player,
    PlayerTally,
    PoemPair,
    Results,
    Room,
    RoomName,
    RoomPair,
    Scope,
)

if TYPE_CHECKING:
    from stats.mixed import Interval

MOST_PAIRS = 10_000
BOARD_SHOWN = 50


@dataclass(frozen=True)
class BoardPlayer:
    """A player of a room: so many of their answers were right, a share that lies in `ci`."""

    player: int
    name: str
    right: int
    answered: int
    ci: Interval

    @property
    def ends(self) -> str:
        from turing.results.wording import interval

        return interval(self.ci)


@transaction.atomic
def open_room(
    name: str,
    kind: str,
    genre: str,
    *,
    owner: User | None = None,
    pairs: int = 100,
    only: Sequence[PoemPair] = (),
    takes_names: bool = False,
    closes_at: datetime | None = None,
) -> Room:
    """Store a room with a pool of pairs drawn from those in play, or of `only` these, which are then in no other draw.

    Raises `Refused`.
    """
    name = name.strip()
    if not name or len(name) > 100 or control_characters(name):
        raise Refused(_("A room has a name of one line and at most 100 characters."))
    if not ROUNDS_IN_GAME <= (len(only) or pairs) <= MOST_PAIRS:
        raise Refused(
            _("The pool of a room has %(least)d to %(most)d pairs.")
            % {"least": ROUNDS_IN_GAME, "most": MOST_PAIRS}
        )
    is_boundary = kind == Kind.BOUNDARY
    if genre not in Kind(kind).genres:
        raise Refused(_("This kind of game is played with other texts."))
    if only:
        if any((pair.takeover is not None) != is_boundary or pair.genre != genre for pair in only):
            raise Refused(_("These pairs are of another kind of game than the room."))
        PoemPair.objects.filter(pk__in=[pair.pk for pair in only]).update(is_withdrawn=True)
        pool = [pair.pk for pair in only]
    else:
        there = list(in_play_of(kind, genre).values_list("pk", flat=True))
        if len(there) < ROUNDS_IN_GAME:
            raise Refused(_("There is nothing to play with yet."))
        pool = secrets.SystemRandom().sample(there, min(pairs, len(there)))
    room = Room.objects.create(
        name=name, kind=kind, genre=genre, owner=owner, takes_names=takes_names, closes_at=closes_at
    )
    RoomPair.objects.bulk_create(
        (RoomPair(room=room, number=number, pair_id=pair) for number, pair in enumerate(pool)),
        batch_size=2000,
    )
    return room


def close_room(room: Room) -> None:
    """Let no more games begin in a room, from now on."""
    Room.objects.filter(pk=room.pk).update(
        closes_at=Case(
            When(closes_at=None, then=Now()),
            default=Least(F("closes_at"), Now()),
            output_field=DateTimeField(),
        )
    )


def reopen_room(room: Room) -> None:
    """Let games begin in a room again, without a closing time."""
    Room.objects.filter(pk=room.pk).update(closes_at=None)


def call_player(room: Room, player: Player, name: str) -> None:
    """Store what a player wants to be called in a room; nothing where no names are asked for or none is given."""
    name = " ".join(name.split())[:40]
    if room.takes_names and name and not control_characters(name):
        RoomName.objects.update_or_create(room=room, player=player, defaults={"name": name})


def board_of(room: Room, results: Results) -> tuple[BoardPlayer, ...]:
    """Return the players of a room by the lower end of their interval: five of five lead nobody. Two queries."""
    # NumPy and SciPy come with it, which a web process loads only for who looks at a room.
    from stats.game.selection import wilson_interval

    names = dict(RoomName.objects.filter(room=room).values_list("player", "name"))
    tallies = PlayerTally.objects.filter(results=results.pk, scope=Scope.ALL).values_list(
        "player", "answered", "selected"
    )
    players = [
        BoardPlayer(
            player,
            names.get(player, ""),
            answered - wrong,
            answered,
            wilson_interval(answered - wrong, answered),
        )
        for player, answered, wrong in tallies
    ]
    return tuple(sorted(players, key=lambda one: (-one.ci[0], -one.answered, one.player))[:BOARD_SHOWN])
