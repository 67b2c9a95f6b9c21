"""Workbooks of a few kilobytes that unpack to much: what they may cost, and most of all while somebody waits."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import xlsxwriter

from generation.files import workbooks
from generation.files.problems import FileRefused
from generation.files.tables import read_table


@pytest.fixture
def waited_for() -> Iterator[None]:
    token = workbooks.is_waited_for.set(True)
    yield
    workbooks.is_waited_for.reset(token)


def workbook(path: Path, sheets: int = 1) -> Path:
    """Write sheets that hold nothing in five hundred formatted rows, then a header and a row."""
    with xlsxwriter.Workbook(path) as book:
        bold = book.add_format({"bold": True})
        for _ in range(sheets):
            sheet = book.add_worksheet()
            for row in range(500):
                sheet.write_blank(row, 0, None, bold)
            sheet.write_row(500, 0, ["prompt"])
            sheet.write_row(501, 0, ["p1"])
    return path


def with_part(path: Path, change: dict[str, bytes]) -> Path:
    """Write a workbook again with other parts in place of its own."""
    again = path.with_name("again.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, change.get(part.filename, old.read(part)))
    return again


def strings(count: int) -> bytes:
    """Return the part of a workbook with so many texts, of which its cells use the first ones."""
    used = b"<si><t>prompt</t></si><si><t>p1</t></si>"
    head = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    return head + used + b"<si><t>x</t></si>" * count + b"</sst>"


def test_a_workbook_is_read_up_to_less_while_somebody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(workbooks, "LARGEST_WAITED_FOR", 1_000_000)
    path = with_part(workbook(tmp_path / "a.xlsx"), {"xl/sharedStrings.xml": strings(80_000)})
    assert path.stat().st_size < 30_000
    assert [row.fields for row in read_table(path)] == [{"prompt": "p1"}]
    request.getfixturevalue("waited_for")
    with pytest.raises(FileRefused) as refused:
        read_table(path)
    assert str(refused.value) == (
        "again.xlsx: unpacks to more than 1 MB, which is too much: save the sheet as CSV"
    )


def test_a_part_that_stands_for_many_sheets_is_counted_as_often_as_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited_for: None
) -> None:
    path = workbook(tmp_path / "a.xlsx", sheets=30)
    with zipfile.ZipFile(path) as archive:
        links = archive.read("xl/_rels/workbook.xml.rels")
        sheet = archive.getinfo("xl/worksheets/sheet1.xml").file_size
        once = sum(part.file_size for part in archive.infolist()) - 29 * sheet
    empty = {f"xl/worksheets/sheet{number}.xml": b"" for number in range(2, 31)}
    for number in range(2, 31):
        links = links.replace(b"worksheets/sheet%d.xml" % number, b"worksheets/sheet1.xml")
    again = with_part(path, {"xl/_rels/workbook.xml.rels": links, **empty})
    monkeypatch.setattr(workbooks, "LARGEST_WAITED_FOR", once + 10 * sheet)
    with pytest.raises(FileRefused, match="unpacks to more than 0 MB"):
        read_table(again)
    monkeypatch.setattr(workbooks, "LARGEST_WAITED_FOR", once + 70 * sheet)
    assert len(read_table(again).sheets) == 30


def test_texts_that_no_cell_uses_do_not_stay_in_memory_as_elements(tmp_path: Path) -> None:
    path = with_part(workbook(tmp_path / "a.xlsx"), {"xl/sharedStrings.xml": strings(100_000)})
    read_table(path)
    tracemalloc.start()
    try:
        read_table(path)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A list of so many references takes 0.8 MB, their emptied elements more than 5.
    assert most < 3_500_000


def test_parts_of_a_text_with_formats_are_one_text_without_its_reading_aid(tmp_path: Path) -> None:
    rich = strings(0).replace(
        b"<si><t>p1</t></si>",
        b'<si><r><t xml:space="preserve">one </t></r><r><rPr/><t>two</t></r><rPh sb="0" eb="1"><t>aid</t></rPh></si>',
    )
    path = with_part(workbook(tmp_path / "a.xlsx"), {"xl/sharedStrings.xml": rich})
    assert [row.fields for row in read_table(path)] == [{"prompt": "one two"}]
