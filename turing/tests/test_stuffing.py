"""A few hundred votes of somebody who wants a verdict: what they move, and that the page says what holds it up."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from turing.models import (
    FIRST_STEP,
    ROUNDS_IN_GAME,
    Game,
    Kind,
    Player,
    PoemPair,
    Results,
    Room,
    Round,
    Scope,
    Side,
)
from turing.pairs.normalising import sentences
from turing.results.counting import count_answers
from turing.results.figures import live_results
from turing.results.measuring import measure
from turing.results.views import ADDRESSES
from turing.rooms.rooms import open_room
from turing.tests.cast import build_for
from turing.tests.test_results_page import text_of

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HONEST, ATTACKERS = 80, 60


def answered(pair: PoemPair, kind: Kind, rng: Random, *, is_right: bool) -> dict[str, Any]:
    """Return what a round has of its truth and of its answer."""
    if kind != Kind.BOUNDARY:
        side = rng.choice([Side.LEFT, Side.RIGHT])
        return {"human_side": side, "choice": side if is_right else side.other}
    wrong = [place for place in range(FIRST_STEP, 5) if place != pair.takeover]
    return {"takeover": pair.takeover, "step": pair.takeover if is_right else rng.choice(wrong)}


def play(
    pairs: list[PoemPair], kind: Kind, players: int, chance: float, *, origin: str, room: Room | None = None,
    seconds: float = 9, flag: str = "", name: str = "",
) -> None:  # fmt: skip
    """Let players of an address play a game each, and be right by chance."""
    rng = Random(f"{kind} {origin} {name}")
    made = Player.objects.bulk_create(
        Player(token_hash=hashlib.sha256(f"{kind} {origin} {name} {place}".encode()).hexdigest())
        for place in range(players)
    )
    games = Game.objects.bulk_create(Game(player=player, origin=origin, room=room) for player in made)
    Round.objects.bulk_create(
        Round(
            game=game, number=number, kind=kind, pair=pair, shown_at=START, known=False, flag=flag,
            answered_at=START + timedelta(seconds=seconds),
            **answered(pair, kind, rng, is_right=rng.random() < chance),
        )
        for game in games
        for number, pair in enumerate(rng.sample(pairs, ROUNDS_IN_GAME), start=1)
    )  # fmt: skip
    count_answers()


def guessing(kind: Kind, pairs: list[PoemPair]) -> float:
    """Return how often a guess is right: of four sentences one in three, otherwise half."""
    assert kind != Kind.BOUNDARY or {len(sentences(pair.machine.text, "poem")) for pair in pairs} == {4}
    return 1 / 3 if kind == Kind.BOUNDARY else 0.5


def figures_of(kind: Kind) -> tuple[dict[str, Any], str]:
    """Measure, and return the figures of all records and what the page says."""
    Results.objects.update(measured_at=None, measured=0)
    assert measure(Results.objects.get(kind=kind, room=None))
    page = text_of(Client().get(reverse(ADDRESSES[kind])).content)
    return Results.objects.of_site(kind).figures["all"], page


def verdict_of(kind: Kind, scope: Scope = Scope.ALL) -> str:
    return live_results(Results.objects.of_site(kind)).scopes[scope].verdict


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.django_db
def test_a_verdict_that_hundreds_of_votes_of_one_address_make_is_named_as_theirs(kind: Kind) -> None:
    pairs = build_for(kind)
    for place in range(8):
        play(pairs, kind, HONEST // 8, guessing(kind, pairs), origin=f"{place:016x}")
    figures, _page = figures_of(kind)
    honest = verdict_of(kind)
    assert honest != "distinguishable", "players who guess cannot tell"
    # 60 cookies of one address, 300 votes, all right.
    play(pairs, kind, ATTACKERS, 1.0, origin="f" * 16)
    figures, page = figures_of(kind)
    assert verdict_of(kind) == "distinguishable"
    assert 0 < figures["fragility"]["rounds"] <= ATTACKERS
    assert f"The verdict falls without {figures['fragility']['rounds']} of 700 rounds" in page
    assert figures["without_one"]["address"]["decisive"] == [{"games": ATTACKERS, "becomes": honest}]
    assert "Without one address with 60 of 140 first games it would be" in page


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.django_db
def test_a_verdict_that_one_room_makes_falls_without_it(kind: Kind) -> None:
    pairs = build_for(kind)
    for place in range(8):
        play(pairs, kind, HONEST // 8, guessing(kind, pairs), origin=f"{place:016x}")
    room = open_room("Stuffed", kind, kind.genres[0], pairs=12)
    # Each from an address of their own.
    for place in range(ATTACKERS):
        play(pairs, kind, 1, 1.0, origin=f"a{place:015x}", room=room)
    figures, page = figures_of(kind)
    assert figures["without_one"]["address"]["decisive"] == []
    assert [row["games"] for row in figures["without_one"]["room"]["decisive"]] == [ATTACKERS]
    assert "Without one room with 60 of 140 first games it would be" in page
    # Of its own results it is no part.
    own = Results.objects.get(room=room)
    assert measure(own)
    assert set(Results.objects.get(room=room).figures["all"]["without_one"]) == {"address"}


@pytest.mark.parametrize("kind", [Kind.PAIRS, Kind.BOUNDARY])
@pytest.mark.django_db
def test_hundreds_of_games_of_one_player_move_no_verdict(kind: Kind) -> None:
    pairs = build_for(kind)
    for place in range(8):
        play(pairs, kind, HONEST // 8, guessing(kind, pairs), origin=f"{place:016x}")
    before = live_results(Results.objects.of_site(kind)).scopes[Scope.ALL].sequence
    play(pairs, kind, 1, 1.0, origin="f" * 16)
    player = Player.objects.latest("pk")
    once = live_results(Results.objects.of_site(kind)).scopes[Scope.ALL].sequence
    rng = Random(1)
    for _again in range(100):
        game = Game.objects.create(player=player, origin="f" * 16)
        Round.objects.bulk_create(
            Round(
                game=game, number=number, kind=kind, pair=pair, shown_at=START, known=False, is_repeat=True,
                answered_at=START + timedelta(seconds=9, days=1), **answered(pair, kind, rng, is_right=True),
            )
            for number, pair in enumerate(rng.sample(pairs, ROUNDS_IN_GAME), start=1)
        )  # fmt: skip
    assert count_answers() == 500
    assert live_results(Results.objects.of_site(kind)).scopes[Scope.ALL].sequence == once
    assert once.units == before.units + 1


@pytest.mark.parametrize("kind", [Kind.PAIRS, Kind.CHAT])
@pytest.mark.django_db
def test_answers_faster_than_reading_are_in_one_verdict_and_not_in_the_other(kind: Kind) -> None:
    pairs = build_for(kind)
    for place in range(8):
        play(pairs, kind, HONEST // 8, 0.5, origin=f"{place:016x}")
    honest = verdict_of(kind, Scope.UNFLAGGED)
    for place in range(ATTACKERS):
        play(pairs, kind, 1, 1.0, origin=f"a{place:015x}", seconds=1, flag="hasty")
    assert verdict_of(kind) == "distinguishable"
    assert verdict_of(kind, Scope.UNFLAGGED) == honest != "distinguishable"
