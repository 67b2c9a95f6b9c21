"""Writing rows as CSV, JSON Lines, Parquet or XLSX, in memory that does not grow with their number.

The CSV is made for spreadsheets: it has a mark of UTF-8, and text that a spreadsheet would run as a formula or make a
number or a date of has an apostrophe in front. So has text that begins with one: whoever takes one apostrophe at the
beginning of a cell away has every text byte for byte, but where it left the direction of writing turned round: then
its end turns it back. The others hold every value as it is, XLSX in cells of text, JSON with such characters escaped.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    import pyarrow

from stats.reports.directions import closed, escaped

# "json" is JSON as text, which JSON Lines hold as what it stands for; "decimal" is a number as text, such as "80.00".
ColumnType = Literal["text", "integer", "real", "boolean", "time", "decimal", "json"]
Columns = Mapping[str, ColumnType]
# A time is text in ISO 8601, as in "2026-05-01T08:30:00.000000Z".
Value = str | int | float | None
Row = tuple[Value, ...]

# Few, because more rows than the processor's cache holds take half as long again.
ROWS_PER_CHUNK = 500
# Parquet packs and reads a column in groups of rows; larger ones gain little and take more memory.
CHUNKS_PER_ROW_GROUP = 20
VALUES_REMEMBERED = 10_000
CHUNK_BYTES = 64 * 1024
UTF_8_MARK = "\ufeff"
# What a spreadsheet takes for the start of a formula, in both widths.
FORMULA_STARTS = "=+-@＝＋－＠"
IGNORED_BEFORE_FORMULA = " \t\r\n\u200b\u200c\u200d\ufeff\u3000"
# Text of which a spreadsheet makes another number, a date or a time: 007, 1.10, 1e5, 3/10, 2-3, 8:30, May 4.
MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
MADE_A_NUMBER = re.compile(
    rf"\s*(?:0\d+(?:\.\d+)?|\d+\.\d*0|\d{{16,}}|\d+(?:\.\d+)?e[+-]?\d+|\d+(?:[/-]\d+){{1,2}}|\d+\.\d+\.\d+|\d+:\d+(?::\d+)?"
    rf"|{MONTH}[ ./-]*\d+|\d+[ ./-]*{MONTH}|true|false)\s*",
    re.IGNORECASE,
)
# What a sheet of XLSX and a cell in it can hold.
MOST_SHEET_ROWS = 1_048_576
LONGEST_CELL = 32_767

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# What a terminal cannot show.
BINARY = ("parquet", "xlsx")


class TooMuchForWorkbook(ValueError):
    """More rows, or a longer text, than a sheet of XLSX can hold."""


T = TypeVar("T")


def as_json(value: Mapping[str, Any] | Sequence[Any]) -> str | None:
    """Return a value for a column of the type "json"; None, which is a missing cell, for an empty one."""
    return json.dumps(value, ensure_ascii=False) if value else None


def batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of `size` things; the last one takes the remainder."""
    remaining = iter(things)
    while batch := list(islice(remaining, size)):
        yield batch


class Cells(dict[Value, str]):
    """The values of one column as text, each worked out once, because most come many times."""

    def __init__(self, cell: Callable[[Value], str]) -> None:
        self.cell = cell

    def __missing__(self, value: Value) -> str:
        if len(self) >= VALUES_REMEMBERED:
            self.clear()
        self[value] = text = self.cell(value)
        return text


def filled_in(
    line: str,
    cell: Callable[[Value], str],
    columns: Columns,
    rows: Iterable[Row],
    *,
    json_cell: Callable[[Value], str] | None = None,
) -> Iterator[bytes]:
    """Yield the rows as lines made from a template with a place for each cell.

    Twice as fast as the writers of `csv` and `json`, which look at every value anew.
    """
    missing = cell(None)
    cells = [Cells(json_cell or cell if kind == "json" else cell) for kind in columns.values()]
    for batch in batches(rows, ROWS_PER_CHUNK):
        by_column = [
            # No two times are alike, and digits of these kinds need no care but quotes, in CSV and JSON both.
            [missing if value is None else f'"{value}"' for value in values]
            if kind in ("time", "decimal")
            # Few are alike, and of two that are, such as 2 and 2.0, each is written as it is.
            else [missing if value is None else cell(value) for value in values]
            if kind == "real"
            else map(remembered.__getitem__, values)
            for kind, remembered, values in zip(
                columns.values(), cells, zip(*batch, strict=True), strict=True
            )
        ]
        yield "".join(map(line.__mod__, zip(*by_column, strict=True))).encode()


