"""Rows of a Parquet file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from generation.files.problems import Place, Problems, one_line, refuse_whole

# Few, because one batch lies in memory as a whole.
ROWS_AT_ONCE = 500
NESTED_ROWS_AT_ONCE = 20
LARGEST_UNPACKED = 500_000_000


def parquet_columns(path: Path, problems: Problems) -> tuple[str, ...]:
    """Return the names of the columns; raise `FileRefused` for what is no Parquet file or unpacks to too much."""
    import pyarrow.parquet

    with _refusing(problems), pyarrow.parquet.ParquetFile(path) as file:
        metadata = file.metadata
        groups = range(metadata.num_row_groups)
        unpacked = sum(metadata.row_group(group).total_byte_size for group in groups)
        columns = tuple(file.schema_arrow.names)
    if unpacked > LARGEST_UNPACKED:
        raise refuse_whole(
            problems.file,
            _("would be %(megabytes)d MB unpacked, which is too much"),
            megabytes=unpacked // 1_000_000,
        )
    # pandas stores the numbers of its rows so.
    return tuple("" if column.startswith("__index_level_") else column for column in columns)


@contextmanager
def _refusing(problems: Problems) -> Iterator[None]:
    """Raise `FileRefused` where a Parquet file cannot be read, whether in its parts or in any of its rows."""
    try:
        yield
    # Beside its own errors pyarrow raises those of what it makes: texts, dates, time zones.
    except Exception as error:
        raise refuse_whole(
            problems.file, _("is no Parquet file that can be read: %(reason)s"), reason=one_line(error)
        ) from error


def parquet_rows(path: Path, problems: Problems) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield the place and the values of every row; what is missing, or no number, is None."""
    import pyarrow as arrow
    import pyarrow.parquet

    number = 0
    with _refusing(problems), pyarrow.parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
        texts = [name for name in schema.names if _is_text(schema.field(name).type)]
        is_nested = any(arrow.types.is_nested(one) for one in schema.types)
    # A text that stands there once, for many rows, is read once: a small file cannot fill the memory.
    with _refusing(problems), pyarrow.parquet.ParquetFile(path, read_dictionary=texts) as file:
        for batch in file.iter_batches(batch_size=NESTED_ROWS_AT_ONCE if is_nested else ROWS_AT_ONCE):
            names = batch.schema.names
            for values in zip(*map(_values, batch.columns), strict=True):
                number += 1
                present = {
                    name: None if isinstance(value, float) and math.isnan(value) else value
                    for name, value in zip(names, values, strict=True)
                    if not name.startswith("__index_level_")
                }
                if any(value is not None for value in present.values()):
                    yield Place(number, "row"), present


def _is_text(kind: Any) -> bool:
    import pyarrow as arrow

    if arrow.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(arrow.types.is_string(kind) or arrow.types.is_large_string(kind))


def _values(column: Any) -> list[Any]:
    """Return the values of a column, equal texts as one object."""
    import pyarrow as arrow

    if not isinstance(column, arrow.DictionaryArray):
        return list(column.to_pylist())
    places = column.indices.unique().drop_null()
    found = dict(zip(places.to_pylist(), column.dictionary.take(places).to_pylist(), strict=True))
    return [found.get(place) for place in column.indices.to_pylist()]
