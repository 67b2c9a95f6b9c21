"""Writing rows as CSV, JSON Lines or Parquet, chunk by chunk, in memory that does not grow with their number.

The CSV is made for spreadsheets: it has a mark of UTF-8, and text that would start a formula an apostrophe in front.
JSON Lines and Parquet hold every value as it is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stats.reports.tables import safe_cell

if TYPE_CHECKING:
    import pyarrow

ColumnType = Literal["text", "integer", "real", "boolean", "time"]
Columns = Mapping[str, ColumnType]
# A time is text in ISO 8601, as in "2026-05-01T08:30:00.000000Z".
Value = str | int | float | None
Row = tuple[Value, ...]

# Also the size of a Parquet row group: larger ones pack little better and take more memory.
ROWS_PER_CHUNK = 10_000
UTF_8_MARK = "\ufeff"

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, ROWS_PER_CHUNK)):
        yield batch


def csv_chunks(columns: Columns, rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield a CSV file with a head row, formula-safe; what is missing is an empty cell."""
    output = io.StringIO()
    output.write(UTF_8_MARK)
    writer = csv.writer(output, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for batch in batches(rows):
        # Looked at once a batch: the same few prompts and names come again and again.
        cells = [
            map(cache(safe_cell), values) if kind == "text" else values
            for kind, values in zip(columns.values(), zip(*batch, strict=True), strict=True)
        ]
        writer.writerows(zip(*cells, strict=True))
        yield output.getvalue().encode()
        output.seek(0)
        output.truncate()
    # The head, where there was no row.
    yield output.getvalue().encode()


def jsonl_chunks(columns: Columns, rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield JSON Lines: one object a row with every column; what is missing is null."""
    names = tuple(columns)
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    for batch in batches(rows):
        yield "".join(f"{encode(dict(zip(names, row, strict=True)))}\n" for row in batch).encode()


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
    }
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
    output = io.BytesIO()
    with pyarrow.parquet.ParquetWriter(output, schema) as writer:
        for batch in batches(rows):
            arrays = [
                # Arrow reads text as times, but only by a cast.
                pyarrow.array(values, pyarrow.string()).cast(field.type)
                if kind == "time"
                else pyarrow.array(values, field.type)
                for kind, values, field in zip(
                    columns.values(), zip(*batch, strict=True), schema, strict=True
                )
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
            # The writer counts the bytes by itself, so what it has written can be taken away.
            yield output.getvalue()
            output.seek(0)
            output.truncate()
    yield output.getvalue()


FORMATS: dict[str, Callable[[Columns, Iterable[Row]], Iterator[bytes]]] = {
    "csv": csv_chunks,
    "jsonl": jsonl_chunks,
    "parquet": parquet_chunks,
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