def csv_chunks(columns: Columns, rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield a CSV file with a head row, formula-safe; what is missing is an empty cell."""
    line = ",".join(["%s"] * len(columns)) + "\r\n"
    yield (UTF_8_MARK + line % tuple(map(csv_cell, columns))).encode()
    yield from filled_in(line, csv_cell, columns, rows)


def safe_cell(value: Value) -> str:
    """Return the cell as text that no spreadsheet runs as a formula or takes for a number or a date.

    Text that would be that, or begins with an apostrophe, gets one in front; numbers stay as they are, a negative one
    too. `None` is an empty cell.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(value)
    start = value.lstrip(IGNORED_BEFORE_FORMULA)[:1]
    is_unsafe = (start in FORMULA_STARTS and start != "") or value.startswith("'")
    return f"'{value}" if is_unsafe or MADE_A_NUMBER.fullmatch(value) else value


def csv_cell(value: Value) -> str:
    """Return a cell in quotes, whatever it holds."""
    text = str(value).lower() if isinstance(value, bool) else closed(safe_cell(value))
    return '"' + text.replace('"', '""') + '"'


def jsonl_chunks(columns: Columns, rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield JSON Lines: one object a row with every column; what is missing is null."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

    def cell(value: Value) -> str:
        return escaped(encode(value)) if isinstance(value, str) else encode(value)

    line = "{" + ", ".join(f"{encode(name)}: %s" for name in columns) + "}\n"
    return filled_in(
        line, cell, columns, rows, json_cell=lambda value: "null" if value is None else escaped(str(value))
    )


def parquet_chunks(columns: Columns, rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield a Parquet file; times are timestamps in UTC."""
    # A heavy import that only this format needs.
    import pyarrow
    import pyarrow.parquet

    types: dict[ColumnType, pyarrow.DataType] = {
        "text": pyarrow.string(),
        "integer": pyarrow.int64(),
        "real": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "time": pyarrow.timestamp("us", tz="UTC"),
        "decimal": pyarrow.string(),
        "json": pyarrow.string(),
    }
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])

    def column(kind: ColumnType, values: tuple[Value, ...]) -> pyarrow.Array:
        # Arrow reads text as times, but only by a cast.
        read_as = "text" if kind == "time" else kind
        return pyarrow.array(values, types[read_as]).cast(types[kind])

    parts = (
        pyarrow.record_batch(list(map(column, columns.values(), zip(*batch, strict=True))), schema=schema)
        for batch in batches(rows, ROWS_PER_CHUNK)
    )
    output = io.BytesIO()
    with pyarrow.parquet.ParquetWriter(output, schema) as writer:
        for group in batches(parts, CHUNKS_PER_ROW_GROUP):
            writer.write_table(pyarrow.Table.from_batches(group))
            # The writer counts the bytes by itself, so what it has written can be taken away.
            yield output.getvalue()
            output.seek(0)
            output.truncate()
    yield output.getvalue()


def xlsx_chunks(columns: Columns, rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield a workbook with one sheet; text and times are text, and no text runs or becomes a number.

    Raises `TooMuchForWorkbook` before the first chunk.
    """
    import xlsxwriter  # takes a while to load

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with TemporaryFile() as output:
        with xlsxwriter.Workbook(output, options) as book:
            sheet = book.add_worksheet()
            sheet.freeze_panes(1, 0)
            as_text = book.add_format({"num_format": "@"})
            for number, row in enumerate(_with_head(columns, rows)):
                if number == MOST_SHEET_ROWS:
                    raise TooMuchForWorkbook(f"more than {MOST_SHEET_ROWS - 1:,} rows")
                for column, value in enumerate(row):
                    if isinstance(value, str):
                        if len(value) > LONGEST_CELL:
                            raise TooMuchForWorkbook(
                                f"a text of {len(value):,} characters in row {number + 1:,}"
                            )
                        sheet.write_string(number, column, value, as_text)
                    elif isinstance(value, bool):
                        sheet.write_boolean(number, column, value)
                    elif value is not None:
                        sheet.write_number(number, column, value)
        output.seek(0)
        while chunk := output.read(CHUNK_BYTES):
            yield chunk


def _with_head(columns: Columns, rows: Iterable[Row]) -> Iterator[Row]:
    yield tuple(columns)
    yield from rows


FORMATS: dict[str, Callable[[Columns, Iterable[Row]], Iterator[bytes]]] = {
    "csv": csv_chunks,
    "jsonl": jsonl_chunks,
    "parquet": parquet_chunks,
    "xlsx": xlsx_chunks,
}


def write_whole(output: Path, chunks: Iterable[bytes]) -> None:
    """Write a file beside its place and move it there, so that nobody reads half of it; raise `OSError`."""
    draft = output.with_name(f"{output.name}.part")
    try:
        with draft.open("wb") as file:
            file.writelines(chunks)
        draft.replace(output)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
