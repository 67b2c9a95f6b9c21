"""Results of the game by the API: the sums for anybody, single pairs and rounds for administrators."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from turing.models import Room
from turing.rooms.simulated import open_simulated_room
from turing.tests.cast import build_pairs
from turing.tests.results_cast import Answered, record

API = "/api/v1/turing/"


@pytest.fixture
def played(db: None) -> None:
    pairs = build_pairs()
    record(
        Answered(player=0, game=0, number=place + 1, pair=pair, selected=place % 2 == 0)
        for place, pair in enumerate(pairs[:4])
    )


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("carol", is_staff=True))
    return client


def test_anybody_sees_the_sums_and_administrators_the_pairs(played: None, staff: Client) -> None:
    seen = Client().get(f"{API}results/").json()
    assert seen["scopes"]["all"]["records"] == 4
    assert "pairs" not in seen["scopes"]["all"]
    assert "pairs" in staff.get(f"{API}results/").json()["scopes"]["all"]
    assert Client().get(f"{API}results/?rounds=1").status_code == 400


@pytest.mark.parametrize("rows", ["pairs", "rounds"])
def test_pairs_and_rounds_are_for_administrators(played: None, staff: Client, rows: str) -> None:
    assert Client().get(f"{API}{rows}/").status_code == 401
    player = Client()
    player.force_login(User.objects.create_user("alice"))
    assert player.get(f"{API}{rows}/").status_code == 403
    page = staff.get(f"{API}{rows}/?page_size=3").json()
    assert (len(page["results"]), page["previous"]) == (3, None)
    assert page["count"] >= 4


def test_the_rounds_of_one_pair_are_a_filter(
    played: None, staff: Client, django_assert_max_num_queries: Any
) -> None:
    number = staff.get(f"{API}rounds/").json()["results"][0]["pair_number"]
    with django_assert_max_num_queries(4):
        page = staff.get(f"{API}rounds/?pair={number}").json()
    assert {row["pair_number"] for row in page["results"]} == {number}


def test_administrators_open_close_and_reopen_rooms_once_however_often_it_is_sent(
    db: None, staff: Client, django_assert_max_num_queries: Any
) -> None:
    build_pairs(8)
    body = {"name": "Course", "pairs": 6, "takes_names": True, "closes_at": "2099-01-01T10:00:00Z"}
    sent = [
        staff.post(f"{API}rooms/", body, "application/json", headers={"Idempotency-Key": "k" * 22})
        for _ in range(2)
    ]
    assert [one.status_code for one in sent] == [201, 201]
    room = sent[0].json()
    assert room == sent[1].json()
    assert (room["pairs"], room["is_closed"], room["kind"]) == (6, False, "pairs")
    assert Client().get(room["address"]).status_code == 200
    one = f"{API}rooms/{room['uuid']}/"
    assert staff.post(f"{one}close/").json()["is_closed"]
    assert staff.post(f"{one}close/").json()["is_closed"]
    assert not staff.post(f"{one}reopen/").json()["is_closed"]
    assert staff.get(one).json()["closes_at"] is None
    with django_assert_max_num_queries(4):
        assert [row["name"] for row in staff.get(f"{API}rooms/").json()["results"]] == ["Course"]


@pytest.mark.parametrize(
    ("fields", "status", "why"),
    [
        ({"name": ""}, 400, "name"),
        ({"pairs": 4}, 400, "pairs"),
        ({"kind": "poker"}, 400, "kind"),
        ({"colour": "red"}, 400, "colour"),
        ({"closes_at": "2020-01-01T10:00:00Z"}, 409, "This time is over."),
        ({"genre": "chat"}, 409, "other texts"),
        ({"kind": "boundary"}, 409, "nothing to play with"),
    ],
)
def test_what_opens_no_room_is_refused_with_a_word(
    db: None, staff: Client, fields: dict[str, Any], status: int, why: str
) -> None:
    build_pairs(8)
    response = staff.post(f"{API}rooms/", {"name": "Course"} | fields, "application/json")
    assert response.status_code == status
    assert why in response.content.decode()
    assert not Room.objects.exists()


def test_a_room_of_simulated_players_is_not_reopened(db: None, staff: Client) -> None:
    build_pairs(60)
    room = open_simulated_room(players=2)
    assert staff.post(f"{API}rooms/{room.uuid}/reopen/").status_code == 409
    assert staff.get(f"{API}rooms/{room.uuid}/").json()["is_closed"]
