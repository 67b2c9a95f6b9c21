"""A report as an XLSX workbook: one sheet a section that has tables, numbers as numbers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from stats.reports.document import Document, Number, Paragraph, Section, Table

if TYPE_CHECKING:
    import xlsxwriter

# What Excel allows in the name of a sheet.
SHEET_NAME_LENGTH = 31
FORBIDDEN_IN_SHEET_NAME = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))

# Nothing that an evaluator or an import has written may run as a formula or become a link.
SAFE = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": True,
}


def workbook(document: Document) -> bytes:
    """Return the report's tables as an XLSX file."""
    import xlsxwriter  # takes a while to load, and few commands and pages need it

    output = io.BytesIO()
    with xlsxwriter.Workbook(output, SAFE) as book:
        formats = {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
            "caption": book.add_format({"italic": True}),
            "notice": book.add_format({"bold": True}),
        }
        for number, section in enumerate(document.sections, start=1):
            if any(isinstance(block, Table) for block in section.blocks):
                _write_section(book, section, number, formats)
    return output.getvalue()


def _write_section(
    book: xlsxwriter.Workbook, section: Section, number: int, formats: dict[str, xlsxwriter.format.Format]
) -> None:
    # The number keeps names apart that are cut to the same letters.
    name = f"{number} {section.title}".translate(FORBIDDEN_IN_SHEET_NAME)[:SHEET_NAME_LENGTH].rstrip()
    sheet = book.add_worksheet(name)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 30, 15)
    sheet.write_string(0, 0, section.title, formats["title"])
    row = 2
    for block in section.blocks:
        match block:
            case Paragraph(text=text, is_notice=is_notice):
                sheet.write_string(row, 0, text, formats["notice"] if is_notice else None)
                row += 2
            case Table():
                row = _write_table(sheet, block, row, formats) + 2


def _write_table(
    sheet: xlsxwriter.worksheet.Worksheet,
    table: Table,
    row: int,
    formats: dict[str, xlsxwriter.format.Format],
) -> int:
    """Write a table from a row on and return the row after it."""
    sheet.write_string(row, 0, table.caption, formats["caption"])
    for column, heading in enumerate(table.head):
        sheet.write_string(row + 1, column, heading, formats["head"])
    for offset, cells in enumerate(table.rows, start=row + 2):
        for column, cell in enumerate(cells):
            if isinstance(cell, Number):
                sheet.write_number(offset, column, cell.value)
            else:
                sheet.write_string(offset, column, cell)
    return row + 2 + len(table.rows)
