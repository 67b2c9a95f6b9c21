"""Rows of JSON: a list of objects, or one object a line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from generation.files.problems import Place, Problems

ROWS_FOR_COLUMNS = 100
BLANK = "\ufeff \t\r\n"
# What Python's reader of JSON says, to be translated.
REASONS = (
    gettext_noop("Expecting value"),
    gettext_noop("Expecting property name enclosed in double quotes"),
    gettext_noop("Expecting ':' delimiter"),
    gettext_noop("Expecting ',' delimiter"),
    gettext_noop("Extra data"),
    gettext_noop("Invalid \\escape"),
    gettext_noop("Invalid \\uXXXX escape"),
    gettext_noop("Invalid control character at"),
    gettext_noop("Unterminated string starting at"),
)


def json_columns(path: Path, encoding: str) -> tuple[str, ...]:
    """Return the names in the first rows, in order of appearance."""
    rows = islice(json_rows(path, encoding, Problems("")), ROWS_FOR_COLUMNS)
    return tuple(dict.fromkeys(name for _place, fields in rows for name in fields))


def json_rows(path: Path, encoding: str, problems: Problems) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield the place and the fields of every row that is an object."""
    with path.open(encoding=encoding, newline="") as file:
        is_list = file.read(1024).lstrip(BLANK)[:1] == "["
        file.seek(0)
        parts = (
            ((Place(number, "item"), part) for number, part in enumerate(_items(file.read(), problems), 1))
            if is_list
            else (
                (Place(number), _parsed(line.strip("\ufeff\r\n"), Place(number), problems))
                for number, line in enumerate(file, start=1)
                if line.strip(BLANK)
            )
        )
        for place, fields in parts:
            if isinstance(fields, dict):
                yield place, fields
            elif fields is not _UNREADABLE:
                problems.add(place, "", _('must be a JSON object: {"name": value, ...}'))


_UNREADABLE = object()


def _items(content: str, problems: Problems) -> list[Any]:
    whole = content.strip(BLANK)
    found = _parsed(whole, None, problems)
    return [] if found is _UNREADABLE else cast("list[Any]", found)


def _parsed(content: str, place: Place | None, problems: Problems) -> Any:
    """Return what a line, or a whole list without a place, says; `_UNREADABLE` where it is not JSON."""
    at: Place | int = place or 0
    try:
        return json.loads(
            content,
            object_pairs_hook=_object_without_doubles,
            parse_constant=_constant,
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        column = _("column %(number)d") % {"number": error.colno}
        problems.add(place or error.lineno, column, _("is not JSON: %(reason)s"), reason=json_reason(error))
    except RecursionError:
        problems.add(at, "", _("is not a row: it is nested too deeply"))
    except ValueError as error:
        problems.add(at, "", _("is not a row: %(reason)s"), reason=error)
    return _UNREADABLE


def json_reason(error: json.JSONDecodeError) -> str:
    """Return why something is no JSON, in the reader's language."""
    return _(error.msg) if error.msg in REASONS else error.msg


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError(_("one name stands twice in an object"))
    return fields


def _number(digits: str) -> float:
    """Return a number with decimals; `1e999` would be infinite, which JSON does not have."""
    number = float(digits)
    if math.isinf(number):
        raise ValueError(_("%(value)s is no number of JSON") % {"value": digits[:20]})
    return number


def _constant(name: str) -> None:
    """Take NaN, as Python writes what is missing, for nothing; JSON has no infinity."""
    if name != "NaN":
        raise ValueError(_("%(value)s is no number of JSON") % {"value": name})
