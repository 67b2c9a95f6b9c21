"""The head of every page, which is rendered once for what a reader may go to: nobody sees another's."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


def head_of(client: Client, path: str = "/", **headers: str) -> str:
    page = client.get(path, headers=headers).content.decode()
    return page[page.index('<header class="site-head">') : page.index("</header>")]


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_each_reader_has_their_own_name_and_ways_in_the_head() -> None:
    rater, administrator = (
        logged_in(User.objects.create_user("rater <b>")),
        logged_in(User.objects.create_superuser("administrator")),
    )

    first, second, nobody = head_of(rater), head_of(administrator), head_of(Client())

    assert "rater &lt;b&gt;" in first
    assert "/manage/" not in first
    assert "administrator" in second
    assert "rater" not in second
    assert "/manage/" in second
    assert "/accounts/login/" in nobody
    assert "administrator" not in nobody


def test_the_head_is_in_the_language_of_each_reader_and_comes_back_to_each_page() -> None:
    english, chinese = (
        head_of(Client(), "/?a=1&b=<i>", accept_language=language) for language in ("en", "zh-hans")
    )

    assert "Log in" in english
    assert 'value="/?a=1&amp;b=%3Ci%3E"' in english
    assert "登录" in chinese
    assert 'value="/"' in head_of(Client())


def test_the_forms_of_the_head_carry_the_token_of_their_reader() -> None:
    reader = logged_in(User.objects.create_user("reader"))
    client = Client(enforce_csrf_checks=True)
    client.cookies = reader.cookies

    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w{64})"', head_of(client))[-1]
    answer = client.post("/accounts/logout/", {"csrfmiddlewaretoken": token})

    assert answer.status_code == 302
    assert "reader" not in head_of(client)
