from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.test import Client

from generation.models import Allowance
from generation.web.quotas import forget_whole
from turing.models import Flag, Game, Player, Round
from turing.tests.cast import begin_game, build_pairs, play_game


def pass_time(seconds: int) -> None:
    Allowance.objects.update(used_until=F("used_until") - timedelta(seconds=seconds))


def test_only_a_digest_of_the_address_is_stored_and_not_for_long(client: Client, db: None) -> None:
    build_pairs()
    begin_game(client)
    assert all(
        "127.0.0.1" not in key and len(key) == 64 for key in Allowance.objects.values_list("key", flat=True)
    )
    forget_whole()
    assert Allowance.objects.count() == 2
    pass_time(3600)
    forget_whole()
    assert not Allowance.objects.exists()


def test_a_player_who_begins_too_many_games_is_told_when_to_come_back(
    client: Client, db: None, settings: Any
) -> None:
    settings.TURING_GAMES_PER_PLAYER = 2
    build_pairs(20)
    for _ in range(2):
        play_game(client)
    response = client.post("/turing/", {"genre": "poem"})
    assert response.status_code == 429
    assert 1700 < int(response.headers["Retry-After"]) <= 1800
    assert "Try again in 30 minutes." in response.content.decode()
    assert Game.objects.count() == 2


def test_a_new_browser_does_not_help_against_the_limit_of_the_address(db: None, settings: Any) -> None:
    settings.TURING_GAMES_PER_ADDRESS = 2
    build_pairs()
    responses = [Client().post("/turing/", {"genre": "poem"}) for _ in range(3)]
    assert [response.status_code for response in responses] == [302, 302, 429]
    assert Player.objects.count() == 2
    elsewhere = Client(REMOTE_ADDR="192.0.2.7").post("/turing/", {"genre": "poem"})
    assert elsewhere.status_code == 302


def test_a_household_with_many_addresses_has_one_limit(db: None, settings: Any) -> None:
    settings.TURING_GAMES_PER_ADDRESS = 2
    build_pairs()
    responses = [
        Client(REMOTE_ADDR=f"2001:db8:1:2::{n}").post("/turing/", {"genre": "poem"}) for n in range(3)
    ]
    assert [response.status_code for response in responses] == [302, 302, 429]


def test_an_open_game_is_gone_on_with_even_where_no_other_may_be_begun(
    client: Client, db: None, settings: Any
) -> None:
    settings.TURING_GAMES_PER_PLAYER = 1
    build_pairs()
    assert begin_game(client) == begin_game(client)


def test_rounds_beyond_half_of_the_allowance_are_kept_and_flagged(
    client: Client, db: None, settings: Any
) -> None:
    settings.TURING_GAMES_PER_PLAYER = 4
    build_pairs(20)
    games = [play_game(client) for _ in range(3)]
    flags = [set(Round.objects.filter(game=game).values_list("flag", flat=True)) for game in games]
    assert flags == [{Flag.HASTY}, {Flag.HASTY}, {Flag.MANY}]
