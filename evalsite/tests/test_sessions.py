"""Who is logged in is as Django says, though session and user are read by one query."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DjangosStore
from django.contrib.sessions.models import Session as DjangosSession
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from evalsite.models import Session
from evalsite.sessions import BACKEND, SessionStore

ACCOUNT = "/accounts/password/"


@pytest.fixture
def dora(db: None) -> User:
    return User.objects.create_user("dora", password="a password of hers")


@pytest.fixture
def as_dora(client: Client, dora: User) -> Client:
    client.force_login(dora, BACKEND)
    return client


def who(client: Client) -> str:
    """Return the user's name on a page that asks for a log-in, or nothing where the page sends one there."""
    response = client.get(ACCOUNT)
    return response.wsgi_request.user.get_username() if response.status_code == 200 else ""


def test_one_query_reads_session_and_user(as_dora: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert who(as_dora) == "dora"


def test_a_session_names_who_logged_in_and_nobody_after_the_log_out(as_dora: Client, dora: User) -> None:
    assert Session.objects.get().user == dora
    as_dora.post("/accounts/logout/")
    assert not Session.objects.exclude(user=None).exists()
    assert who(as_dora) == ""


def test_whoever_is_no_longer_active_is_logged_out(as_dora: Client, dora: User) -> None:
    User.objects.update(is_active=False)
    assert who(as_dora) == ""


def test_a_changed_password_ends_the_other_sessions(as_dora: Client, dora: User) -> None:
    other = Client()
    other.force_login(dora, BACKEND)
    words = {
        "old_password": "a password of hers",
        "new_password1": "another one 1",
        "new_password2": "another one 1",
    }
    assert as_dora.post(ACCOUNT, words).status_code == 302
    assert who(as_dora) == "dora"
    assert who(other) == ""


def test_a_deleted_user_is_nobody_and_leaves_no_session(as_dora: Client, dora: User) -> None:
    dora.delete()
    assert not Session.objects.exists()
    assert who(as_dora) == ""


def test_a_session_that_has_expired_is_none_and_can_be_cleared(as_dora: Client) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert who(as_dora) == ""
    call_command("clearsessions")
    assert not Session.objects.exists()


def test_the_signed_words_of_a_session_count_and_not_its_row(as_dora: Client, dora: User) -> None:
    Session.objects.update(user=User.objects.create_user("eve"))
    assert who(as_dora) == "dora"
    Session.objects.update(user=None)
    assert who(as_dora) == "dora"
    Session.objects.update(user=dora, session_data="forged")
    assert who(as_dora) == ""


def test_a_log_in_of_a_backend_that_is_gone_does_not_count(as_dora: Client) -> None:
    session = SessionStore(Session.objects.get().session_key)
    session[BACKEND_SESSION_KEY] = "elsewhere.Backend"
    session.save()
    assert who(as_dora) == ""


def test_a_new_secret_key_keeps_the_sessions_of_the_one_before(as_dora: Client, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 9
    assert who(as_dora) == "dora"
    settings.SECRET_KEY_FALLBACKS = []
    assert who(as_dora) == "dora"


def test_sessions_of_the_version_before_go_on(client: Client, dora: User) -> None:
    client.force_login(dora, BACKEND)
    mine = SessionStore(Session.objects.get().session_key)
    old = DjangosStore()
    old.update(mine.load())
    old.save()
    DjangosSession.objects.create(
        session_key="damaged", session_data="?", expire_date=timezone.now() + timedelta(days=1)
    )
    Session.objects.all().delete()
    import_module("evalsite.migrations.0002_sessions").keep_sessions(apps, None)
    client.cookies["sessionid"] = str(old.session_key)
    assert who(client) == "dora"
    assert Session.objects.get().user == dora
    assert Session.objects.get().session_key == old.session_key
    assert not DjangosSession.objects.exists()
    assert SESSION_KEY in old
