"""Counting rows beside others in one query."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Func, IntegerField, Model, QuerySet, Subquery


def count_of(rows: QuerySet[Model, Any]) -> Subquery:
    """Return the number of rows as a subquery; unlike an aggregate, it groups nothing."""
    counted = rows.order_by().annotate(rows=Func(F("pk"), function="COUNT", output_field=IntegerField()))
    return Subquery(counted.values("rows"))
