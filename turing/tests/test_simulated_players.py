"""Simulated players fill a room of their own, are marked as such everywhere, count for nothing else, and can go."""

from __future__ import annotations

import io
import json

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from turing.models import Game, Kind, Player, PoemPair, Results, Room, Round, Scope
from turing.pairs.conversation_files import import_conversations
from turing.results.exports import row_chunks
from turing.results.figures import live_results
from turing.results.views import ADDRESSES
from turing.rooms.simulated import open_simulated_room
from turing.tests.cast import build_conversations, build_for, build_pairs
from turing.tests.results_cast import record
from turing.tests.test_results import simulated

pytestmark = pytest.mark.django_db
PAGE = "/turing/results/"
CONVERSATIONS = settings.BASE_DIR / "fixtures" / "turing-conversations.jsonl"


@pytest.fixture
def room() -> Room:
    build_pairs(20)
    return open_simulated_room(players=8)


def test_their_rounds_are_in_the_results_of_their_room_alone(room: Room, client: Client) -> None:
    of_room = live_results(Results.objects.of_room(room)).scopes[Scope.ALL].rate
    assert (of_room.players, of_room.total) == (8, 80)
    assert live_results(Results.objects.of_site(Kind.PAIRS)).scopes[Scope.ALL].rate.total == 0
    pairs = [json.loads(line) for line in b"".join(row_chunks("pairs", "jsonl")).splitlines()]
    assert {one["answered_all"] for one in pairs} == {0}
    rounds = [json.loads(line) for line in b"".join(row_chunks("rounds", "jsonl")).splitlines()]
    assert {one["is_simulated"] for one in rounds} == {True}


def test_pages_and_files_say_that_they_are_simulated(room: Room, client: Client) -> None:
    address = f"/turing/rooms/{room.uuid}/results/"
    assert f'href="{address}"' in client.get(PAGE).content.decode()
    assert (
        "These players are simulated: nothing here is a result about people"
        in client.get(address).content.decode()
    )
    assert client.get(f"/turing/rooms/{room.uuid}/results.json").json()["is_simulated"] is True
    started = client.post(f"/turing/rooms/{room.uuid}/", follow=True).content.decode()
    assert Game.objects.count() == 16, "nobody else plays there"
    assert "closed" in started


def test_rounds_of_people_stay_when_the_simulated_ones_are_removed(room: Room, client: Client) -> None:
    record(simulated(list(PoemPair.objects.all()), players=2))
    people = Round.objects.filter(game__room=None).count()
    assert f"/turing/rooms/{room.uuid}/" not in client.get(PAGE).content.decode()
    output = io.StringIO()
    call_command("remove_simulated_rounds", stdout=output)
    assert output.getvalue() == "80 rounds of simulated players are deleted\n"
    assert (Round.objects.count(), Room.objects.count(), Player.objects.count()) == (people, 0, 2)
    assert live_results(Results.objects.of_site(Kind.PAIRS)).scopes[Scope.ALL].rate.total == people


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_of_game_has_its_simulated_players_on_its_page(kind: Kind, client: Client) -> None:
    build_for(kind)
    room = open_simulated_room(kind, players=8)
    of_room = live_results(Results.objects.of_room(room)).scopes[Scope.ALL].rate
    assert (of_room.players, of_room.total) == (8, 80)
    assert 0 < of_room.selected < 80
    page = client.get(reverse(ADDRESSES[kind])).content.decode()
    assert f"/turing/rooms/{room.uuid}/results/" in page
    others = [reverse(ADDRESSES[one]) for one in Kind if one != kind]
    assert not [one for one in others if str(room.uuid) in client.get(one).content.decode()]


def test_pages_say_that_conversations_of_the_demonstration_were_held_by_nobody(client: Client) -> None:
    words = "Some of these conversations are simulated"
    build_conversations(6)
    pages = ("/turing/chats/", "/turing/chat/", "/turing/results/chats/", "/turing/results/chat/")
    assert not [page for page in pages if words in client.get(page).content.decode()]
    assert len(import_conversations(CONVERSATIONS).pairs) == 12
    assert [page for page in pages if words in client.get(page).content.decode()] == list(pages)
    assert words not in client.get("/turing/").content.decode()
