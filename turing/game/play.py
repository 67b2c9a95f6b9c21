"""Playing: a game with all its rounds is drawn and stored before anything is shown, and each answer is given once."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Greatest, Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from generation.refusals import Refused
from generation.web.quotas import network_of, take
from turing.game.limits import MANY, games_of_address, games_of_player
from turing.game.players import Visitor, new_player
from turing.models import (
    FIRST_STEP,
    HASTY,
    ROUNDS_IN_GAME,
    Flag,
    Game,
    Genre,
    Kind,
    Player,
    PoemPair,
    Room,
    Round,
    Side,
)
from turing.models.pairs import PoemPairQuerySet
from turing.pairs.conversations import SIMULATED
from turing.pairs.normalising import sentences

# How often numbers are drawn before all pairs that the player has not seen are looked up: so many tries fail only
# where the player has seen most of them.
TRIES = 3
DRAWN_AT_ONCE = 3 * ROUNDS_IN_GAME


class RoomClosed(Refused):
    """No game begins in a room after its closing time."""


class NoPairs(Refused):
    """There are too few pairs of a genre for a game."""


@dataclass(frozen=True)
class Answer:
    """What a player says in a round."""

    choice: Side
    confidence: Round.Confidence | None = None
    known: bool = False


@dataclass(frozen=True)
class Begun:
    """A game to be played next, and the token of its player where the visitor had none."""

    game: Game
    token: str | None = None


@dataclass(frozen=True)
class Stop:
    """Where a player says that the machine begins: the sentence that was shown last."""

    step: int
    confidence: Round.Confidence | None = None
    known: bool = False


def begin(
    visitor: Visitor,
    address: str,
    genre: str,
    rng: random.Random | None = None,
    nonce: str = "",
    kind: str = Kind.PAIRS,
    room: Room | None = None,
) -> Begun:
    """Return the visitor's game that is not finished, otherwise a new one with all its rounds drawn and stored.

    In a room it is of the room's kind and from its pool. `rng` is the operating system's if none is given. Raises
    `NoPairs`, `RoomClosed` or `TooMany`.
    """
    if room:
        genre, kind = room.genre, room.kind
    if game := open_game(visitor, genre, kind, room):
        return Begun(game)
    if room and Room.objects.closed().filter(pk=room.pk).exists():
        raise RoomClosed(_("This room is closed: no more games begin."))
    # Outside of the transaction: what is used up is used up, and nobody waits for another one's draw.
    used = take(games_of_address(), network_of(address))
    player, token = visitor.player(), None
    if player is None:
        player, token = new_player(visitor.user, nonce)
    used = max(used, take(games_of_player(), str(player.pk)))
    with transaction.atomic():
        # Of two requests at once the second one finds the game of the first.
        Player.objects.select_for_update().get(pk=player.pk)
        game = open_game(Visitor(player.token_hash, visitor.user), genre, kind, room)
        if game is None:
            game = Game.objects.create(player=player, room=room, origin=origin_of(address))
            flag = Flag.MANY if used > MANY else ""
            draw_rounds(game, genre, flag, rng or secrets.SystemRandom(), kind)
    return Begun(game, token)


def origin_of(address: str) -> str:
    """Return by what games from one address are known, to nobody else and for a month."""
    month = f"{timezone.now():%Y-%m}"
    said = f"{month}: {network_of(address)}"
    return salted_hmac("turing.origins", said, algorithm="sha256").hexdigest()[:16]


def open_game(visitor: Visitor, genre: str, kind: str = Kind.PAIRS, room: Room | None = None) -> Game | None:
    """Return the visitor's last game of a kind, in a room or in none, with a round to be answered."""
    unanswered = Round.objects.filter(game=OuterRef("pk"), answered_at=None, pair__genre=genre, kind=kind)
    return Game.objects.filter(visitor.owns("player"), Exists(unanswered), room=room).order_by("-pk").first()


def in_play_of(kind: str, genre: str) -> PoemPairQuerySet:
    """Return the pairs that a kind of game draws from."""
    return PoemPair.objects.in_play(genre, boundary=kind == Kind.BOUNDARY, trios=kind == Kind.CHATS)


def has_simulated(kind: Kind) -> bool:
    """Whether some of the conversations that a kind of game draws from were held by nobody."""
    return Genre.CHAT in kind.genres and (
        in_play_of(kind, Genre.CHAT).filter(human__notes__source=SIMULATED).exists()
    )


def draw_rounds(game: Game, genre: str, flag: str, rng: random.Random, kind: str = Kind.PAIRS) -> None:
    """Draw and store the pairs of a game, and their sides or boundaries."""
    is_boundary = kind == Kind.BOUNDARY
    drawn = draw_pairs(game.player, genre, rng, kind=kind, room=game.room)
    takeovers: dict[int, int | None] = {}
    if is_boundary:
        takeovers = dict(
            PoemPair.objects.filter(pk__in=[pair for pair, _ in drawn]).values_list("pk", "takeover")
        )
    Round.objects.bulk_create(
        Round(
            game=game,
            number=number,
            kind=kind,
            pair_id=pair,
            human_side=None if is_boundary else rng.choice(Side.values),
            takeover=takeovers.get(pair),
            step=FIRST_STEP if is_boundary else None,
            is_repeat=is_repeat,
            flag=flag,
        )
        for number, (pair, is_repeat) in enumerate(drawn, start=1)
    )


