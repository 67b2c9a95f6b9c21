"""Rows of a text file whose cells stand between commas, semicolons or tabs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from django.utils.translation import gettext as _

from generation.files.problems import Place, Problems

# Of what is longer no more is said than that; the limit is the csv module's own and holds for the whole process.
csv.field_size_limit(16 * 1024 * 1024)
MARKS = ",;\t"
SAMPLE = 64 * 1024
SAMPLE_ROWS = 20
# What Excel writes before the header to say by which mark the cells are cut.
SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=(.)"?\r?\n?')


@dataclass(frozen=True)
class Shape:
    """How a file is cut: by which mark, how many lines stand before its rows, and its columns, "" for nameless ones."""

    delimiter: str
    lines_before: int
    columns: tuple[str, ...]


def delimited_shape(path: Path, encoding: str) -> Shape:
    """Return how a file is cut, by the mark with which its first rows have as many cells as its header."""
    with path.open(encoding=encoding, newline="") as file:
        said = SEPARATOR_LINE.fullmatch(file.readline(20))
        if not said:
            file.seek(0)
        sample = file.read(SAMPLE)
        is_cut = len(sample) == SAMPLE
    shapes = []
    for mark in said[1] if said else MARKS:
        rows = _first_rows(sample, mark, is_cut)
        header = _names(rows[0]) if rows else ()
        alike = sum(len(row) == len(rows[0]) for row in rows) / len(rows) if rows else 0
        shapes.append((len(header) > 1, alike, len(header), Shape(mark, int(bool(said)), header)))
    return max(shapes, key=lambda one: one[:3])[-1]


def _first_rows(sample: str, mark: str, is_cut: bool) -> list[list[str]]:
    """Return the first rows with content, which may end in the middle of one."""
    try:
        rows = list(islice(csv.reader(io.StringIO(sample, newline=""), delimiter=mark), SAMPLE_ROWS))
    except csv.Error:
        return []
    return [row for row in (rows[:-1] if is_cut and len(rows) > 1 else rows) if _has_content(row)]


def _names(cells: list[str]) -> tuple[str, ...]:
    """Return the names of columns, without those that stand empty at the end."""
    names = [cell.strip("\ufeff ").strip() for cell in cells]
    while not names[-1]:
        names.pop()
    return tuple(names)


def _has_content(cells: list[str]) -> bool:
    return bool("".join(cells).strip("\ufeff \t\r\n"))


def delimited_rows(
    path: Path, encoding: str, shape: Shape, problems: Problems
) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield the place and the cells of every row with content after the header."""
    with path.open(encoding=encoding, newline="") as file:
        for _line in range(shape.lines_before):
            file.readline()
        begins_at = shape.lines_before + 1
        try:
            yield from _rows(file, begins_at, shape, problems)
        except _Broken as broken:
            problems.add(broken.line, "", broken.reason)


class _Broken(Exception):
    def __init__(self, line: int, reason: str) -> None:
        self.line, self.reason = line, reason


def _rows(
    file: TextIO, begins_at: int, shape: Shape, problems: Problems
) -> Iterator[tuple[Place, dict[str, Any]]]:
    reader = csv.reader(file, delimiter=shape.delimiter, strict=True)
    before, is_header = begins_at - 1, True
    width, are_named = len(shape.columns), all(shape.columns)
    try:
        for cells in reader:
            # A quoted cell can hold line ends, so a row begins after the last line of the one before.
            number, begins_at = begins_at, before + reader.line_num + 1
            if not _has_content(cells):
                continue
            if is_header:
                is_header = False
            elif len(cells) > width and _has_content(cells[width:]):
                problems.add(
                    number, "", _("has %(cells)d cells; the header has %(columns)d columns"),
                    cells=len(cells), columns=width,
                )  # fmt: skip
            else:
                fields = dict(zip(shape.columns, cells, strict=False))
                if not are_named:
                    fields.pop("", None)
                yield Place(number), fields
    except csv.Error as error:
        raise _Broken(begins_at, _reason(error)) from error


def _reason(error: csv.Error) -> str:
    reasons = {
        "unexpected end of data": _("the row that begins here has a quoted cell that is never closed"),
        f"field larger than field limit ({csv.field_size_limit()})": _(
            "the row that begins here has a cell without end"
        ),
    }
    reason = reasons.get(str(error)) or _("is not CSV: %(reason)s") % {"reason": error}
    return _("%(reason)s; what follows was not read") % {"reason": reason}
