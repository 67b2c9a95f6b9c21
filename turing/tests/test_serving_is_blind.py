"""Nothing that a player receives before the answer tells it, in any kind of game.

A classifier learns from served rounds of some pairs, by everything about them but the words of the texts, and is asked
about rounds of other pairs. It stays at chance; and it finds each of the leaks planted here. The rounds are served by
the view itself, which makes all of a page; what stands around it is compared over HTTP.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser
from random import Random
from typing import Any
from uuid import UUID
from zlib import crc32

import numpy as np
import pytest
import scipy.stats
from django.contrib.auth.models import AnonymousUser
from django.core.signing import get_cookie_signer
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from numpy.typing import NDArray

from generation.tests.sizes import how_many
from turing.game import views
from turing.game.players import COOKIE, SALT, hash_of
from turing.models import Game, Kind, Player, Round, Side
from turing.tests.cast import address_of, begin_game, build_for, build_pairs

Floats = NDArray[np.float64]
SERVED = how_many(long=2000, short=1000)
# Leaks that are planted are plain, so that fewer rounds show them.
PLANTED = 1000
BINS = 384
PAIRS, TRAINING_PAIRS = 120, 60
TOKEN = "a token"


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


def drawn_rounds(kind: Kind, player: Player, rng: Random, *, later: bool = False) -> list[Round]:
    """Store a round to be served in each of many games, after some that are answered; `later` in a boundary."""
    pairs = build_for(kind, PAIRS)
    if later:
        # At the third sentence the machine has begun in one half of these.
        pairs = [pair for pair in pairs if (pair.takeover or 0) > 2]
    games = Game.objects.bulk_create(Game(player=player) for _ in range(SERVED))
    before, open_rounds = [], []
    now = timezone.now()
    for game in games:
        number = rng.randint(1, 5)
        for place, pair in enumerate(rng.sample(pairs, number), start=1):
            drawn = Round(game=game, number=place, kind=kind, pair=pair)
            if kind == Kind.BOUNDARY:
                drawn.takeover, drawn.step = pair.takeover, 3 if later else 2
            else:
                drawn.human_side = rng.choice(Side.values)
            if place == number:
                open_rounds.append(drawn)
                continue
            drawn.shown_at, drawn.answered_at, drawn.known = now - timedelta(seconds=9), now, False
            if kind != Kind.BOUNDARY:
                drawn.choice = rng.choice(Side.values)
            before.append(drawn)
    Round.objects.bulk_create([*before, *open_rounds], batch_size=2000)
    with connection.cursor() as cursor:
        # Autovacuum sees nothing of an open transaction, and plans for empty tables take minutes.
        cursor.execute("ANALYZE")
    return open_rounds


def answer_of(one: Round, *, later: bool = False) -> bool:
    """Return what a player is asked, as one of two: the side, human or machine, early or late in the text.

    Of a step of a boundary it is whether the machine has begun.
    """
    if later:
        return (one.takeover or 0) <= (one.step or 0)
    return (one.takeover or 0) > 2 if one.kind == Kind.BOUNDARY else one.human_side == Side.LEFT


def serve_rounds(kind: Kind, *, later: bool = False) -> list[Served]:
    """Serve rounds that were drawn by chance and keep what was served."""
    rng = Random(13)
    player = Player.objects.create(token_hash=hash_of(TOKEN))
    cookie = get_cookie_signer(salt=COOKIE + SALT).sign(TOKEN)
    factory = RequestFactory()
    factory.cookies[COOKIE] = cookie
    served = []
    for one in drawn_rounds(kind, player, rng, later=later):
        request = factory.get(address_of(one.game, one.number))
        request.user = AnonymousUser()
        start = time.perf_counter()
        response = views.round(request, one.game.uuid, one.number)
        seconds = time.perf_counter() - start
        assert response.status_code == 200
        headers = [*response.headers.items()]
        html = response.content.decode()
        truth = answer_of(one, later=later)
        served.append(Served(html, headers, seconds, one.game.uuid, one.number, one.pair_id, truth))
    return served


@cache
def features_of_page(html: str) -> tuple[Floats, Floats, Floats, int, int]:
    """Return the markup of a page in bins, its letters, the lengths of its texts, its size and how many tags it has.

    It is kept for each page, because most of the planted leaks leave the page or every second one as it was.
    """
    markup = Markup()
    # The words themselves are what players go by; their lengths stay.
    markup.feed(re.sub(r"<p>([^<]*)</p>", lambda match: f"<p>{'x' * len(match[1].encode())}</p>", html))
    places = [crc32(f"{place} {found}".encode()) % BINS for place, found in enumerate(markup.found)]
    raw = html.encode()
    letters = np.bincount(np.frombuffer(re.sub(rb"<p>[^<]*</p>", b"", raw), np.uint8), minlength=128)[:128]
    lengths = np.resize(np.array(markup.lengths, dtype=float), 160)
    bins = np.bincount(places, minlength=BINS).astype(float)
    return bins, letters.astype(float), lengths, len(raw), len(markup.found)


def features(one: Served) -> Floats:
    """Return what the classifier sees of a round: sizes, markup in its order, headers in theirs, times, names."""
    of_markup, letters, lengths, size, tags = features_of_page(one.html)
    bins = of_markup.copy()
    for place, (name, value) in enumerate(one.headers):
        bins[crc32(f"{place} {name} {value}".encode()) % BINS] += 1
        bins[crc32(f"{name} {len(value)}".encode()) % BINS] += 1
    uuid_bits = [one.game.int >> bit & 1 for bit in range(0, 128, 2)]
    sizes = [size, tags, one.seconds, np.log(one.seconds), one.number]
    return np.concatenate([bins, letters, lengths, uuid_bits, sizes]).astype(np.float64)


def accuracy(served: list[Served], plant: Callable[[Served], Served] = lambda one: one) -> tuple[int, int]:
    """Return how many sides of rounds of unseen pairs a logistic regression names rightly, and of how many."""
    planted = [plant(one) for one in served]
    x = np.array([features(one) for one in planted])
    y = np.array([one.is_left for one in planted])
    known = sorted({one.pair for one in served})[:TRAINING_PAIRS]
    training = np.isin([one.pair for one in served], known)
    # The number of the round is no secret, and much of a page depends on it.
    numbers = np.array([one.number for one in planted])
    for number in np.unique(numbers):
        x[numbers == number] -= x[training & (numbers == number)].mean(axis=0)
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
        step = np.linalg.solve(curvature, x.T @ (y - p) - penalty * weights)
        weights += step
        if np.abs(step).max() < 1e-4:
            break
    return weights


def edited(one: Served, **fields: Any) -> Served:
    return Served(**{**vars(one), **fields})


def leak_a_byte(one: Served) -> Served:
    return edited(one, html=one.html.replace("</h1>", "</h1 >") if one.is_left else one.html)


def leak_an_order(one: Served) -> Served:
    """Exchange two attributes: not a byte more or less."""
    swapped = re.sub('(class="pick") (name="[a-z]+")', r"\2 \1", one.html)
    return edited(one, html=swapped if one.is_left else one.html)


def leak_an_id(one: Served) -> Served:
    return edited(one, html=one.html.replace('"text-1"', '"text-3"') if one.is_left else one.html)


def leak_a_header(one: Served) -> Served:
    return edited(one, headers=[*one.headers, ("X-Trace", "a" if one.is_left else "b")])


def leak_a_time(one: Served) -> Served:
    return edited(one, seconds=one.seconds * (4 if one.is_left else 1))


LEAKS = [leak_a_byte, leak_an_order, leak_an_id, leak_a_header, leak_a_time]


@pytest.mark.parametrize(("kind", "later"), [*((kind, False) for kind in Kind), (Kind.BOUNDARY, True)])
@pytest.mark.django_db
def test_served_rounds_by_the_thousand_do_not_tell_the_answer(kind: Kind, *, later: bool) -> None:
    features_of_page.cache_clear()
    served = serve_rounds(kind, later=later)
    assert len(served) == SERVED
    right, asked = accuracy(served)
    # Two boundaries in three are late, whom a classifier may always name.
    lefts = sum(one.is_left for one in served)
    share = max(lefts, SERVED - lefts) / SERVED
    assert scipy.stats.binomtest(right, asked, share, alternative="greater").pvalue > 0.001, (
        f"{right} of {asked} answers were told"
    )
    for leak in LEAKS:
        right, asked = accuracy(served[:PLANTED], leak)
        assert scipy.stats.binomtest(right, asked, share, alternative="greater").pvalue < 1e-6, (
            f"{leak.__name__}: {right} of {asked}"
        )


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.django_db
def test_headers_and_sizes_over_http_are_the_same_whatever_the_answer_is(kind: Kind) -> None:
    """But for the CSRF token, which is as long as any other."""
    pairs = build_for(kind)
    client, seen = Client(), set()
    begin_game(client, kind.genres[0], reverse(views.STARTS[kind]))
    for place in range(24):
        game = Game.objects.create(player=Player.objects.get())
        pair = pairs[place % 12]
        boundary = kind == Kind.BOUNDARY
        game.rounds.create(
            number=1,
            kind=kind,
            pair=pair,
            human_side=None if boundary else list(Side)[place // 12],
            takeover=pair.takeover if boundary else None,
            step=2 if boundary else None,
        )
        response = client.get(address_of(game, 1))
        title = response.content.decode().split("</h1>")[0].rsplit(">", 1)[1]
        # The titles are the game's own, of different lengths.
        size = len(response.content) - len(title.encode())
        cookies = tuple((name, len(str(cookie))) for name, cookie in response.cookies.items())
        headers = tuple(
            (name, len(value)) for name, value in response.headers.items() if name != "Content-Length"
        )
        seen.add((size, headers, cookies))
    assert len(seen) == 1


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
