from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.test import Client

from turing.game.players import COOKIE, hash_of
from turing.models import Player, PoemPair
from turing.tests.cast import begin_game, play_game


def start_page(client: Client) -> str:
    return client.get("/turing/").content.decode()


def test_looking_at_the_start_page_makes_no_player(client: Client, pairs: list[PoemPair]) -> None:
    response = client.get("/turing/")
    assert COOKIE not in response.cookies
    assert not Player.objects.exists()


def test_the_token_is_in_the_cookie_alone_and_no_script_reads_it(
    client: Client, pairs: list[PoemPair]
) -> None:
    begin_game(client)
    cookie = client.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    token = cookie.value.rsplit(":", 2)[0]
    assert Player.objects.get().token_hash == hash_of(token) != token


def test_a_cookie_that_was_tampered_with_is_nobodys(client: Client, pairs: list[PoemPair]) -> None:
    play_game(client)
    client.cookies[COOKIE] = "x" + client.cookies[COOKIE].value
    assert "Your record" not in start_page(client)


def test_the_record_counts_games_and_right_answers(client: Client, pairs: list[PoemPair]) -> None:
    play_game(client, "rrwrr")
    play_game(client, "wwwwr")
    page = re.sub(r"<[^>]+>", "", start_page(client))
    assert "2 games right in 5 of 10 rounds" in " ".join(page.split())


def test_a_record_is_kept_with_an_account_and_found_from_another_browser(
    client: Client, other_client: Client, alice: User, pairs: list[PoemPair]
) -> None:
    game = play_game(client)
    assert "Log in to keep it with your account." in start_page(client)
    client.force_login(alice)
    assert "Keep my record with my account" in start_page(client)
    client.post("/turing/record/")
    assert Player.objects.get().user == alice
    assert "Keep my record with my account" not in start_page(client)
    other_client.force_login(alice)
    assert "1 game<" in start_page(other_client)
    assert other_client.get(f"/turing/games/{game.uuid}/").status_code == 200
    # And there the account goes on as the same player.
    begin_game(other_client)
    assert Player.objects.count() == 1


def test_a_record_that_is_somebodys_is_not_taken_over(
    client: Client, alice: User, pairs: list[PoemPair]
) -> None:
    play_game(client)
    client.force_login(alice)
    client.post("/turing/record/")
    client.force_login(User.objects.create_user("bob"))
    client.post("/turing/record/")
    assert Player.objects.get().user == alice


def test_keeping_a_record_needs_an_account(client: Client, pairs: list[PoemPair]) -> None:
    play_game(client)
    response = client.post("/turing/record/")
    assert response.headers["Location"].startswith("/accounts/login/")
    assert Player.objects.get().user is None


def test_who_plays_logged_in_keeps_the_record_at_once(
    client: Client, alice: User, pairs: list[PoemPair]
) -> None:
    client.force_login(alice)
    play_game(client)
    assert Player.objects.get().user == alice


def test_the_games_of_another_account_are_not_found(
    client: Client, other_client: Client, alice: User, pairs: list[PoemPair]
) -> None:
    client.force_login(alice)
    game = play_game(client)
    other_client.force_login(User.objects.create_user("bob"))
    assert other_client.get(f"/turing/games/{game.uuid}/").status_code == 404
    assert "Your record" not in start_page(other_client)
