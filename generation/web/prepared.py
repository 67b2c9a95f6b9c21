"""Statements that PostgreSQL plans once a connection, because planning them takes longer than running them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

from django.conf import settings
from django.db import connection


class PreparedStatement:
    """A statement with named parameters of given types (`%(name)s`, and no other per cent sign)."""

    def __init__(self, name: str, sql: str, types: Mapping[str, str]) -> None:
        places = {parameter: f"${number}" for number, parameter in enumerate(types, start=1)}
        self.sql = sql
        self.preparing = f"PREPARE {name} ({', '.join(types.values())}) AS {sql % places}"
        self.executing = f"EXECUTE {name} ({', '.join(f'%({parameter})s' for parameter in types)})"
        # The connections that know it: a new one, after the database was away, does not.
        self.known: WeakSet[Any] = WeakSet()

    def ready(self) -> str:
        """Return what runs the statement on Django's connection now; behind a pooler nothing is prepared."""
        if settings.TRANSACTION_POOLER:
            return self.sql
        connection.ensure_connection()
        if connection.connection not in self.known:
            # Part of opening the connection and of no request, whose queries may be counted.
            with connection.wrap_database_errors, connection.connection.cursor() as cursor:
                cursor.execute(self.preparing)
            self.known.add(connection.connection)
        return self.executing
