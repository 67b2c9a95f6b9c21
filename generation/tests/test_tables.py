"""Any table that people have is read by its content, each row with its place, and nothing is guessed in silence."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
import xlsxwriter
from django.utils import translation

from generation.files import tables, workbooks
from generation.files.encoding import EncodingUnconfirmed
from generation.files.problems import FileRefused, Problems
from generation.files.tables import Table, read_table

Write = Callable[..., Path]
Cells = list[list[Any]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: str | bytes, name: str = "answers.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def workbook(path: Path, **sheets: Cells) -> Path:
    with xlsxwriter.Workbook(path) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for number, cells in enumerate(rows):
                for column, value in enumerate(cells):
                    (sheet.write_string if isinstance(value, str) else sheet.write)(number, column, value)
    return path


def read(table: Table) -> list[tuple[str, dict[str, Any]]]:
    return [(str(place), fields) for place, fields in table]


def refused(path: Path, **options: str) -> list[str]:
    with pytest.raises(FileRefused) as why:
        table = read_table(path, **options)
        list(table)
        table.problems.refuse_if_any()
    return why.value.lines


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_cut_at_the_mark_that_fits_the_rows(write: Write, mark: str, encoding: str) -> None:
    content = (
        f'Question{mark}Answer{mark}"Notes, if any"\n月{mark}"明月{mark}\r\n清风"{mark}\n花{mark}红{mark}x\n'
    )
    table = read_table(write(content.encode(encoding)))
    assert table.columns == ("Question", "Answer", "Notes, if any")
    assert read(table) == [
        ("line 2", {"Question": "月", "Answer": f"明月{mark}\r\n清风", "Notes, if any": ""}),
        ("line 4", {"Question": "花", "Answer": "红", "Notes, if any": "x"}),
    ]


def test_what_spreadsheets_leave_around_a_table_is_passed_over(write: Write) -> None:
    content = "\ufeffsep=;\r\n;;;;\r\nid;;text;;\r\n007;x;a;;\r\n;;;;\r\n008;;b\r\n"
    table = read_table(write(content))
    assert table.columns == ("id", "text")
    assert read(table) == [("line 4", {"id": "007", "text": "a"}), ("line 6", {"id": "008", "text": "b"})]
    assert not table.problems


def test_a_workbook_gives_what_stands_in_its_cells(tmp_path: Path) -> None:
    text = "  =1+1\r\n\t「可」 _x000D_ x005F_ 👩\u200d🚀"
    path = workbook(
        tmp_path / "a.xlsx",
        Empty=[],
        Answers=[
            ["id", "", "text", "score"], [], ["007", "x", text, 3], ["", None, "", None], ["3/10", None, "b", 2.5],
        ],
        Other=[["text"], ["c"]],
    )  # fmt: skip
    table = read_table(path)
    assert (table.kind, table.sheet, table.sheets) == ("xlsx", "Answers", ("Answers", "Other"))
    assert table.columns == ("id", "text", "score")
    assert read(table) == [
        ("sheet Answers, row 3", {"id": "007", "text": text, "score": 3}),
        ("sheet Answers, row 5", {"id": "3/10", "text": "b", "score": 2.5}),
    ]
    assert read(read_table(path, sheet="Other")) == [("sheet Other, row 2", {"text": "c"})]
    assert refused(path, sheet="Lost") == ["a.xlsx: has no sheet 'Lost'; its sheets are: Answers, Other"]


def test_an_error_in_a_workbook_is_no_text(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for cells in (["text"], ["#N/A"], ["fine"]):
        book.active.append(cells)  # type: ignore[union-attr]
    book.active["A2"].data_type = "e"  # type: ignore[index]
    book.save(tmp_path / "a.xlsx")
    assert refused(tmp_path / "a.xlsx") == ["a.xlsx, sheet Sheet, row 2, text: holds the error '#N/A'"]


def test_json_keeps_the_kind_of_every_value(write: Write) -> None:
    rows = [{"prompt": "月", "turns": [{"role": "user"}], "score": 3.5, "ok": True}, {"prompt": None, "x": 1}]
    table = read_table(write(json.dumps(rows, indent=1)))
    assert (table.kind, table.columns) == ("json", ("prompt", "turns", "score", "ok", "x"))
    assert read(table) == [("item 1", rows[0]), ("item 2", rows[1])]
    lines = "\n\n".join(map(json.dumps, rows))
    assert read(read_table(write(lines, "a.txt"))) == [("line 1", rows[0]), ("line 3", rows[1])]
    assert read(read_table(write('[{"a": NaN}]'))) == [("item 1", {"a": None})]


def test_parquet_keeps_the_kind_of_every_value(tmp_path: Path) -> None:
    table = pyarrow.table(
        {"text": ["月", None, "花"], "score": [1.0, float("nan"), 2.5], "__index_level_0__": [0, 1, 2]}
    )
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    found = read_table(tmp_path / "a.parquet")
    assert found.columns == ("text", "score")
    assert read(found) == [("row 1", {"text": "月", "score": 1.0}), ("row 3", {"text": "花", "score": 2.5})]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("a,b\n1,2,3\n1,2,3\n", "line 2: has 3 cells; the header has 2 columns (2 of this kind: lines 2, 3)"),
        ("a,A,a\n1,2,3\n", "a: is the name of two columns"),
        ('a,b\n1,"2\n3,4\n', "line 2: the row that begins here has a quoted cell that is never closed;"
         " what follows was not read"),
        ('[{"a": 1}, 7]', 'item 2: must be a JSON object: {"name": value, ...}'),
        ('[{"a": 1},\n{"a": 1', "line 2, column 8: is not JSON: Expecting ',' delimiter"),
        ('{"a": Infinity}', "line 1: is not a row: Infinity is no number of JSON"),
        (b"\xd0\xcf\x11\xe0", "is an Excel file of before 2007; save it as .xlsx"),
        (b"\x1f\x8b\x08", "is compressed; unpack it first"),
        (b"%PDF-1.7", "is a PDF; only tables can be read"),
        (b"PK\x03\x04no zip", "is no workbook (XLSX) that can be read: File is not a zip file"),
        (b"PAR1", "is no Parquet file that can be read:"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_one_line(write: Write, content: str | bytes, problem: str) -> None:
    (line,) = refused(write(content))
    assert line.removeprefix("answers.csv").lstrip(",: ").startswith(problem)


@pytest.mark.parametrize("names", ['{"a\\u0000": 1}', '{"a\\ud800": 1}', "a\0,b\n1,2\n"])
def test_columns_whose_names_cannot_be_stored_are_refused(write: Write, names: str) -> None:
    (line,) = refused(write(names))
    assert "is a name with the control character U+" in line


def test_json_has_no_number_that_is_infinite(write: Write) -> None:
    assert refused(write('{"a": [1e999]}')) == [
        "answers.csv, line 1: is not a row: 1e999 is no number of JSON"
    ]


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="A9" t="s"><v>99999</v></c>',
        '<c r="A9" t="n"><v>abc</v></c>',
        '<c r="A9" t="d"><v>never</v></c>',
        '<c r="ZZZZ9"><v>1</v></c>',
        '<c r="A9"',
    ],
)
def test_workbook_that_is_damaged_in_a_later_row_is_refused(tmp_path: Path, cell: str) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["a"])
    book.save(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as bad:
        for name in whole.namelist():
            content = whole.read(name)
            row = f'<row r="9">{cell}</row></sheetData>'.encode()
            bad.writestr(name, content.replace(b"</sheetData>", row))
    (line,) = refused(tmp_path / "a.xlsx")
    assert line.startswith("a.xlsx: is no workbook (XLSX) that can be read: ")


def test_workbook_with_a_password_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "<a/>")
    content = bytearray(packed.getvalue())
    content[6] |= 1
    content[content.find(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.xlsx").write_bytes(content)
    (line,) = refused(tmp_path / "a.xlsx")
    assert "is encrypted, password required" in line


@pytest.mark.parametrize(
    "values",
    [
        pyarrow.array([2**62], pyarrow.timestamp("us")),
        pyarrow.array([2**30], pyarrow.date32()),
        pyarrow.Array.from_buffers(pyarrow.string(), 1, pyarrow.array([b"\xff\xfe"]).buffers()),
    ],
)
def test_parquet_with_values_that_nobody_can_read_is_refused(tmp_path: Path, values: pyarrow.Array) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"a": values}), tmp_path / "a.parquet")
    (line,) = refused(tmp_path / "a.parquet")
    assert line.startswith("a.parquet: is no Parquet file that can be read: ")


def test_a_missing_file_cannot_be_read(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv") == ["none.csv: cannot be read: No such file or directory"]


def test_a_packed_bomb_is_not_unpacked(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b" " * 50_000_000)
    (tmp_path / "a.xlsx").write_bytes(packed.getvalue())
    assert refused(tmp_path / "a.xlsx") == ["a.xlsx: would be 50 MB unpacked, which is too much"]


def test_rows_and_columns_are_limited(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 2)
    assert refused(write("a\n1\n2\n3\n")) == ["answers.csv: has more than 2 rows"]
    wide = ",".join(f"c{number}" for number in range(1001))
    assert refused(write(wide + "\n")) == ["answers.csv: has more than 1000 columns"]


# Encodings

SENTENCES = {
    "gb18030": "床前明月光，疑是地上霜",
    "big5hkscs": "床前明月光，疑是地上霜。舉頭望明月",
    "cp949": "안녕하세요 반갑습니다",
    "cp1251": "Привет как дела",
    "koi8_r": "Привет как дела",
    "cp1253": "Καλημέρα σας",
    "cp874": "สวัสดีครับ",
    "shift_jis_2004": "吾輩は猫である",
    "cp1252": "Übermut naïve",
}


@pytest.mark.parametrize("encoding", SENTENCES)
def test_no_other_encoding_is_taken_before_somebody_confirms_it(write: Write, encoding: str) -> None:
    sentence = SENTENCES[encoding]
    path = write(f"prompt,text\nx,{sentence}\n".encode(encoding))
    with pytest.raises(EncodingUnconfirmed) as unconfirmed:
        read_table(path)
    assert str(unconfirmed.value).startswith("answers.csv, line 2: is neither UTF-8 nor UTF-16 (read as ")
    readings = {reading.encoding: reading.line for reading in unconfirmed.value.readings}
    assert readings[encoding] == f"x,{sentence}"
    assert [row.fields for row in read_table(path, encoding=encoding)] == [{"prompt": "x", "text": sentence}]


def test_utf_16_without_its_mark_is_named(write: Write) -> None:
    path = write("prompt,text\nmoon,Mañana\n".encode("utf-16-le"))
    with pytest.raises(EncodingUnconfirmed) as unconfirmed:
        read_table(path)
    assert [reading.encoding for reading in unconfirmed.value.readings] == ["utf_16_le"]


@pytest.mark.parametrize(
    ("data", "options", "problem"),
    [
        # UTF-8 whose last byte is lost: what is left could be seven Chinese characters in everyday use.
        (b"prompt,method,text\nmoon,a," + "辞白帝彩云".encode()[:-1] + b"\nmoon,b,cloud\n", {},
         "line 2: byte 0xe4 at offset 38 is not UTF-8"),
        # UTF-8 that lost a byte in the middle: 月 is three bytes.
        ("prompt,text\n月,明\n".encode() + b"\xe6\x9c," + "写月写月\n".encode(), {},
         "line 3: byte 0xe6 at offset 20 is not UTF-8"),
        ("é".encode("utf-16")[:-1], {}, "line 1: byte 0xe9 at offset 2 is not UTF-16"),
        ("月\n".encode() + b"\xff", {"encoding": "gb18030"},
         "line 1: byte 0x88 at offset 2 is not GB18030 or GBK (Chinese)"),
        (b"a", {"encoding": "latin-99"}, "'latin-99' is no encoding"),
    ],
)  # fmt: skip
def test_a_byte_that_is_wrong_is_named_with_its_place(
    write: Write, data: bytes, options: dict[str, str], problem: str
) -> None:
    (line,) = refused(write(data), **options)
    assert line.removeprefix("answers.csv").lstrip(",: ") == problem


def test_problems_are_told_in_the_readers_language(write: Write) -> None:
    with translation.override("zh-hans"):
        assert refused(write("a,b\n1,2,3\n")) == ["answers.csv，第 2 行：有 3 个单元格，而表头只有 2 列"]


def test_a_workbook_whose_cells_repeat_one_long_text_is_refused_before_it_fills_the_memory(
    tmp_path: Path,
) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet=[["prompt"], *([["x" * 30_000]] * 1_000)])
    assert path.stat().st_size < 100_000
    table = read_table(path)
    assert sum(1 for _row in table) < 1_000
    assert table.problems.listed() == [
        "a.xlsx: holds more than 20,000,000 characters of text, which is too much"
    ]


@pytest.mark.parametrize("is_nested", [False, True])
def test_a_parquet_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path, is_nested: bool) -> None:
    long = "x" * 1_000_000
    column: Any = [long] * 5_000
    if is_nested:
        column = [[{"text": long}]] * 60
    table = pyarrow.table({"prompt": column})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet", compression="zstd")
    del table, column
    assert (tmp_path / "a.parquet").stat().st_size < 200_000
    found = read_table(tmp_path / "a.parquet")
    tracemalloc.start()
    rows = sum(1 for _row in found)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == 20
    assert "characters of text, which is too much" in found.problems.listed()[0]
    assert most < 100_000_000


def test_categories_of_parquet_are_read_as_their_texts(tmp_path: Path) -> None:
    values = ["a", None, "b", "a"]
    table = pyarrow.table({"prompt": pyarrow.array(values).dictionary_encode(), "n": [1, 2, 3, 4]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert [row.fields["prompt"] for row in read_table(tmp_path / "a.parquet")] == values


def test_cells_far_to_the_right_of_the_header_are_not_filled_up_to(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Sheet")
        sheet.write_row(0, 0, ["prompt", "text"])
        for row in range(1, 4):
            sheet.write_row(row, 0, [f"p{row}", "x"])
            sheet.write_string(row, 16_383, "far")
    found = read_table(path)
    assert found.columns == ("prompt", "text")
    with workbooks._workbook(path, Problems(path.name)) as book:
        widths = [len(cells) for _number, cells in workbooks._rows(book["Sheet"], columns=2)]
    assert widths == [2, 2, 2, 2]
    assert [row.fields for row in found] == [{"prompt": f"p{row}", "text": "x"} for row in range(1, 4)]


def test_a_workbook_with_thousands_of_empty_rows_is_refused_early(tmp_path: Path) -> None:
    path = tmp_path / "long.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["prompt", "text"])
        sheet.write_row(1, 0, ["Why?", "Because."])
        sheet.write_row(20_000, 0, ["Who?", "Nobody."])
    with pytest.raises(FileRefused, match="more than 10000 empty rows under row 2"):
        list(read_table(path, "long.xlsx"))
