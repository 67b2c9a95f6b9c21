"""Statements that PostgreSQL plans once a connection, because planning them takes longer than running them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, TypeVar
from weakref import WeakSet

from django.conf import settings
from django.db import connection, models

M = TypeVar("M", bound=models.Model)


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


def columns_of(model: type[models.Model], table: str) -> str:
    """Return all columns of a model for a statement that names its table so, in the order that `object_of` takes."""
    fields = model._meta.concrete_fields
    return ", ".join(f"{table}.{connection.ops.quote_name(field.column or '')}" for field in fields)


def object_of(model: type[M], row: Sequence[Any]) -> M:
    """Return what a statement read of `columns_of` a model as an object."""
    names, conversions = _reading(model)
    values = list(row)
    for place, convert in conversions:
        values[place] = convert(values[place])
    return model.from_db(connection.alias, names, values)


@cache
def _reading(model: type[models.Model]) -> tuple[list[str], list[tuple[int, Callable[[Any], Any]]]]:
    """Return the names of a model's columns, and what is made of those that are not as the database gives them."""
    fields = model._meta.concrete_fields
    columns = [field.get_col(model._meta.db_table) for field in fields]
    conversions: list[tuple[int, Callable[[Any], Any]]] = [
        (place, partial(_converted, convert, column))
        for place, column in enumerate(columns)
        for convert in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection))
    ]
    return [field.attname for field in fields], conversions


def _converted(convert: Callable[..., Any], column: Any, value: Any) -> Any:
    return convert(value, column, connection)
