"""Nothing that a player receives before the choice tells the side of the human text.

A classifier learns from served rounds of some pairs, by everything about them but the words of the two texts, and is
asked about rounds of other pairs. It stays at chance; and it finds each of the leaks planted here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from random import Random
from typing import Any
from uuid import UUID
from zlib import crc32

import numpy as np
import pytest
import scipy.stats
from django.db import connection
from django.test import Client
from numpy.typing import NDArray

from turing.game.play import Answer, answer, draw_rounds
from turing.game.players import Visitor
from turing.models import Game, Player, Round, Side
from turing.tests.cast import address_of, begin_game, build_pairs

Floats = NDArray[np.float64]
GAMES = 400
BINS = 384
TRAINING_PAIRS = 60


@dataclass
class Served:
    """What a browser received for one round, and the side that it may not tell."""

    html: str
    headers: list[tuple[str, str]]
    seconds: float
    game: UUID
    number: int
    pair: int
    is_left: bool


class Markup(HTMLParser):
    """Every tag and attribute in order, and how long each text between them is."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.lengths: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag, *(f"{tag} {name}={value}" for name, value in attrs)]

    def handle_data(self, data: str) -> None:
        self.lengths.append(len(data.encode()))


def serve_rounds() -> list[Served]:
    """Play games by chance over HTTP and keep what was served before each choice."""
    client, rng = Client(), Random(13)
    build_pairs(120)
    begin_game(client)
    player = Player.objects.get()
    visitor = Visitor(player.token_hash, None)
    served = []
    for played in range(GAMES):
        if played % 50 == 0:
            # Autovacuum sees nothing of an open transaction, and plans for empty tables take minutes.
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        game = Game.objects.create(player=player)
        draw_rounds(game, "poem", "", rng)
        for one in game.rounds.order_by("number"):
            start = time.perf_counter()
            response = client.get(address_of(game, one.number))
            seconds = time.perf_counter() - start
            headers = [
                *response.headers.items(),
                *((name, str(cookie)) for name, cookie in response.cookies.items()),
            ]
            assert response.status_code == 200
            html = response.content.decode()
            served.append(
                Served(
                    html, headers, seconds, game.uuid, one.number, one.pair_id, one.human_side == Side.LEFT
                )
            )
            answer(visitor, game.uuid, one.number, Answer(rng.choice(list(Side))))
    assert Round.objects.answered().count() == len(served) == 2000
    return served


def features(one: Served) -> Floats:
    """Return what the classifier sees of a round: sizes, markup in its order, headers in theirs, times, names."""
    markup = Markup()
    # The words themselves are what players go by; their lengths stay.
    markup.feed(re.sub(r"<p>([^<]*)</p>", lambda match: f"<p>{'x' * len(match[1].encode())}</p>", one.html))
    bins = np.zeros(BINS)
    for place, found in enumerate(markup.found):
        bins[crc32(f"{place} {found}".encode()) % BINS] += 1
    for place, (name, value) in enumerate(one.headers):
        bins[crc32(f"{place} {name} {value}".encode()) % BINS] += 1
        bins[crc32(f"{name} {len(value)}".encode()) % BINS] += 1
    raw = one.html.encode()
    letters = np.bincount(np.frombuffer(re.sub(rb"<p>[^<]*</p>", b"", raw), np.uint8), minlength=128)[:128]
    lengths = np.resize(np.array(markup.lengths, dtype=float), 160)
    uuid_bits = [one.game.int >> bit & 1 for bit in range(0, 128, 2)]
    sizes = [len(raw), len(markup.found), one.seconds, np.log(one.seconds), one.number]
    return np.concatenate([bins, letters, lengths, uuid_bits, sizes]).astype(np.float64)


def accuracy(served: list[Served], plant: Callable[[Served], Served] = lambda one: one) -> tuple[int, int]:
    """Return how many sides of rounds of unseen pairs a logistic regression names rightly, and of how many."""
    planted = [plant(one) for one in served]
    x = np.array([features(one) for one in planted])
    y = np.array([one.is_left for one in planted])
    known = sorted({one.pair for one in served})[:TRAINING_PAIRS]
    training = np.isin([one.pair for one in served], known)
    x = (x - x[training].mean(axis=0)) / (x[training].std(axis=0) + 1e-9)
    x = np.clip(np.column_stack([x, np.ones(len(x))]), -5, 5)
    weights = logistic_regression(x[training], y[training].astype(np.float64))
    right = ((x[~training] @ weights > 0) == y[~training]).sum()
    return int(right), int((~training).sum())


def logistic_regression(x: Floats, y: Floats, penalty: float = 20.0, steps: int = 12) -> Floats:
    """Return the weights that Newton's method finds, with a quadratic penalty."""
    weights = np.zeros(x.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        curvature = x.T @ (x * (p * (1 - p))[:, np.newaxis]) + penalty * np.eye(len(weights))
        weights += np.linalg.solve(curvature, x.T @ (y - p) - penalty * weights)
    return weights


def edited(one: Served, **fields: Any) -> Served:
    return Served(**{**vars(one), **fields})


def leak_a_byte(one: Served) -> Served:
    return edited(one, html=one.html.replace("</h1>", "</h1 >") if one.is_left else one.html)


def leak_an_order(one: Served) -> Served:
    """Exchange two attributes: not a byte more or less."""
    swapped = one.html.replace('class="pick" name="choice"', 'name="choice" class="pick"')
    return edited(one, html=swapped if one.is_left else one.html)


def leak_an_id(one: Served) -> Served:
    return edited(one, html=one.html.replace('"text-1"', '"text-3"') if one.is_left else one.html)


def leak_a_header(one: Served) -> Served:
    return edited(one, headers=[*one.headers, ("X-Trace", "a" if one.is_left else "b")])


def leak_a_time(one: Served) -> Served:
    return edited(one, seconds=one.seconds * (4 if one.is_left else 1))


LEAKS = [leak_a_byte, leak_an_order, leak_an_id, leak_a_header, leak_a_time]


@pytest.mark.django_db
def test_two_thousand_served_rounds_do_not_tell_the_side() -> None:
    served = serve_rounds()
    right, asked = accuracy(served)
    assert scipy.stats.binomtest(right, asked).pvalue > 0.001, f"{right} of {asked} sides were told"
    for leak in LEAKS:
        # Fewer rounds will do, since what is planted is plain.
        right, asked = accuracy(served[:1000], leak)
        assert scipy.stats.binomtest(right, asked).pvalue < 1e-6, f"{leak.__name__}: {right} of {asked}"


@pytest.mark.django_db
def test_the_same_round_on_either_side_is_served_byte_for_byte_alike() -> None:
    """But for the texts' places, the CSRF token and the game's address."""
    (pair, *_) = build_pairs()
    pages = {}
    client = Client()
    begin_game(client)
    for side in Side:
        game = Game.objects.create(player=Player.objects.get())
        game.rounds.create(number=1, pair=pair, human_side=side)
        html = client.get(address_of(game, 1)).content.decode().replace(str(game.uuid), "")
        pages[side] = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", html)
    left, right = pages[Side.LEFT], pages[Side.RIGHT]
    assert left != right
    assert len(left.encode()) == len(right.encode())
    for ours, theirs in zip(pair.human.text.split("\n"), pair.machine.text.split("\n"), strict=True):
        left = left.replace(ours, "\0").replace(theirs, ours).replace("\0", theirs)
    assert left == right
