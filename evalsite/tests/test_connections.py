"""A kept connection to PostgreSQL is known to be of use without a question, and one that was closed is not used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from django.db import connection


@pytest.fixture
def other(transactional_db: None) -> Iterator[Any]:
    """A connection beside Django's, to look at it."""
    connection.ensure_connection()
    parameters = connection.get_connection_params()
    beside = psycopg2.connect(
        **{key: value for key, value in parameters.items() if key not in ("cursor_factory", "context")}
    )
    beside.autocommit = True
    yield beside.cursor()
    beside.close()


def test_nothing_is_asked_of_a_server_that_keeps_the_connection(other: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), 'asked last'")
        (pid, _) = cursor.fetchone()
    assert connection.is_usable()
    other.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid])
    assert "asked last" in other.fetchone()[0]


def test_a_connection_that_the_server_has_closed_is_of_no_use(other: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        other.execute("SELECT pg_terminate_backend(%s, 60000)", [*cursor.fetchone()])
    assert other.fetchone() == (True,)
    assert not connection.is_usable()
    connection.close()
    assert not connection.is_usable()
    connection.ensure_connection()
    assert connection.is_usable()


def test_a_server_is_asked_where_a_statement_has_failed(other: Any) -> None:
    connection.errors_occurred = True
    assert connection.is_usable()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    assert connection.is_usable()
    other.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid])
    assert other.fetchone() == ("SELECT 1",)
    connection.errors_occurred = False
