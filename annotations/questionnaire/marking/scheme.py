"""The categories and severities by which a study has errors marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from string import ascii_lowercase
from typing import Any

from django.db import connection

from annotations.models import ErrorCategory, ErrorSeverity

# As two lists in one row, so that a page asks once. Put together from constants.
ROWS = "(SELECT coalesce(json_agg(one ORDER BY number), '[]') FROM annotations_{table} one WHERE study_id = {study})"
SCHEME = "{}, {}".format(
    ROWS.format(table="errorcategory", study="{study}"), ROWS.format(table="errorseverity", study="{study}")
)


@dataclass(frozen=True)
class Scheme:
    """Categories and severities in their order."""

    categories: tuple[ErrorCategory, ...]
    severities: tuple[ErrorSeverity, ...]

    @classmethod
    def of_rows(cls, categories: list[Mapping[str, Any]], severities: list[Mapping[str, Any]]) -> Scheme:
        """Return the scheme in the columns `SCHEME` of a query."""
        return cls(
            tuple(ErrorCategory(**row) for row in categories),
            tuple(ErrorSeverity(**row) for row in severities),
        )

    @cached_property
    def category(self) -> Mapping[str, ErrorCategory]:
        """The categories by their keys."""
        return {one.key: one for one in self.categories}

    @cached_property
    def severity(self) -> Mapping[str, ErrorSeverity]:
        """The severities by their keys."""
        return {one.key: one for one in self.severities}

    @property
    def letters(self) -> list[tuple[str, ErrorCategory]]:
        """The categories with the letter that chooses each by key."""
        return list(zip(ascii_lowercase, self.categories, strict=False))


def scheme_of(study: int) -> Scheme:
    """Return the scheme of a study (primary key), with one query."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {SCHEME.format(study='%(study)s')}", {"study": study})
        return Scheme.of_rows(*cursor.fetchone())
