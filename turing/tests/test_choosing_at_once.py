"""Requests sent at once, over connections of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connection
from django.test import Client

from turing.game.play import Answer, answer, begin
from turing.game.players import Visitor
from turing.models import Game, Player, Round, Side
from turing.tests.cast import address_of, begin_game, build_pairs

T = TypeVar("T")
TIMES = 5


def at_once(work: Callable[[int], T]) -> list[T]:
    """Do something five times, as near to the same moment as threads can, and return what came of it."""
    barrier = Barrier(TIMES)

    def run(number: int) -> T:
        try:
            barrier.wait()
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(TIMES) as pool:
        return list(pool.map(run, range(TIMES)))


def choose(visitor: Visitor, game: Game, number: int, place: int) -> bool:
    """Choose the left text or the right one by turns."""
    return answer(visitor, game.uuid, number, Answer(list(Side)[place % 2]))


@pytest.mark.django_db(transaction=True)
def test_of_five_choices_at_once_one_is_stored(client: Client) -> None:
    build_pairs()
    game = begin_game(client)
    visitor = Visitor(Player.objects.get().token_hash, None)
    for number in range(1, 6):
        client.get(address_of(game, number))
        stored = at_once(partial(choose, visitor, game, number))
        assert sorted(stored) == [False] * 4 + [True]
        # The choice that is kept is the one of which its sender was told that it was stored.
        assert Round.objects.get(game=game, number=number).choice == list(Side)[stored.index(True) % 2]
    assert Round.objects.answered().count() == 5


@pytest.mark.django_db(transaction=True)
def test_of_five_games_begun_at_once_by_one_player_one_is_made(client: Client) -> None:
    build_pairs()
    Player.objects.create(token_hash="a" * 64)
    visitor = Visitor("a" * 64, None)
    games = at_once(lambda _: begin(visitor, "127.0.0.1", "poem").game.pk)
    assert len(set(games)) == 1
    assert Game.objects.count() == 1
    assert Round.objects.count() == 5
