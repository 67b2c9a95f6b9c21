from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.reports import write_rows
from stats.reports.write_rows import (
    CHUNKS_PER_ROW_GROUP,
    ROWS_PER_CHUNK,
    Columns,
    Row,
    TooMuchForWorkbook,
    csv_chunks,
    jsonl_chunks,
    parquet_chunks,
    safe_cell,
    write_whole,
    xlsx_chunks,
)

COLUMNS: Columns = {
    "verse": "text", "score": "integer", "share": "real", "best": "boolean", "saved_at": "time",
}  # fmt: skip
ROWS: list[Row] = [
    ('床前明月光，\n“疑是”,"地上霜"', 5, 0.1, True, "2026-05-01T08:30:00.000001Z"),
    ("=1+1", -1, 1.0, False, "2026-05-01T08:30:00.500000Z"),
    (None, None, None, None, None),
]
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def read_csv(chunks: Iterator[bytes]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(chunks).decode("utf-8-sig"), newline="")))


def test_csv_keeps_verse_and_disarms_formulas() -> None:
    assert read_csv(csv_chunks(COLUMNS, ROWS)) == [
        ["verse", "score", "share", "best", "saved_at"],
        ['床前明月光，\n“疑是”,"地上霜"', "5", "0.1", "true", "2026-05-01T08:30:00.000001Z"],
        ["'=1+1", "-1", "1.0", "false", "2026-05-01T08:30:00.500000Z"],
        ["", "", "", "", ""],
    ]


def test_csv_has_the_mark_by_which_spreadsheets_know_utf_8() -> None:
    assert b"".join(csv_chunks(COLUMNS, ROWS)).startswith(b'\xef\xbb\xbf"verse",')


@given(texts)
def test_csv_holds_any_text_but_for_the_apostrophe(text: str) -> None:
    (_, (cell,)) = read_csv(csv_chunks({"verse": "text"}, [(text,)]))
    assert cell.removeprefix("'") == (text if cell.startswith("'") else cell) == text
    assert cell.lstrip(" \t\r\n\u200b\ufeff\u3000")[:1] not in tuple("=+-@＝＋－＠")


@given(texts)
def test_json_lines_hold_any_text(text: str) -> None:
    (line,) = b"".join(jsonl_chunks({"verse": "text"}, [(text,)])).decode().removesuffix("\n").split("\n")
    assert json.loads(line) == {"verse": text}


def test_json_lines_hold_every_value_as_it_is() -> None:
    lines = b"".join(jsonl_chunks(COLUMNS, ROWS)).decode().splitlines()
    assert [tuple(json.loads(line).values()) for line in lines] == ROWS
    assert json.loads(lines[0]).keys() == COLUMNS.keys()
    assert "床前明月光" in lines[0]


def test_parquet_holds_every_value_with_its_type() -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(b"".join(parquet_chunks(COLUMNS, ROWS))))
    assert [str(field.type) for field in table.schema] == [
        "string", "int64", "double", "bool", "timestamp[us, tz=UTC]",
    ]  # fmt: skip
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (*ROWS[0][:4], datetime(2026, 5, 1, 8, 30, 0, 1, tzinfo=UTC)),
        (*ROWS[1][:4], datetime(2026, 5, 1, 8, 30, 0, 500_000, tzinfo=UTC)),
        ROWS[2],
    ]


def test_more_rows_than_a_chunk_all_arrive() -> None:
    numbers = range(2 * ROWS_PER_CHUNK * CHUNKS_PER_ROW_GROUP + 1)
    rows: list[Row] = [(number,) for number in numbers]
    columns: Columns = {"number": "integer"}
    assert [json.loads(line)["number"] for line in b"".join(jsonl_chunks(columns, rows)).splitlines()] == [
        *numbers
    ]
    assert read_csv(csv_chunks(columns, rows))[1:] == [[str(number)] for number in numbers]
    table = pyarrow.parquet.read_table(io.BytesIO(b"".join(parquet_chunks(columns, rows))))
    assert table["number"].to_pylist() == [*numbers]


def test_no_rows_make_a_file_that_can_be_read() -> None:
    assert read_csv(csv_chunks(COLUMNS, [])) == [[*COLUMNS]]
    assert b"".join(jsonl_chunks(COLUMNS, [])) == b""
    table = pyarrow.parquet.read_table(io.BytesIO(b"".join(parquet_chunks(COLUMNS, []))))
    assert (table.num_rows, table.column_names) == (0, [*COLUMNS])


def test_rows_are_taken_as_they_are_written() -> None:
    taken = 0

    def rows() -> Iterator[Row]:
        nonlocal taken
        for taken in range(1, 100 * ROWS_PER_CHUNK):
            yield (taken,)

    next(jsonl_chunks({"number": "integer"}, rows()))
    assert taken == ROWS_PER_CHUNK
    next(parquet_chunks({"number": "integer"}, rows()))
    assert taken == ROWS_PER_CHUNK * CHUNKS_PER_ROW_GROUP


def test_a_file_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"old")

    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise RuntimeError("database gone")

    with pytest.raises(RuntimeError, match="database gone"):
        write_whole(path, chunks())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "text",
    ["007", "1.10", "3/10", "2-3", "1.2.3", "8:30", "1e5", "May 4", "4-Mar", "12345678901234567", "TRUE"],
)
def test_csv_keeps_a_spreadsheet_from_making_a_number_or_a_date_of_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["E001", "GPT-4", "7", "3.5", "poems 1/2", "-", "Mayor", "a 3/10"])
def test_csv_leaves_other_text_as_it_is(text: str) -> None:
    assert safe_cell(text) == ("'-" if text == "-" else text)


def test_one_apostrophe_taken_away_gives_every_text_back() -> None:
    odd = ["'", "''=1", "'007", "007", "=1", "x", "\t=1", "'\t=1"]
    cells = [safe_cell(text) for text in odd]
    assert [cell.removeprefix("'") for cell in cells] == odd


def read_xlsx(chunks: Iterator[bytes], path: Path) -> list[list[object]]:
    path.write_bytes(b"".join(chunks))
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_xlsx_has_text_in_cells_of_text(tmp_path: Path) -> None:
    rows: list[Row] = [
        *ROWS,
        ("007", 7, 0.5, False, "2026-05-01T08:30:00.000000Z"),
        ("3/10", 1, 2.0, True, None),
    ]
    head, *found = read_xlsx(xlsx_chunks(COLUMNS, rows), tmp_path / "a.xlsx")
    assert head == list(COLUMNS)
    assert [row[0] for row in found] == [ROWS[0][0], "=1+1", None, "007", "3/10"]
    assert found[0][1:] == [5, 0.1, True, "2026-05-01T08:30:00.000001Z"]
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None
    assert [sheet.cell(row, 1).data_type for row in (3, 5, 6)] == ["s", "s", "s"]
    assert sheet.cell(5, 1).number_format == "@"


def test_more_than_a_workbook_can_hold_is_refused_before_a_byte_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(TooMuchForWorkbook, match="a text of 32,768 characters in row 2"):
        next(xlsx_chunks({"a": "text"}, [("x" * 32_768,)]))
    monkeypatch.setattr(write_rows, "MOST_SHEET_ROWS", 3)
    with pytest.raises(TooMuchForWorkbook, match="more than 2 rows"):
        next(xlsx_chunks({"a": "integer"}, [(1,), (2,), (3,)]))
