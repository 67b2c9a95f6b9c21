"""What is said while PostgreSQL is stopped, by a real web server with a real database behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoDbBlocker

from evalsite import embedded
from evalsite.accounts.tokens import make_token
from evalsite.tests.cast import wait_for
from tests.worker_site import START_SECONDS, WebServer, own_site

pytestmark = pytest.mark.fault

PAGE, SCRIPT = "/turing/", "/api/v1/studies/"


@pytest.fixture
def web(django_db_blocker: DjangoDbBlocker, own_home: Path) -> Iterator[WebServer]:
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        own_site(patch, own_home) as home,
    ):
        web = WebServer(home / "web.log")
        web.start()
        yield web
        web.kill()


def ask(web: WebServer, path: str, token: str) -> tuple[int | None, str | None, str]:
    """Return the status, when to come again, and the text; no status where nothing listens yet."""
    connection = HTTPConnection("127.0.0.1", web.port, timeout=60)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        return response.status, response.headers["Retry-After"], response.read().decode()
    except ConnectionError:
        return None, None, ""
    finally:
        connection.close()


def test_pages_and_scripts_are_told_to_come_again_until_postgresql_is_back(web: WebServer) -> None:
    token = make_token(User.objects.create_superuser("root"))
    wait_for(lambda: ask(web, PAGE, token)[0] == 200, START_SECONDS)
    assert ask(web, SCRIPT, token)[0] == 200

    assert embedded.stop({"PostgreSQL"}) == ["PostgreSQL"]
    # Connections that were open break once; after that there are none.
    for _ in range(2):
        status, again, text = ask(web, PAGE, token)
        assert (status, again) == (503, "10")
        assert "The site is not ready." in text
        status, again, text = ask(web, SCRIPT, token)
        assert (status, again) == (503, "10")
        assert json.loads(text) == {"detail": "The site is not ready. Try again in a moment."}

    assert embedded.start() == ["PostgreSQL"]
    assert [ask(web, path, token)[0] for path in (PAGE, SCRIPT)] == [200, 200]