def draw_pairs(
    player: Player,
    genre: str,
    rng: random.Random,
    *,
    kind: str = Kind.PAIRS,
    room: Room | None = None,
) -> list[tuple[int, bool]]:
    """Return the keys of a game's pairs, each as likely as any other, and whether the player had it before.

    A pair that was seen comes again only where fewer than a game's are left, a conversation never to whoever held it.
    Raises `NoPairs`.
    """
    same = Player.objects.filter(
        Q(pk=player.pk) if player.user_id is None else Q(user=player.user_id)
    ).values("pk")
    seen = Round.objects.filter(game__player__in=same).values("pair")
    # They know who the human was.
    held = PoemPair.objects.filter(chat__seats__player__in=same).values("pk")
    unseen: QuerySet[Any]
    if room:
        in_play = PoemPair.objects.filter(pk__in=room.pool.values("pair"))
        unseen, key = room.pool.exclude(pair__in=seen).exclude(pair__in=held), "pair"
        total = (room.pool.aggregate(highest=Max("number"))["highest"] or 0) + 1
    else:
        in_play = in_play_of(kind, genre)
        unseen, key = in_play.exclude(pk__in=seen).exclude(pk__in=held), "pk"
        total = PoemPair.objects.next_number(genre, boundary=kind == Kind.BOUNDARY)
    picked = _draw_numbers(unseen, key, total, rng)
    if len(picked) < ROUNDS_IN_GAME:
        left = list(unseen.values_list(key, flat=True))
        picked = rng.sample(left, min(ROUNDS_IN_GAME, len(left)))
    drawn = [(pair, False) for pair in picked]
    if missing := ROUNDS_IN_GAME - len(drawn):
        had = list(in_play.filter(pk__in=seen).exclude(pk__in=held).values_list("pk", flat=True))
        if len(had) < missing:
            raise NoPairs
        drawn += [(pair, True) for pair in rng.sample(had, missing)]
        rng.shuffle(drawn)
    return drawn


def _draw_numbers(unseen: QuerySet[Any], key: str, total: int, rng: random.Random) -> list[int]:
    """Draw numbers until enough of them are those of unseen pairs; fewer are returned where that is unlikely."""
    picked: list[int] = []
    for _try in range(TRIES):
        numbers = rng.sample(range(total), min(DRAWN_AT_ONCE, total))
        key_of = dict(unseen.filter(number__in=numbers).values_list("number", key))
        picked += [key_of[number] for number in numbers if number in key_of and key_of[number] not in picked]
        if len(picked) >= ROUNDS_IN_GAME:
            return picked[:ROUNDS_IN_GAME]
    return []


def mark_shown(shown: Round) -> None:
    """Note when a round was first shown, by the database's clock."""
    Round.objects.filter(pk=shown.pk, shown_at=None).update(shown_at=Now())


def answer(visitor: Visitor, game: UUID, number: int, given: Answer) -> bool:
    """Store the choice of a round that was shown and not answered, and return whether this call did so."""
    return _store(_open_round(visitor, game, number).exclude(kind=Kind.BOUNDARY), given, choice=given.choice)


def stop(visitor: Visitor, game: UUID, number: int, given: Stop) -> bool:
    """Store that the machine begins at the sentence shown last, and return whether this call did so."""
    return _store(_open_round(visitor, game, number).filter(kind=Kind.BOUNDARY, step=given.step), given)


def go_on(visitor: Visitor, game: UUID, number: int, step: int) -> bool:
    """Show the next sentence after this one, and return whether this call did so; after the last there is none."""
    shown = _open_round(visitor, game, number).filter(kind=Kind.BOUNDARY, step=step)
    found = shown.values_list("pair__machine__text", "pair__genre").first()
    if found is None or step >= len(sentences(*found)):
        return False
    return shown.update(step=F("step") + 1) == 1


def _open_round(visitor: Visitor, game: UUID, number: int) -> QuerySet[Round]:
    """Return the visitor's round if it was shown and is not answered."""
    own = Game.objects.filter(visitor.owns("player"), uuid=game).values("pk")
    return Round.objects.filter(game=Subquery(own), number=number, answered_at=None, shown_at__isnull=False)


def _store(unanswered: QuerySet[Round], given: Answer | Stop, **answered: Side) -> bool:
    """Store an answer.

    One statement, whose conditions are on the round itself: of the same choice sent five times at once PostgreSQL lets
    one through and looks at the others' conditions again.
    """
    stored = unanswered.update(
        **answered,
        confidence=given.confidence,
        known=given.known,
        # A clock that was set back must not make an answer impossible.
        answered_at=Greatest(Now(), F("shown_at")),
        flag=Case(
            When(~Q(flag=""), then=F("flag")),
            When(shown_at__gt=Now() - HASTY, then=Value(Flag.HASTY)),
            default=Value(""),
        ),
    )
    return stored == 1
