"""Taking a file of rows apart, CSV or JSON Lines, with everything wrong told by its line (pure)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from generation.files.problems import Problems, shown

# Of what is longer no more is said than that; the limit is the csv module's own and holds for the whole process.
csv.field_size_limit(16 * 1024 * 1024)
CSV_ERRORS = {
    "unexpected end of data": "the row that begins here has a quoted cell that is never closed",
    f"field larger than field limit ({csv.field_size_limit()})": "the row that begins here has a cell without end",
}


@dataclass(frozen=True)
class Columns:
    """What the columns of a file are called; those in `notes` may stand in it and need not be texts."""

    read: tuple[str, ...]
    required: tuple[str, ...]
    notes: tuple[str, ...] = ()
    # What the names of further columns begin with.
    prefixes: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        return (*self.read, *self.notes)

    def knows(self, name: str) -> bool:
        return name in self.known or name.startswith(self.prefixes)


def raw_rows(
    path: Path, encoding: str, columns: Columns, problems: Problems
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and the fields of every row that can be taken apart."""
    with path.open(encoding=encoding, newline="") as file:
        start = file.read(1024).lstrip("\ufeff \t\r\n")[:1]
        file.seek(0)
        is_json = start in ("{", "[")
        yield from _json_rows(file, columns, problems) if is_json else _csv_rows(file, columns, problems)


def header_names(line: str, columns: Columns) -> list[str]:
    """Return the names in the first line of a CSV file, cut at the mark that makes the most known columns of it."""
    return _names(line.rstrip("\r\n").split(_delimiter(line, columns)))


def _json_rows(
    lines: Iterable[str], columns: Columns, problems: Problems
) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip("\ufeff \t\r\n"):
            continue
        try:
            fields = json.loads(line.strip("\ufeff\r\n"), object_pairs_hook=_object_without_doubles)
        except json.JSONDecodeError as error:
            problems.add(number, f"column {error.colno}", f"is not JSON: {error.msg}")
        except RecursionError:
            problems.add(number, "", "is not a row: it is nested too deeply")
        except ValueError as error:
            problems.add(number, "", f"is not a row: {error}")
        else:
            if not isinstance(fields, dict):
                example = ", ".join(f'"{name}": ...' for name in columns.required)
                problems.add(number, "", f"must be a JSON object: {{{example}}}")
                continue
            _check_names(number, list(fields), columns, problems)
            yield number, fields


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("one name stands twice in an object")
    return fields


def _csv_rows(file: TextIO, columns: Columns, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    delimiter = _delimiter(file.readline(), columns)
    file.seek(0)
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    begins_at = 1
    names: list[str] = []
    try:
        for cells in reader:
            # A quoted cell can hold line ends, so a row begins after the last line of the one before.
            number, begins_at = begins_at, reader.line_num + 1
            if not cells:
                continue
            if not names:
                names = _names(cells)
                if not _header_is_right(number, names, columns, problems):
                    return
            elif len(cells) > len(names):
                problems.add(number, "", f"has {len(cells)} cells; the header has {len(names)} columns")
            else:
                yield number, dict(zip(names, cells, strict=False))
    except csv.Error as error:
        reason = CSV_ERRORS.get(str(error), f"is not CSV: {error}")
        problems.add(begins_at, "", f"{reason}; what follows was not read")


def _names(cells: list[str]) -> list[str]:
    # Case tells nothing but in the words that somebody chose, as in `tag:Domain`.
    named = (cell.strip('\ufeff "').partition(":") for cell in cells)
    return [f"{first.lower()}{mark}{rest}" for first, mark, rest in named]


def _delimiter(header: str, columns: Columns) -> str:
    """Return the mark that cuts the header into the most columns that are known."""
    return max(
        ",;\t", key=lambda mark: sum(columns.knows(name) for name in _names(header.rstrip().split(mark)))
    )


def _header_is_right(line: int, names: list[str], columns: Columns, problems: Problems) -> bool:
    _check_names(line, names, columns, problems)
    for name in dict.fromkeys(names):
        if names.count(name) > 1 and name not in columns.notes:
            problems.add(line, name, "is the name of two columns")
    missing = [name for name in columns.required if name not in names]
    for name in missing:
        problems.add(line, name, "no such column")
    return not missing


def _check_names(line: int, names: list[str], columns: Columns, problems: Problems) -> None:
    for name in names:
        if not columns.knows(name):
            further = [f"{prefix}NAME" for prefix in columns.prefixes]
            problems.add(line, shown(name), f"is none of the columns {', '.join([*columns.known, *further])}")
