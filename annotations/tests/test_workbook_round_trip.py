"""A workbook that was exported is read as the same texts, byte for byte."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from generation.files.tables import read_table
from stats.reports.write_rows import xlsx_chunks


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufffe\uffff")))
@example("_x000D_\r\n\r x005F_ _x005F_ =1\t")
def test_an_exported_workbook_gives_every_text_back(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        path.write_bytes(b"".join(xlsx_chunks({"id": "text", "a": "text"}, [("x", text)])))
        (row,) = read_table(path)
    assert row.fields.get("a", "") == text
