"""A room of simulated players, so that a demonstration has results to show: its rounds are in no other results."""

from __future__ import annotations

import hashlib
import math
import random
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from turing.models import FIRST_STEP, ROUNDS_IN_GAME, Game, Kind, Player, PoemPair, Results, Room, Round, Side
from turing.pairs.normalising import sentences
from turing.results.counting import count_answers
from turing.rooms.rooms import open_room

NAME = "Simulated players · 模拟的玩家"
PLAYERS = 80
GAMES = 2
PAIRS = 60
DAYS = 12


@transaction.atomic
def open_simulated_room(kind: Kind = Kind.PAIRS, *, players: int = PLAYERS, seed: int = 5) -> Room:
    """Open a room of a kind of game, and have simulated players play there; nobody else can.

    How likely a player is right grows with a skill of theirs and falls with a difficulty of the pair (Rasch), and they
    are the surer the likelier that is. Raises `Refused` without pairs in play.
    """
    rng = random.Random(seed)  # noqa: S311 - a simulation
    room = open_room(NAME, kind, kind.genres[0], pairs=PAIRS)
    Room.objects.filter(pk=room.pk).update(is_simulated=True, closes_at=timezone.now())
    room.refresh_from_db()
    pool = list(
        PoemPair.objects.filter(pk__in=room.pool.values("pair")).select_related("machine").order_by("pk")
    )
    difficulty = {pair.pk: rng.gauss(0, 0.7) for pair in pool}
    made = Player.objects.bulk_create(
        Player(token_hash=hashlib.sha256(f"simulated {room.uuid} {number}".encode()).hexdigest())
        for number in range(players)
    )
    count = min(GAMES, len(pool) // ROUNDS_IN_GAME)
    games = Game.objects.bulk_create(
        Game(player=player, room=room) for player in made for _game in range(count)
    )
    skill = {player.pk: rng.gauss(0.5, 0.6) for player in made}
    drawn = {player.pk: rng.sample(pool, count * ROUNDS_IN_GAME) for player in made}
    now, rounds = timezone.now(), []
    for game in games:
        begun = now - timedelta(days=rng.uniform(0, DAYS))
        for number in range(1, ROUNDS_IN_GAME + 1):
            pair = drawn[game.player_id].pop()
            chance = 1 / (1 + math.exp(difficulty[pair.pk] - skill[game.player_id]))
            at = begun + timedelta(seconds=20 * number)
            rounds.append(
                Round(
                    game=game,
                    number=number,
                    kind=kind,
                    pair=pair,
                    shown_at=at - timedelta(seconds=rng.uniform(4, 15)),
                    answered_at=at,
                    known=False,
                    confidence=1 + min(2, int(3 * abs(2 * chance - 1) + rng.random())),
                    **answered(pair, is_right=rng.random() < chance, rng=rng),
                )
            )
    Round.objects.bulk_create(rounds)
    count_answers()
    return room


def answered(pair: PoemPair, *, is_right: bool, rng: random.Random) -> dict[str, Any]:
    """Return what a round has of the side that is drawn and of the answer, or of the boundary."""
    if pair.takeover is None:
        side = rng.choice([Side.LEFT, Side.RIGHT])
        return {"human_side": side, "choice": side if is_right else side.other}
    places = range(FIRST_STEP, len(sentences(pair.machine.text, pair.genre)) + 1)
    others = [place for place in places if place != pair.takeover] or [pair.takeover]
    return {"takeover": pair.takeover, "step": pair.takeover if is_right else rng.choice(others)}


@transaction.atomic
def remove_simulated_rounds() -> int:
    """Delete the rooms of simulated players with all that belongs to them; return how many rounds that were."""
    rooms = Room.objects.filter(is_simulated=True)
    games = Game.objects.filter(room__in=rooms)
    players = list(games.values_list("player_id", flat=True).distinct())
    rounds = Round.objects.filter(game__in=games).count()
    Results.objects.filter(room__in=rooms).delete()
    games.delete()
    Player.objects.filter(pk__in=players).delete()
    rooms.delete()
    return rounds
