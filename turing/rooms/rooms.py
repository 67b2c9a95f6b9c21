"""Opening and closing rooms, what players are called there, and the board of a room."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import NormalDist
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, DateTimeField, ExpressionWrapper, F, FloatField, QuerySet, When
from django.db.models.functions import Cast, Least, Now, Sqrt
from django.utils import timezone
from django.utils.translation import gettext as _

from generation.refusals import Refused
from generation.texts.characters import control_characters, has_stacked_marks
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
from turing.rooms.names import LONGEST_NAME, key_of, plain_name

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
    if has_stacked_marks(name):
        raise Refused(_("More than three marks stand upon one letter."))
    if not ROUNDS_IN_GAME <= (len(only) or pairs) <= MOST_PAIRS:
        raise Refused(
            _("The pool of a room has %(least)d to %(most)d pairs.")
            % {"least": ROUNDS_IN_GAME, "most": MOST_PAIRS}
        )
    if closes_at and closes_at <= timezone.now():
        raise Refused(_("This time is over."))
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
    """Let games begin in a room again, without a closing time; raise `Refused` for one of simulated players."""
    if room.is_simulated:
        raise Refused(_("The players of this room are simulated: nobody else plays there."))
    Room.objects.filter(pk=room.pk).update(closes_at=None)


def call_player(room: Room, player: Player, name: str) -> None:
    """Store what a player wants to be called in a room; nothing where no names are asked for or none is given.

    Raises `Refused` for what is no name, and for what another player of the room is called.
    """
    if not room.takes_names or not name.strip():
        return
    plain = plain_name(name)
    if not plain:
        raise Refused(
            _(
                "A name has one line, at most %(most)d characters and nothing that is not seen: you play without one."
            )
            % {"most": LONGEST_NAME}
        )
    with transaction.atomic():
        # Of two who want one name at once the second one finds the first.
        Room.objects.select_for_update().get(pk=room.pk)
        if RoomName.objects.filter(room=room, key=key_of(plain)).exclude(player=player).exists():
            raise Refused(_("Somebody in this room is called so, or almost so: you play without a name."))
        RoomName.objects.update_or_create(
            room=room, player=player, defaults={"name": plain, "key": key_of(plain)}
        )


def board_of(room: Room, results: Results) -> tuple[BoardPlayer, ...]:
    """Return the first players of a room by the lower end of their interval: five of five lead nobody. Two queries.

    Counted are unflagged answers to pairs that the player had not met before.
    """
    # NumPy and SciPy come with it, which a web process loads only for who looks at a room.
    from stats.game.selection import wilson_interval

    first = list(_by_lower_end(results)[:BOARD_SHOWN])
    names = dict(
        RoomName.objects.filter(room=room, player__in=[player for player, *_ in first]).values_list(
            "player", "name"
        )
    )
    return tuple(
        BoardPlayer(
            player,
            names.get(player, ""),
            answered - wrong,
            answered,
            wilson_interval(answered - wrong, answered),
        )
        for player, answered, wrong in first
    )


def _by_lower_end(results: Results) -> QuerySet[PlayerTally, tuple[int, int, int]]:
    """Return players with their answers and the wrong ones, by the lower end of Wilson's interval."""
    z = NormalDist().inv_cdf(0.975)
    n = Cast("new_answered", FloatField())
    right = n - Cast("new_selected", FloatField())
    lower = (right + z**2 / 2 - z * Sqrt(right * (n - right) / n + z**2 / 4)) / (n + z**2)
    return (
        PlayerTally.objects.filter(results=results.pk, scope=Scope.UNFLAGGED, new_answered__gt=0)
        .annotate(lower=ExpressionWrapper(lower, output_field=FloatField()))
        .order_by("-lower", "-new_answered", "player")
        .values_list("player", "new_answered", "new_selected")
    )
