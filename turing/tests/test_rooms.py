"""Rooms: own pool, own board and results, optional names, a closing time, and a card to share."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from generation.refusals import Refused
from stats.game.selection import wilson_interval
from turing.models import (
    Game,
    Kind,
    OriginTally,
    Player,
    PlayerTally,
    PoemPair,
    Results,
    Room,
    RoomName,
    Round,
    Side,
)
from turing.pairs.files import write_pairs
from turing.results.counting import count_answers
from turing.results.measuring import without_one
from turing.rooms.rooms import board_of, close_room, open_room, reopen_room
from turing.tests.cast import build_boundaries, build_for, build_pairs, play_game
from turing.tests.results_cast import Answered, record
from turing.tests.test_results_page import text_of


@pytest.fixture
def pairs(db: None) -> list[PoemPair]:
    return build_pairs(30)


@pytest.fixture
def room(pairs: list[PoemPair]) -> Room:
    return open_room("Course 2026", "pairs", "poem", pairs=8, takes_names=True)


def address_of(room: Room, tail: str = "") -> str:
    return f"/turing/rooms/{room.uuid}/{tail}"


def begin_in(client: Client, room: Room, **said: str) -> Game:
    response = client.post(address_of(room), said)
    return Game.objects.get(uuid=UUID(response.headers["Location"].rstrip("/").rsplit("/", 1)[1]))


def play_in(client: Client, room: Room, answers: str = "rrrrr", *, flag: str = "", **said: str) -> Game:
    game = begin_in(client, room, **said)
    for number, answer in enumerate(answers, start=1):
        answer_slowly(game, number, right=answer == "r", flag=flag)
    return game


def answer_slowly(game: Game, number: int, *, right: bool, flag: str = "") -> None:
    """Store an answer of any kind of game as that of somebody who read what was shown."""
    asked = game.rounds.get(number=number)
    said: dict[str, object] = {"flag": flag}
    if asked.takeover is not None:
        # A wrong answer is one sentence late; the sentences are shown one by one.
        for step in range(3, asked.takeover + (0 if right else 1) + 1):
            game.rounds.filter(number=number).update(step=step)
    else:
        side = Side(str(asked.human_side))
        said["choice"] = side if right else side.other
    now = timezone.now()
    game.rounds.filter(number=number).update(
        shown_at=now - timedelta(seconds=9), answered_at=now, known=False, **said
    )


def test_games_of_a_room_are_of_its_own_pool(room: Room) -> None:
    pool = set(room.pool.values_list("pair", flat=True))
    assert len(pool) == 8
    for _ in range(6):
        game = begin_in(Client(), room)
        assert set(game.rounds.values_list("pair", flat=True)) <= pool
        assert game.room == room
    drawn = Counter(Round.objects.values_list("pair", flat=True))
    assert set(drawn) == pool


def test_a_game_in_a_room_and_one_outside_are_gone_on_with_by_themselves(client: Client, room: Room) -> None:
    inside = begin_in(client, room)
    outside = client.post("/turing/", {"genre": "poem"}).headers["Location"]
    assert str(inside.uuid) not in outside
    assert begin_in(client, room) == inside


def test_a_room_has_its_own_results_and_its_rounds_count_for_the_site_too(client: Client, room: Room) -> None:
    play_in(client, room, "rrrwr")
    play_game(Client(), "wwwww")
    count_answers()
    own = Results.objects.of_room(room)
    assert own.pk
    found = client.get(address_of(room, "results.json")).json()["scopes"]["all"]
    assert (found["records"], found["machine_selected"]) == (5, 1)
    everything = client.get("/turing/results.json").json()["scopes"]["all"]
    assert (everything["records"], everything["machine_selected"]) == (10, 6)
    text = text_of(client.get(address_of(room, "results/")).content)
    assert "Results of the game : Course 2026" in text or "Results of the game: Course 2026" in text
    assert "Records 5 " in text
    assert client.get(address_of(room, "results/live/")).status_code == 200


def test_players_are_called_what_they_want_in_the_room_and_nowhere_else(client: Client, room: Room) -> None:
    play_in(client, room, name="  Lin   <b> ")
    count_answers()
    assert RoomName.objects.get().name == "Lin <b>"
    page = client.get(address_of(room, "results/")).content.decode()
    assert "Lin &lt;b&gt;" in page and "<b>" not in page
    assert "( you )" in text_of(page.encode()) or "(you)" in text_of(page.encode()).replace(" ", "")
    assert "Lin" not in client.get("/turing/results/").content.decode()
    Room.objects.update(takes_names=False)
    play_in(Client(), room, name="Wang")
    assert not RoomName.objects.filter(name="Wang").exists()


@pytest.mark.parametrize("kind", ["pairs", "text", "boundary", "chats", "chat"])
def test_board_counts_no_pair_again_of_which_the_answer_was_told_and_no_flagged_answer(
    db: None, kind: str
) -> None:
    pool = build_for(Kind(kind), 6)
    room = open_room("Course", kind, pool[0].genre, pairs=5, takes_names=True)
    learner, honest, hasty = Client(), Client(), Client()
    for answers in ("rrwww", "rrrrr", "rrrrr"):
        play_in(learner, room, answers, name="Learner")
    play_in(honest, room, "rrrrw", name="Honest")
    play_in(hasty, room, "rrrrr", name="Hasty", flag="hasty")
    count_answers()
    board = board_of(room, Results.objects.of_room(room))
    assert [(one.name, one.right, one.answered) for one in board] == [
        ("Honest", 4, 5),
        ("Learner", 2, 5),
    ]
    page = text_of(honest.get(address_of(room, "results/")).content)
    assert "Of a pair only the first meeting counts" in page and "2 of 5" in page and "12 of 15" not in page


def test_board_is_led_by_who_was_right_for_long_not_by_five_of_five(client: Client, room: Room) -> None:
    play_in(client, room, "rrrrr", name="Lucky")
    steady = Client()
    for _ in range(2):
        play_in(steady, room, "rrrrr", name="Steady")
    count_answers()
    board = board_of(room, Results.objects.of_room(room))
    # The pool has eight.
    assert [(one.name, one.right, one.answered) for one in board] == [("Steady", 8, 8), ("Lucky", 5, 5)]
    assert board[0].ci[0] > board[1].ci[0]


def test_no_game_begins_after_the_closing_time_and_one_that_has_begun_goes_on(room: Room) -> None:
    early, late = Client(), Client()
    game = begin_in(early, room)
    close_room(room)
    assert late.post(address_of(room), {}).headers["Location"] == address_of(room)
    assert "This room is closed" in late.get(address_of(room)).content.decode()
    assert Game.objects.count() == 1
    assert begin_in(early, room) == game
    reopen_room(room)
    assert begin_in(late, room) != game


def test_nobody_plays_among_simulated_players_and_their_room_is_not_opened_again(room: Room) -> None:
    Room.objects.update(is_simulated=True, closes_at=timezone.now() + timedelta(days=1))
    room.refresh_from_db()
    assert Client().post(address_of(room), {}).headers["Location"] == address_of(room)
    assert not Game.objects.exists()
    with pytest.raises(Refused, match="simulated"):
        reopen_room(room)
    with pytest.raises(IntegrityError), transaction.atomic():
        Room.objects.update(closes_at=None)
    carol = Client()
    carol.force_login(User.objects.create_user("carol", is_staff=True))
    told = carol.post(address_of(room, "closing/"), {"reopen": "yes"}, follow=True).content.decode()
    assert "nobody else plays there" in told
    assert "Open again" not in told and "Close now" not in told


@pytest.mark.parametrize("name", ["x" * 41, "a\u202eb", "a\u200bb", "o" + "\u0301" * 4, "!!!", "a\x00b"])
def test_a_name_that_hides_something_or_is_none_is_told_and_not_shown(room: Room, name: str) -> None:
    client = Client()
    response = client.post(address_of(room), {"name": name}, follow=True)
    assert "you play without one" in response.content.decode()
    assert Game.objects.count() == 1
    assert not RoomName.objects.exists()


@pytest.mark.parametrize("name", ["lin yi", "LIN-YI", "Ｌin Ｙi", "Lín Yí"])
def test_nobody_is_called_what_somebody_else_of_the_room_is(room: Room, name: str) -> None:
    lin, other = Client(), Client()
    begin_in(lin, room, name="Lin Yi")
    assert (
        "Somebody in this room is called so"
        in other.post(address_of(room), {"name": name}, follow=True).content.decode()
    )
    assert RoomName.objects.get().name == "Lin Yi"
    begin_in(lin, room, name="Lin  yi")
    assert RoomName.objects.get().name == "Lin yi"
    elsewhere = open_room("Other", "pairs", "poem", pairs=8, takes_names=True)
    begin_in(other, elsewhere, name=name)
    assert RoomName.objects.count() == 2


def test_board_is_the_same_by_the_database_as_by_each_interval(room: Room) -> None:
    rng = random.Random(4)
    players = Player.objects.bulk_create(Player(token_hash=f"{place:064x}") for place in range(80))
    of = Results.objects.create(kind="pairs", room=room)
    for player in players:
        answered = rng.randrange(1, 40)
        selected = rng.randrange(answered + 1)
        PlayerTally.objects.create(
            results=of, player=player, scope="unflagged", answered=50, selected=25, new_answered=answered,
            new_selected=selected, cells=[0] * 16,
        )  # fmt: skip
    board = board_of(room, of)
    assert len(board) == 50
    everybody = sorted(
        (
            -wilson_interval(one.new_answered - one.new_selected, one.new_answered)[0],
            -one.new_answered,
            one.player_id,
        )
        for one in PlayerTally.objects.all()
    )
    assert [one.player for one in board] == [player for *_, player in everybody[:50]]


def test_closing_never_opens_a_room_that_was_closed_before(room: Room) -> None:
    before = timezone.now() - timedelta(hours=1)
    Room.objects.update(closes_at=before)
    close_room(room)
    room.refresh_from_db()
    assert room.closes_at == before


def test_a_game_stays_in_its_room(client: Client, room: Room) -> None:
    begin_in(client, room)
    with pytest.raises(DatabaseError), transaction.atomic():
        Game.objects.update(room=None)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": " "}, "A room has a name"),
        ({"name": "a\x01b"}, "A room has a name"),
        ({"name": "o" + "\u0301" * 39}, "More than three marks"),
        ({"pairs": 4}, "5 to 10000 pairs"),
        ({"genre": "qa"}, "nothing to play with"),
        ({"kind": "boundary"}, "nothing to play with"),
    ],
)
def test_what_makes_no_room_is_refused_with_a_word(
    pairs: list[PoemPair], fields: dict[str, str], why: str
) -> None:
    asked = {"name": "Course", "kind": "pairs", "genre": "poem"} | fields
    with pytest.raises(Refused, match=why):
        open_room(asked.pop("name"), asked.pop("kind"), asked.pop("genre"), **asked)  # type: ignore[arg-type]
    assert not Room.objects.exists()


def test_pairs_of_a_file_are_in_the_draw_of_their_room_only(pairs: list[PoemPair], tmp_path: Path) -> None:
    own = build_pairs(6, seed=3)
    path = tmp_path / "pairs.jsonl"
    write_pairs(path, None)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(lines[-6:]) + "\n", encoding="utf-8")
    PoemPair.objects.filter(pk__in=[pair.pk for pair in own]).delete()
    output = StringIO()
    call_command(
        "make_room", "Course", "--file", str(path), "--names", "--closes", "2099-01-01", stdout=output
    )
    room = Room.objects.get()
    assert output.getvalue().strip() == address_of(room)
    assert room.pool.count() == 6
    assert all(pair.is_withdrawn for pair in PoemPair.objects.filter(pk__in=room.pool.values("pair")))
    assert PoemPair.objects.in_play("poem").count() == 30
    with pytest.raises(CommandError, match="no time in ISO 8601"):
        call_command("make_room", "Course", "--closes", "tomorrow")


def test_a_room_may_be_of_any_kind(db: None) -> None:
    build_boundaries(6)
    build_pairs(6)
    for kind in ("text", "boundary"):
        room = open_room("Course", kind, "poem", pairs=6)
        game = begin_in(Client(), room)
        assert set(game.rounds.values_list("kind", flat=True)) == {kind}


def test_the_card_has_the_address_in_words_and_as_a_qr_code(client: Client, room: Room) -> None:
    page = client.get(address_of(room, "card/")).content.decode()
    assert f"http://testserver{address_of(room)}" in page
    shared = f"Course 2026\nWhich poem did a human write?\nhttp://testserver{address_of(room)}</textarea>"
    assert shared in page
    assert re.search(r'<path class="qr-dark" d="M0 0h1v1h-1z', page)
    text = page.partition('<textarea id="share-text"')[2].partition(">")[2].partition("</textarea>")[0]
    assert [line for line in text.split("\n") if line != line.strip()] == []
    assert text.endswith(f"\nhttp://testserver{address_of(room)}")


def test_staff_open_a_room_once_however_often_it_is_sent_and_close_it(pairs: list[PoemPair]) -> None:
    carol = Client()
    carol.force_login(User.objects.create_user("carol", is_staff=True))
    nonce = re.findall('name="nonce" value="([^"]+)"', carol.get("/turing/rooms/").content.decode())[0]
    body = {"name": "Course", "kind": "pairs", "genre": "poem", "pairs": "10", "nonce": nonce}
    for _ in range(2):
        assert carol.post("/turing/rooms/", body).headers["Location"].endswith("/card/")
    room = Room.objects.get()
    assert room.owner is not None and room.owner.username == "carol"
    past = carol.post("/turing/rooms/", body | {"closes_at": "2020-01-01T10:00", "nonce": ""})
    assert past.status_code == 400 and "This time is over." in past.content.decode()
    carol.post(address_of(room, "closing/"))
    assert "Open again" in carol.get("/turing/rooms/").content.decode()
    carol.post(address_of(room, "closing/"), {"reopen": "yes"})
    room.refresh_from_db()
    assert room.closes_at is None


def test_games_of_one_address_are_known_as_such_and_the_address_is_not(
    client: Client, pairs: list[PoemPair]
) -> None:
    play_game(client)
    play_game(Client())
    play_game(Client(REMOTE_ADDR="192.0.2.7"))
    origins = list(Game.objects.order_by("pk").values_list("origin", flat=True))
    assert origins[0] == origins[1] != origins[2]
    assert all(re.fullmatch("[0-9a-f]{16}", origin) for origin in origins)
    count_answers()
    tallies = OriginTally.objects.filter(of="address", scope="all")
    assert dict(tallies.values_list("origin", "games")) == {origins[0]: 2, origins[2]: 1}


def test_a_verdict_that_one_address_made_falls_without_it(pairs: list[PoemPair]) -> None:
    honest = [
        Answered(player, player, place + 1, pairs[(player + place) % 30], selected=(player + place) % 2 == 0)
        for player in range(60)
        for place in range(5)
    ]
    stuffed = [
        Answered(player, player, place + 1, pairs[(player + place) % 30], selected=True)
        for player in range(60, 100)
        for place in range(5)
    ]
    record([*honest, *stuffed], counted=False)
    players = Player.objects.order_by("pk")
    Game.objects.filter(player__in=players[60:]).update(origin="f" * 16)
    Game.objects.filter(player__in=players[:60]).update(origin="a" * 16)
    count_answers()
    results = Results.objects.get()
    games = [0] * 6
    for one in range(100):
        selected = sum(answer.selected for answer in [*honest, *stuffed] if answer.player == one)
        games[selected] += 1
    found = without_one(results, "all", OriginTally.Of.ADDRESS, games)  # type: ignore[arg-type]
    assert found["largest"] == 60
    assert {row["games"] for row in found["decisive"]} == {40}
    assert found["decisive"][0]["becomes"] != "distinguishable"
