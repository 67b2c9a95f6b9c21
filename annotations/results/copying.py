"""Rows of the database as arrays of numbers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import QuerySet
from numpy.typing import NDArray

from stats.scores import Floats

Integers = NDArray[np.int64]


def copied_integers(queryset: QuerySet[Any, tuple[int, ...]], columns: int) -> Integers:
    """Return the rows of a `values_list` of integers, shape (rows, columns)."""
    return copied_numbers(queryset, columns).astype(np.int64)


def copied_numbers(queryset: QuerySet[Any, tuple[float, ...]], columns: int) -> Floats:
    """Return the rows of a `values_list` of numbers, shape (rows, columns), whole ones exact up to 2^53.

    By COPY, because a million ratings as Python objects take ten times the time and memory.
    """
    sql, parameters = queryset.order_by().query.sql_with_params()
    buffer = io.BytesIO()
    with connection.cursor() as cursor:
        query = cursor.mogrify(sql, parameters).decode()
        cursor.copy_expert(f"COPY ({query}) TO STDOUT", buffer)
    if not buffer.tell():
        return np.empty((0, columns))
    buffer.seek(0)
    return np.loadtxt(buffer, dtype=np.float64, delimiter="\t", ndmin=2)


def places(keys: Sequence[int], wanted: Integers) -> Integers:
    """Return the index in `keys` of every wanted primary key; all of them must be there."""
    order = np.argsort(keys)
    found: Integers = order[np.searchsorted(keys, wanted, sorter=order)]
    return found
