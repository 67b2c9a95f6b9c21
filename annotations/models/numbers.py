"""Numbers of scales, whole or with decimals where ratings were collected elsewhere, and numbers of rows in a query."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Func, IntegerField, Model, QuerySet, Subquery

# Scores and the ends of scales lie within these bounds; beyond them a double no longer tells hundredths apart.
LARGEST_SCORE = 1_000_000_000


class NumberField(models.FloatField):  # type: ignore[type-arg]
    """A number of double precision, read as a whole number where it is one."""

    def from_db_value(self, value: float | None, *_: Any) -> float | None:
        return int(value) if value is not None and value.is_integer() else value


def count_of(rows: QuerySet[Model, Any]) -> Subquery:
    """Return the number of rows as a subquery; unlike an aggregate, it groups nothing."""
    counted = rows.order_by().annotate(rows=Func(F("pk"), function="COUNT", output_field=IntegerField()))
    return Subquery(counted.values("rows"))
