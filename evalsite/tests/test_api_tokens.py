"""Tokens of the API: one a user, shown once, kept as a digest, and void when a new one is made."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from annotations.recruiting.invitations import Invitee, invite, make_open_link
from annotations.tests.cast import build_study, build_user
from evalsite.accounts.tokens import make_token
from evalsite.models import ApiToken

STUDIES = "/api/v1/my/studies/"


@pytest.fixture
def alice(db: None) -> User:
    return build_user("alice")


def status(token: str) -> int:
    return int(Client(headers={"authorization": f"Bearer {token}"}).get(STUDIES).status_code)


def test_a_token_is_who_made_it(alice: User, django_assert_num_queries: Any) -> None:
    token = make_token(alice)
    with django_assert_num_queries(3):
        # Who it is, how many studies they rate, and these: none.
        assert status(token) == 200


def test_the_database_holds_nothing_that_could_be_sent(alice: User) -> None:
    token = make_token(alice)
    stored = ApiToken.objects.get()
    assert token not in str(vars(stored))
    assert status(stored.digest) == 401
    stored.digest = token
    with pytest.raises(IntegrityError, match="token_is_hashed"):
        stored.save()


def test_a_new_token_makes_the_one_before_void(alice: User) -> None:
    first, second = make_token(alice), make_token(alice)
    assert (status(first), status(second)) == (401, 200)
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("token", ["", "x", "x y", "\u00e9", "' OR 1=1 --"])
def test_what_is_no_token_is_refused(alice: User, token: str) -> None:
    make_token(alice)
    assert status(token) == 401


def test_the_token_of_a_closed_account_is_void(alice: User) -> None:
    token = make_token(alice)
    alice.is_active = False
    alice.save()
    assert status(token) == 401


def test_the_page_makes_a_token_and_shows_it_once(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    url = reverse("api_token")
    assert "You have no token." in client.get(url).content.decode()
    page = client.post(url).content.decode()
    found = re.search(r'value="([\w-]{43})"', page)
    assert found
    assert status(found[1]) == 200
    again = client.get(url).content.decode()
    assert found[1] not in again
    assert "You have a token, made on" in again


def test_the_page_replaces_a_token_only_where_that_is_meant(alice: User) -> None:
    token = make_token(alice)
    client = Client()
    client.force_login(alice)
    response = client.post(reverse("api_token"))
    assert response.status_code == 400
    assert "Tick the box to replace the token." in response.content.decode()
    assert status(token) == 200
    assert client.post(reverse("api_token"), {"is_meant": "on"}).status_code == 200
    assert status(token) == 401


def test_the_page_makes_a_token_void(alice: User) -> None:
    token = make_token(alice)
    client = Client()
    client.force_login(alice)
    assert "Make your API token void?" in client.get(reverse("delete_api_token")).content.decode()
    assert status(token) == 200, "asking changes nothing"
    assert "The token is void." in client.post(reverse("delete_api_token"), follow=True).content.decode()
    assert status(token) == 401


def test_the_page_is_for_those_who_are_logged_in(db: None) -> None:
    assert Client().post(reverse("api_token")).status_code == 302
    assert not ApiToken.objects.exists()


def test_the_command_prints_a_token_and_takes_it_back(alice: User) -> None:
    output = StringIO()
    call_command("api_token", "alice", stdout=output)
    token = output.getvalue().strip()
    assert status(token) == 200
    call_command("api_token", "alice", "--delete")
    assert status(token) == 401
    with pytest.raises(CommandError, match="alice: has no token"):
        call_command("api_token", "alice", "--delete")
    with pytest.raises(CommandError, match="bob: no such user"):
        call_command("api_token", "bob")


def test_whoever_joins_by_a_link_gets_a_token_for_it(db: None) -> None:

    (link,) = invite(build_study(), [Invitee()], by=None)
    client = Client()
    joined = client.post("/api/v1/join/", {"link": link.token}, content_type="application/json").json()
    assert (joined["study"], joined["is_new"]) == ("poems", True)
    assert status(joined["token"]) == 200
    back = client.post("/api/v1/join/", {"link": link.token}, content_type="application/json").json()
    assert back["is_new"] is False
    assert (status(joined["token"]), status(back["token"])) == (401, 200)
    assert User.objects.count() == 1


def test_a_link_that_leads_nowhere_lets_nobody_in(db: None) -> None:
    response = Client().post("/api/v1/join/", {"link": "x" * 22}, content_type="application/json")
    assert response.status_code == 409
    assert not User.objects.exists()


def test_whoever_comes_with_a_token_joins_as_themselves(alice: User) -> None:

    (link,) = invite(build_study(), [Invitee()], by=None)
    client = Client(headers={"authorization": f"Bearer {make_token(alice)}"})
    joined = client.post("/api/v1/join/", {"link": link.token}, content_type="application/json").json()
    assert joined["token"] is None
    assert alice.enrolments.get().study.slug == "poems"


def test_a_call_to_join_that_is_repeated_with_its_key_makes_one_evaluator(db: None) -> None:
    link = make_open_link(build_study(), limit=2, by=None)
    body = {"link": link.token}
    for _ in range(2):
        key = {"idempotency-key": "c0ffee00-1111-4222-8333-444455556666"}
        joined = Client(headers=key).post("/api/v1/join/", body, content_type="application/json")
        assert joined.status_code == 200
    assert User.objects.count() == 1
    response = Client(headers={"idempotency-key": "1"}).post(
        "/api/v1/join/", body, content_type="application/json"
    )
    assert response.status_code == 400
    assert "Idempotency-Key" in response.json()["fields"]


def test_an_account_that_a_link_made_takes_no_second_link(db: None) -> None:
    study, other = build_study(), build_study(slug="other")
    links = [make_open_link(one, limit=2, by=None) for one in (study, other)]
    ask = {"content_type": "application/json"}
    joined = Client().post("/api/v1/join/", {"link": links[0].token}, **ask).json()  # type: ignore[arg-type]
    with_token = Client(headers={"authorization": f"Bearer {joined['token']}"})
    response = with_token.post("/api/v1/join/", {"link": links[1].token}, **ask)  # type: ignore[arg-type]
    assert response.status_code == 409
    assert not other.enrolments.exists()
