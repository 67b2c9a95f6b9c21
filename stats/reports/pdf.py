"""A report as PDF, set by Typst with fonts that come with the install, Chinese ones too."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst

from stats.reports.document import Block, Document, Figure, Number, Paragraph, Table, Verse

TEMPLATE = Path(__file__).with_name("report.typ")


@cache
def fonts() -> typst.Fonts:
    """Return the fonts of the install alone, so that every machine sets the same pages."""
    return typst.Fonts(
        include_system_fonts=False, font_paths=[str(Path(pylopdf_fonts_zh_cn.__file__).parent)]
    )


def pdf(document: Document) -> bytes:
    """Return the report as a tagged PDF of A4 pages."""
    return compiled(document)[0]


def compiled(document: Document) -> tuple[bytes, list[typst.TypstWarning]]:
    """Return the PDF with Typst's warnings, among them every character that no font has."""
    # Typst reads nothing outside its root: a folder of its own for each report.
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "report.typ").write_bytes(TEMPLATE.read_bytes())
        for figure in document.figures():
            (root / f"{figure.name}.svg").write_text(figure.svg, encoding="utf-8")
        (root / "report.json").write_text(json.dumps(_plain(document), ensure_ascii=False), encoding="utf-8")
        output, warnings = typst.compile_with_warnings(
            str(root / "report.typ"),
            root=str(root),
            font_paths=fonts(),
            ignore_system_fonts=True,
            # A date of its own would make every file another one.
            timestamp=0,
        )
    return output, warnings


def _plain(document: Document) -> dict[str, Any]:
    return {
        "title": document.title,
        "language": document.language,
        "sections": [
            {"title": section.title, "blocks": [_plain_block(block) for block in section.blocks]}
            for section in document.sections
        ],
    }


def _plain_block(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph(text=text, is_notice=is_notice):
            return {"kind": "paragraph", "text": text, "notice": is_notice}
        case Table():
            return {
                "kind": "table",
                "caption": block.caption,
                "head": block.head,
                "numeric": block.numeric_columns,
                "rows": [
                    [cell.text if isinstance(cell, Number) else cell for cell in row] for row in block.rows
                ],
            }
        case Figure():
            fields = asdict(block)
            del fields["svg"]
            return {"kind": "figure", **fields}
        case Verse(heading=heading, text=text):
            return {"kind": "verse", "heading": heading, "lines": text.splitlines()}
