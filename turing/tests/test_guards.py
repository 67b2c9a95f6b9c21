"""What the database refuses, whoever writes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from generation.models import Candidate, GenerationRun
from turing.models import Game, Player, PoemPair, Round, SourceText
from turing.tests.cast import begin_game, play_round


def refused(write: Callable[[], Any]) -> bool:
    try:
        with transaction.atomic():
            write()
    except IntegrityError:
        return True
    return False


@pytest.fixture
def game(client: Client, pairs: list[PoemPair]) -> Game:
    """A game of which the first round is answered and the second was shown."""
    game = begin_game(client)
    play_round(client, game, 1)
    client.get(f"/turing/games/{game.uuid}/rounds/2/")
    return game


@pytest.mark.parametrize(
    "fields",
    [
        {"pair": 99},
        {"human_side": "left"},
        {"number": 5},
        {"is_repeat": True},
    ],
    ids=str,
)
def test_what_was_drawn_cannot_change(game: Game, fields: dict[str, Any], pairs: list[PoemPair]) -> None:
    one = game.rounds.get(number=3)
    if "pair" in fields:
        taken = game.rounds.values("pair")
        fields = {"pair": PoemPair.objects.exclude(pk__in=taken)[0]}
    if "human_side" in fields:
        fields = {"human_side": {"left": "right", "right": "left"}[str(one.human_side)]}
    if "number" in fields:
        game.rounds.get(number=5).delete()
    assert refused(lambda: Round.objects.filter(pk=one.pk).update(**fields))


@pytest.mark.parametrize(
    "fields",
    [{"choice": None, "answered_at": None, "known": None}, {"flag": "many"}, {"known": True}, {"confidence": 1},
     {"answered_at": Now()}],
    ids=str,
)  # fmt: skip
def test_an_answer_cannot_change(game: Game, fields: dict[str, Any]) -> None:
    assert refused(lambda: game.rounds.filter(number=1).update(**fields))


def test_an_answer_can_be_counted(game: Game) -> None:
    assert game.rounds.filter(number=1).update(is_counted=True) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"choice": "left"},
        {"choice": "up", "answered_at": Now(), "known": False},
        {"answered_at": Now()},
        {"choice": "left", "answered_at": Now()},
        {"choice": "left", "answered_at": Now(), "known": False, "shown_at": None},
        {"choice": "left", "answered_at": F("shown_at"), "known": False, "confidence": 4},
        {"confidence": 1},
        {"is_counted": True},
        {"flag": "odd"},
    ],
    ids=str,
)
def test_half_an_answer_is_refused(game: Game, fields: dict[str, Any]) -> None:
    assert refused(lambda: game.rounds.filter(number=2).update(**fields))


def test_the_same_fields_whole_are_an_answer(game: Game) -> None:
    answer = {"choice": "left", "answered_at": Now(), "known": False, "confidence": 3, "flag": "hasty"}
    assert game.rounds.filter(number=2).update(**answer) == 1


def test_a_game_has_five_rounds_of_five_pairs(game: Game) -> None:
    first, free = game.rounds.get(number=1), PoemPair.objects.exclude(rounds__game=game)[0]
    game.rounds.filter(number=5).delete()
    for number, pair in ((1, free), (5, first.pair), (6, free), (0, free)):
        assert refused(partial(game.rounds.create, number=number, pair=pair, human_side="left"))
    game.rounds.create(number=5, pair=free, human_side="left")


def test_a_pair_is_of_two_texts_for_one_prompt_of_its_genre(pairs: list[PoemPair]) -> None:
    one, other = pairs[:2]
    run = GenerationRun.objects.create(method=one.machine.run.method)
    third = Candidate.objects.create(run=run, prompt=one.human.prompt, text="又一首")
    make = PoemPair.objects.create
    assert refused(lambda: make(genre="poem", number=99, human=one.human, machine=other.machine))
    assert refused(lambda: make(genre="qa", number=99, human=one.human, machine=third))
    assert refused(lambda: make(genre="poem", number=99, human=one.human, machine=one.human))
    assert refused(lambda: make(genre="poem", number=one.number, human=one.human, machine=third))
    assert refused(lambda: make(genre="poem", number=99, human=one.human, machine=one.machine))
    make(genre="poem", number=99, human=one.human, machine=third)
    assert refused(lambda: PoemPair.objects.filter(number=99).update(machine=other.machine))


def test_tokens_are_digests_and_sources_come_once(pairs: list[PoemPair]) -> None:
    assert refused(lambda: Player.objects.create(token_hash="a token"))
    source = SourceText.objects.all()[0]
    assert refused(lambda: SourceText.objects.create(source_id=source.source_id, text="又一首"))
    assert refused(lambda: SourceText.objects.create(source_id="new", text=""))
    assert refused(lambda: SourceText.objects.create(source_id="new", text="又一首", form="sonnet"))
