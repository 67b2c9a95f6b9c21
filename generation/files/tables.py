"""Reading a table of any kind that people have: CSV, TSV, JSON, JSON Lines, XLSX and Parquet, row by row.

What kind a file is its content says, not its name. Rows without any content, columns without a name and a `sep=` line
are passed over. Cells of text files are text; JSON, workbooks and Parquet give what they hold: text, numbers, booleans,
None, times, and what JSON and Parquet nest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from generation.files.delimited import delimited_rows, delimited_shape
from generation.files.encoding import encoding_of
from generation.files.json_tables import json_columns, json_rows
from generation.files.parquet_tables import parquet_columns, parquet_rows
from generation.files.problems import Place, Problems, listed_shortly, refuse_whole, shown
from generation.files.workbooks import sheet_rows, sheets_of
from generation.texts.characters import CONTROL

MOST_ROWS = 1_000_000
MOST_COLUMNS = 1_000
ROWS_A_STEP = 500
MOST_CHARACTERS = 300_000_000
# What any file may hold, and how many times its size it may where that is more.
ALWAYS_CHARACTERS = 20_000_000
MOST_TIMES_UNPACKED = 50
LARGEST_JSON_LIST = 200_000_000
NO_TABLES = {
    b"\xd0\xcf\x11\xe0": gettext_noop("is an Excel file of before 2007; save it as .xlsx"),
    b"\x1f\x8b": gettext_noop("is compressed; unpack it first"),
    b"%PDF": gettext_noop("is a PDF; only tables can be read"),
}


class TableRow(NamedTuple):
    """A row with something in it: its place, and its cells by column; those that are not there are left out."""

    place: Place
    fields: dict[str, Any]


@dataclass
class Table:
    """A file opened as a table; iterating reads it, and adds to `problems` what is wrong with single rows.

    `kind` is csv, json, jsonl, xlsx or parquet. The columns of JSON are those of its first rows.
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    problems: Problems
    rows: Callable[[], Iterator[tuple[Place, dict[str, Any]]]] = field(repr=False)
    encoding: str = ""
    # What somebody confirmed, where the file does not tell it by itself.
    encoding_said: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    # Hears now and then how many rows are read.
    report_rows: Callable[[int], None] | None = field(default=None, repr=False)

    # How many characters its cells may hold: a packed file of a few kilobytes can hold gigabytes of the same.
    most_characters: int = MOST_CHARACTERS

    def __iter__(self) -> Iterator[TableRow]:
        characters = 0
        # Cells of a file of text are text.
        size = len if self.kind == "csv" else _size
        for count, (place, fields) in enumerate(self.rows()):
            characters += sum(map(size, fields.values()))
            if characters > self.most_characters:
                self.problems.add(
                    0, "", _("holds more than %(most)s characters of text, which is too much"),
                    most=f"{self.most_characters:,}",
                )  # fmt: skip
                return
            if count == MOST_ROWS:
                self.problems.add(0, "", _("has more than %(most)d rows"), most=MOST_ROWS)
                return
            if self.report_rows and count % ROWS_A_STEP == 0:
                self.report_rows(count)
            yield TableRow(place, fields)

    @property
    def is_json(self) -> bool:
        """Whether each row names its own fields."""
        return self.kind in ("json", "jsonl")

    @property
    def by_lower_name(self) -> dict[str, str]:
        """The columns by their names in small letters."""
        return {column.lower(): column for column in self.columns}

    @property
    def columns_shortly(self) -> str:
        return listed_shortly([shown(column) for column in self.columns]) or _("none")

    def first_rows(self, count: int) -> list[TableRow]:
        """Return the first rows, without a word of what is wrong with others."""
        before = len(self.problems.found)
        rows = list(islice(self, count))
        del self.problems.found[before:]
        return rows


