"""Which tests need the servers of the site, and what every test begins with.

A test is quick where it asks for no database, no browser and no server; all others are marked `server`, and the
embedded servers are started for them only.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

# Two processes of tests on two cores: more threads would only wait for each other. Before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation
from pytest_django import DjangoDbBlocker

from evalsite import embedded
from evalsite.tests.tables import database_without_tables, empty_tables, template_database

SERVER_FIXTURES = frozenset({"db", "transactional_db", "django_db_setup", "own_servers"})
WHOLE_SITE = Path(__file__).parent / "tests"
SERVER_MARKS = ("server", "django_db", "browser", "fault")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a server, before any are chosen by their marks."""
    for item in items:
        if needs_server(item):
            item.add_marker("server")


def pytest_collection_finish(session: pytest.Session) -> None:
    # What is loaded by now stays to the end: no need to look through it for garbage.
    gc.collect()
    gc.freeze()
    if (
        any(item.get_closest_marker("server") for item in session.items)
        and not session.config.option.collectonly
    ):
        embedded.start()


def needs_server(item: pytest.Item) -> bool:
    """Whether a test says so, asks for a fixture that does, is a case with a database, or tests the whole site."""
    case = getattr(item, "cls", None)
    return (
        any(map(item.get_closest_marker, SERVER_MARKS))
        or not SERVER_FIXTURES.isdisjoint(getattr(item, "fixturenames", []))
        or (case is not None and issubclass(case, TransactionTestCase))
        or item.path.is_relative_to(WHOLE_SITE)
    )


def pytest_configure() -> None:
    """Hash passwords of tests at once: the site's own hash takes a third of a second each on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


@pytest.fixture(scope="session", autouse=True)
def tests_that_commit_are_cleared_up_fast() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Let the database of tests be a copy of one with all tables."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = template_database()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let the database of tests not wait for the disk: nobody kills it, and those that tests kill are others."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    connection.close()


@pytest.fixture(autouse=True)
def language_of_the_site() -> Iterator[None]:
    """Begin every test in English: the language of a request stays with the thread that served it."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture
def without_tables(transactional_db: None) -> Iterator[None]:
    """A database of its own, without any table."""
    with database_without_tables("without_tables_of_tests"):
        yield
