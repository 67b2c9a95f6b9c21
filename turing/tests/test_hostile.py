"""Whatever a browser or a program sends to the game is answered with a word, and changes nothing that it may not."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from generation.refusals import Refused
from turing.models import (
    Chat,
    ChatMessage,
    Game,
    Kind,
    Persona,
    Player,
    PoemPair,
    Room,
    RoomName,
    Round,
    Seat,
    Side,
    Verdict,
    Waiting,
)
from turing.rooms.rooms import call_player, open_room
from turing.tests.cast import address_of, begin_game, build_boundaries, build_conversations, build_pairs
from turing.tests.live_cast import begun, meet, said, say

HOSTILE = [
    "", " ", "\x00", "a\x00b", "left\n", "LEFT", "left left", "x" * 100_000, "-1", "0", "4", "1e3", "NaN", "9" * 40,
    "٢", "null", "[]", "{}", "%s%(x)s{0}", "../../etc",
    "<script>alert(1)</script>", "a\u202eb", "😀" * 400, "' OR 1=1 --",
]  # fmt: skip
FINE = {200, 302, 400, 404, 405, 409, 413, 415}
PLAIN = {
    "choice": "left", "confidence": "2", "known": "on", "act": "here", "step": "2", "genre": "poem", "kind": "pairs",
    "name": "Lin", "nonce": "n" * 22, "pairs": "6", "closes_at": "2099-01-01T10:00", "side": "left", "text": "Hello",
    "client_id": "00000000-0000-4000-8000-000000000001", "reason": "", "consent": "on", "adult": "on", "count": "3",
    "seed": "1", "boundary": "no", "takes_names": "on",
}  # fmt: skip


@pytest.fixture(autouse=True)
def offered(settings: Any) -> None:
    settings.TURING_LIVE = True
    settings.TURING_LIVE_SAME_ADDRESS = True
    settings.TURING_GAMES_PER_PLAYER = settings.TURING_GAMES_PER_ADDRESS = 0


def variants(*fields: str) -> Iterator[dict[str, Any]]:
    """Yield bodies in which one field is hostile, twice there or missing, and all others are plain."""
    plain = {name: PLAIN[name] for name in fields}
    for name in fields:
        for value in HOSTILE:
            yield plain | {name: value}
        yield plain | {name: ["left", "right"]}
        yield {other: value for other, value in plain.items() if other != name}


def answers(client: Client, path: str, *fields: str) -> set[int]:
    return {client.post(path, body).status_code for body in variants(*fields)}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [Kind.PAIRS, Kind.TEXT, Kind.BOUNDARY])
def test_an_answer_is_one_that_was_asked_for_or_none(client: Client, kind: Kind) -> None:
    (build_boundaries if kind == Kind.BOUNDARY else build_pairs)(12)
    start = "/turing/" if kind == Kind.PAIRS else f"/turing/{kind}/"
    game = begin_game(client, start=start)
    # Not shown yet, of another round, and of somebody else.
    for number in (1, 2, 6, 0):
        assert answers(client, address_of(game, number), "choice", "confidence", "known") <= FINE
    assert not Round.objects.answered().exists()
    client.get(address_of(game, 1))
    stranger = Client()
    stranger.post(address_of(game, 1), {"choice": "left", "act": "here", "step": "2"})
    for body in variants("choice", "confidence", "known"):
        if body.get("choice") not in ("left", ["left", "right"]):
            assert client.post(address_of(game, 1), body).status_code in FINE
    for body in variants("act", "step", "confidence"):
        # A two is a two in any digits.
        if body.get("act") != "here" or body.get("step") not in ("2", "٢"):
            assert client.post(address_of(game, 1), body).status_code in FINE
    assert not Round.objects.answered().exists()
    steps = set(Round.objects.values_list("step", flat=True))
    assert steps <= ({None} if kind != Kind.BOUNDARY else {2, 3, 4})
    # Of the other sort of round.
    other = {"act": "here", "step": "2"} if kind != Kind.BOUNDARY else {"choice": "left"}
    client.post(address_of(game, 1), other)
    assert not Round.objects.answered().exists()


@pytest.mark.django_db
def test_a_replay_of_a_whole_game_changes_nothing(client: Client) -> None:
    build_pairs(12)
    game = begin_game(client)
    for number in range(1, 6):
        client.get(address_of(game, number))
        client.post(address_of(game, number), {"choice": "left", "confidence": "3"})
    before = list(Round.objects.order_by("pk").values())
    for number in range(5, 0, -1):
        assert client.post(address_of(game, number), {"choice": "right", "known": "on"}).status_code == 302
    assert list(Round.objects.order_by("pk").values()) == before
    assert Game.objects.count() == 1


@pytest.mark.django_db
def test_what_begins_a_game_or_enters_a_room_is_taken_or_refused(client: Client) -> None:
    build_pairs(12)
    for start in ("/turing/", "/turing/text/", "/turing/boundary/", "/turing/chats/", "/turing/chat/"):
        assert answers(client, start, "genre", "nonce") <= FINE
    room = open_room("Course", "pairs", "poem", pairs=6, takes_names=True)
    for body in variants("name", "nonce"):
        assert Client().post(f"/turing/rooms/{room.uuid}/", body).status_code == 302
    for one in RoomName.objects.all():
        assert 0 < len(one.name) <= 40 and one.name.isprintable()
    assert answers(client, f"/turing/rooms/{uuid.uuid4()}/", "name") == {404}
    assert answers(client, "/turing/record/", "name") == {302}


@pytest.mark.django_db
def test_what_staff_send_is_taken_or_refused(client: Client) -> None:
    build_pairs(12)
    client.force_login(User.objects.create_user("carol", is_staff=True))
    answers(client, "/turing/rooms/", "name", "kind", "genre", "pairs", "closes_at", "nonce")
    for room in Room.objects.all():
        assert room.name.isprintable() and room.kind in Kind.values and room.pool.count() >= 5
    room = open_room("Course", "pairs", "poem", pairs=6)
    assert answers(client, f"/turing/rooms/{room.uuid}/closing/", "name") == {302}
    assert answers(client, "/turing/texts/", "boundary", "count", "seed") <= FINE
    for content in (b"", b"\x00\xff", b"{}", b"[" * 100_000, "\ufeffa,b\n1".encode(), b"PK\x03\x04", b"null"):
        for name in ("a.jsonl", "a.csv", "a.json", "a.xlsx", "a", "a" * 300):
            file = SimpleUploadedFile(name, content)
            assert client.post("/turing/conversations/", {"file": file}).status_code in FINE
    assert not PoemPair.objects.filter(genre="chat").exists()


@pytest.mark.django_db
def test_what_is_sent_to_a_live_conversation_is_said_or_refused() -> None:
    trio = meet()
    person = trio.interrogator
    for body in variants("side", "text", "client_id"):
        assert person.client.post(person.chat, body).status_code in FINE
    for one in ChatMessage.objects.all():
        assert one.text.isprintable() and len(one.text) <= 300 and one.side in Side.values
    for after in HOSTILE:
        assert person.client.get(f"{person.chat}messages/", {"after": after}).status_code == 200
    trio.end()
    verdict = f"{person.chat}verdict/"
    assert answers(trio.witness.client, f"{trio.witness.chat}verdict/", "choice", "confidence") == {302}
    assert not Verdict.objects.exists()
    for body in variants("choice", "confidence", "reason"):
        if body.get("choice") not in ("left", ["left", "right"]):
            assert person.client.post(verdict, body).status_code == 302
    assert not Verdict.objects.exists()
    assert answers(Client(), person.chat, "side") == answers(Client(), verdict, "choice") == {404}
    for body in variants("consent", "adult"):
        if {"consent", "adult"} - {name for name, value in body.items() if value}:
            Client().post("/turing/live/", body)
    assert not Waiting.objects.exists()


@pytest.mark.django_db
def test_what_a_program_sends_is_stored_or_refused_with_its_reasons(client: Client) -> None:
    build_pairs(12)
    build_conversations(6)
    client.force_login(User.objects.create_user("carol", is_staff=True))
    values: list[Any] = [*HOSTILE, None, -1, 1.5, True, [], {}, [[]], [{"by": "witness"}], {"a": []}]
    rooms = {"name": "Course", "kind": "pairs", "genre": "poem", "pairs": 6, "closes_at": None}
    for name in rooms:
        for value in values:
            response = client.post(
                "/api/v1/turing/rooms/", json.dumps(rooms | {name: value}), "application/json"
            )
            assert response.status_code in {201, 400, 409}, (name, value)
            assert response.status_code == 201 or response.json()["detail"]
    talk = {"conversation": "a", "witness": "machine", "model": "m", "messages": [], "trio": "t"}
    for name in talk:
        for value in values:
            body = json.dumps({"conversations": [talk | {name: value}]})
            response = client.put("/api/v1/turing/conversations/", body, "application/json")
            assert response.status_code in {400, 409}, (name, value)
            assert response.json()["detail"]
    for raw in ("", "null", "[]", "{", '{"conversations": null}', "\x00", '{"conversations": [null]}'):
        assert client.put("/api/v1/turing/conversations/", raw, "application/json").status_code == 400
    for path in ("results/?kind=", "pairs/?genre=", "pairs/?page=", "rounds/?pair=", "rooms/?page_size="):
        for value in HOSTILE:
            status = client.get(f"/api/v1/turing/{path}", {path.split("?")[1][:-1]: value}).status_code
            assert status in {200, 400}, (path, value)


def at_once(act: Any, values: list[Any]) -> list[Any]:
    """Do something with all values at once, each on a connection of its own; what is refused is None."""

    def one(value: Any) -> Any:
        try:
            return act(value)
        except Refused:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(len(values)) as pool:
        return list(pool.map(one, values))


@pytest.mark.django_db(transaction=True)
def test_messages_that_come_at_once_are_numbered_without_gaps_and_none_is_there_twice() -> None:
    chat, asking, answering = begun(3)
    side = chat.human_side
    ids = [uuid.uuid4() for _ in range(6)]
    at_once(
        lambda place: say(asking if place % 2 else answering, side, f"{place}", ids[place // 3]),
        list(range(18)),
    )
    there = said(chat, side)
    assert [number for number, *_ in there] == list(range(1, len(there) + 1))
    # Of those with one id, by one person, the first is there.
    expected = {("interrogator" if place % 2 else "witness", ids[place // 3]) for place in range(18)}
    assert set(ChatMessage.objects.values_list("by", "client_id")) == expected
    assert len(there) == len(expected)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_one_name_at_once_one_has_it() -> None:
    build_pairs(8)
    room = open_room("Course", "pairs", "poem", pairs=6, takes_names=True)
    players = Player.objects.bulk_create(Player(token_hash=f"{place:064x}") for place in range(8))
    at_once(lambda player: call_player(room, player, "Lin"), list(players))
    assert RoomName.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_verdicts_that_come_at_once_the_first_stays() -> None:
    from turing.live.verdicts import judge

    chat, asking, _answering = begun(4)
    Chat.objects.update(created_at="2020-01-01T00:00Z", ends_at="2020-01-02T00:00Z")
    seat = Seat.objects.select_related("chat").get(pk=asking.pk)
    given = at_once(lambda side: judge(seat, side).choice, [Side.LEFT, Side.RIGHT] * 4)
    assert set(given) == {Verdict.objects.get(chat=chat).choice}
    assert Persona.objects.count() == 1
