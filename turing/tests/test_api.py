"""Results of the game by the API: the sums for anybody, single pairs and rounds for administrators."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

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