def _size(value: Any) -> int:
    """Return how many characters a cell holds."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else 0


def text_of(value: Any, table: Table) -> Any:
    """Return a number or a boolean of a workbook as the text that somebody typed; anything else as it is."""
    if table.kind != "xlsx" or value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    # A workbook shows fifteen digits.
    return f"{value:.15g}" if isinstance(value, float) else value


def read_table(path: Path, name: str = "", *, encoding: str = "", sheet: str = "") -> Table:
    """Open a file as a table; `name` is what its owner calls it, which begins every problem.

    `encoding` is that which somebody confirmed for a file of text that is neither UTF-8 nor UTF-16, `sheet` the title
    of a sheet where not the first one with content is meant. Raises `FileRefused`, of which `EncodingUnconfirmed` is
    one, when it cannot be read as a table at all; columns of one name are in the `problems` of the table from
    the beginning, and what is wrong with rows comes there by iterating.
    """
    problems = Problems(name or path.name)
    try:
        with path.open("rb") as file:
            start = file.read(4)
        for mark, message in NO_TABLES.items():
            if start.startswith(mark):
                raise refuse_whole(problems.file, _(message))
        if start == b"PK\x03\x04":
            return _checked(_workbook(path, problems, sheet), path)
        if start == b"PAR1":
            return _checked(
                Table(
                    problems.file,
                    "parquet",
                    parquet_columns(path, problems),
                    problems,
                    lambda: parquet_rows(path, problems),
                ),
                path,
            )
        table = _text_table(path, problems, encoding_of(path, problems, encoding))
        table.encoding_said = encoding
        return _checked(table, path)
    except OSError as error:
        raise refuse_whole(
            problems.file, _("cannot be read: %(reason)s"), reason=error.strerror or str(error)
        ) from error


def _text_table(path: Path, problems: Problems, encoding: str) -> Table:
    with path.open(encoding=encoding, newline="") as file:
        start = file.read(1024).lstrip("\ufeff \t\r\n")[:1]
    if start == "[" and path.stat().st_size > LARGEST_JSON_LIST:
        raise refuse_whole(problems.file, _("is too long for one JSON list; write one object a line"))
    if start in ("{", "["):
        return Table(
            problems.file,
            "jsonl" if start == "{" else "json",
            json_columns(path, encoding),
            problems,
            lambda: json_rows(path, encoding, problems),
            encoding,
        )
    shape = delimited_shape(path, encoding)
    return Table(
        problems.file,
        "csv",
        shape.columns,
        problems,
        lambda: delimited_rows(path, encoding, shape, problems),
        encoding,
    )


def _workbook(path: Path, problems: Problems, wanted: str) -> Table:
    sheets = sheets_of(path, problems)
    if wanted and wanted not in sheets:
        raise refuse_whole(
            problems.file, _("has no sheet %(sheet)s; its sheets are: %(sheets)s"),
            sheet=shown(wanted), sheets=listed_shortly(list(sheets)),
        )  # fmt: skip
    header = sheets[wanted] if wanted else next(iter(sheets.values()), None)
    return Table(
        problems.file,
        "xlsx",
        header.columns if header else (),
        problems,
        lambda: sheet_rows(path, header, problems) if header else iter(()),
        sheet=header.sheet if header else "",
        sheets=tuple(sheets),
    )


def _checked(table: Table, path: Path) -> Table:
    """Return a table without its nameless columns; columns that cannot be told apart are a problem of it."""
    table.most_characters = min(
        MOST_CHARACTERS, max(ALWAYS_CHARACTERS, MOST_TIMES_UNPACKED * path.stat().st_size)
    )
    table.columns = tuple(column for column in table.columns if column)
    for column in dict.fromkeys(table.columns):
        if table.columns.count(column) > 1:
            table.problems.add(0, column, _("is the name of two columns"))
        if control := CONTROL.search(column):
            table.problems.add(
                0,
                shown(column),
                _("is a name with the control character U+%(code)s"),
                code=f"{ord(control[0]):04X}",
            )
    if len(table.columns) > MOST_COLUMNS:
        raise refuse_whole(table.name, _("has more than %(most)d columns"), most=MOST_COLUMNS)
    return table
