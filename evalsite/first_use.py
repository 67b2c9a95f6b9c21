"""The tables of the embedded database, made or brought up to date by the first command that needs them."""

from __future__ import annotations

import os
import sys

import django
import psycopg2
from django.conf import settings
from django.core.management import call_command

from evalsite import embedded

OWN_APPS = ("annotations", "evalsite", "generation", "turing")
# Commands that make tables themselves, or that must see the database as it is.
WITHOUT_TABLES = {"dbshell", "inspectdb", "makemigrations", "migrate", "showmigrations", "sqlmigrate", "test"}
MIGRATION_LOCK = 0x6576616C  # any number that no other lock of the site has


def prepare_tables(command: str) -> None:
    """Migrate the embedded database where it lacks tables; a database named by DATABASE_URL is its owner's matter."""
    if os.environ.get("DATABASE_URL") or command in WITHOUT_TABLES or not missing_migrations():
        return
    connection = psycopg2.connect(embedded.urls().database)
    try:
        # Two first commands at once: one migrates, the other waits and finds nothing to do.
        connection.cursor().execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        if missing := missing_migrations():
            print(f"Bringing the tables up to date ({len(missing)} steps) ...", file=sys.stderr)  # noqa: T201
            django.setup()
            call_command("migrate", verbosity=0, interactive=False)
    finally:
        connection.close()


def missing_migrations() -> set[tuple[str, str]]:
    """Return the migrations of the site that its database does not have, by app and name."""
    there = {
        (app, path.stem)
        for app in OWN_APPS
        for path in (settings.BASE_DIR / app / "migrations").glob("[0-9]*.py")
    }
    connection = psycopg2.connect(embedded.urls().database)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('django_migrations')")
            if cursor.fetchone() == (None,):
                return there
            cursor.execute("SELECT app, name FROM django_migrations")
            return there - set(cursor.fetchall())
    finally:
        connection.close()
