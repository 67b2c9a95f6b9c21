"""The tables of the site for tests: made once for its migrations, kept between runs, and copied."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

from evalsite.embedded.dumps import run_on_database
from evalsite.first_use import OWN_APPS

PREFIX = "evalsite_tables_"
TABLES_LOCK = 0x7461626C  # any number that no other lock of tests has
# What `migrate` puts into them, and no test changes.
FILLED_BY_MIGRATE = ("django_content_type", "auth_permission", "django_migrations")


def template_database() -> str:
    """Return the name of a database with all tables and no rows, on the server of the settings.

    It is made where there is none of these migrations; older ones are dropped. Whoever comes meanwhile waits.
    """
    name = PREFIX + _digest_of_migrations()
    with closing(_server()) as server, server.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [TABLES_LOCK])
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        there = {row[0] for row in cursor}
        if name not in there:
            for old in there:
                # Whoever copies it keeps it.
                cursor.execute(f'DROP DATABASE IF EXISTS "{old}"')
            _make(name, cursor)
    return name


def _make(name: str, cursor: psycopg2.extensions.cursor) -> None:
    """Make the tables in a draft, which gets its name when they are whole."""
    draft = f"{PREFIX}draft"
    cursor.execute(f"CREATE DATABASE {draft}")
    with _connected_to(draft):
        call_command("migrate", verbosity=0, interactive=False)
    cursor.execute(f"ALTER DATABASE {draft} RENAME TO {name}")


def copy_tables_to(file: Path) -> None:
    """Write the tables to a file, for another server."""
    with _connected_to(template_database()):
        run_on_database("pg_dump", "--format=custom", "--no-owner", "--no-acl", f"--file={file}")


def copy_tables_from(file: Path) -> None:
    """Make the tables of a file in the database of the settings, which has none."""
    run_on_database("pg_restore", "--exit-on-error", "--no-owner", "--no-acl", str(file))


@contextmanager
def database_without_tables(name: str) -> Iterator[None]:
    """Connect Django to a new database on the server of the settings, which goes afterwards."""
    with closing(_server()) as server, server.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            with _connected_to(name):
                yield
        finally:
            cursor.execute(f"DROP DATABASE {name}")


@contextmanager
def _connected_to(name: str) -> Iterator[None]:
    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _server() -> psycopg2.extensions.connection:
    """Return a connection to the server of the settings that waits for no transaction."""
    parameters: dict[str, Any] = connection.get_connection_params()
    given = {key: parameters[key] for key in ("host", "user", "password", "port") if parameters.get(key)}
    server: psycopg2.extensions.connection = psycopg2.connect(dbname="postgres", **given)
    server.autocommit = True
    return server


def _digest_of_migrations() -> str:
    digest = hashlib.sha256()
    for app in OWN_APPS:
        for path in sorted((settings.BASE_DIR / app / "migrations").glob("[0-9]*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    digest.update((settings.BASE_DIR / "requirements.txt").read_bytes())
    return digest.hexdigest()[:16]


def empty_tables(_case: TransactionTestCase) -> None:
    """Empty the tables that hold anything, in place of Django's flush of all of them, which takes half a second.

    Rows go without the triggers of the site, many of which let none go.
    """
    with connection.cursor() as cursor:
        tables = sorted(set(connection.introspection.table_names(cursor)) - set(FILLED_BY_MIGRATE))
        filled = " UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in tables)
        cursor.execute(filled)
        found = [row[0] for row in cursor.fetchall()]
        if found:
            statements = [
                *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in found),
                *(f"DELETE FROM {table}" for table in found),
                "SET CONSTRAINTS ALL IMMEDIATE",
                *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in found),
            ]
            # One question to the server, and so one transaction.
            cursor.execute(";".join(statements))
