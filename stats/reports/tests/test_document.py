"""The formats of a report, on a document that has everything that could break them."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import asdict
from pathlib import Path

import pylopdf_fonts_zh_cn
import pytest
from fontTools.ttLib import TTFont

from stats.reports.document import Document, Figure, Number, Paragraph, Section, Table, Verse
from stats.reports.figures import (
    Curve,
    Distribution,
    ForestRow,
    curve_plot,
    distribution_plot,
    forest_plot,
)
from stats.reports.latex import escape, latex
from stats.reports.pdf import compiled, pdf
from stats.reports.workbook import workbook
from stats.reports.write_rows import safe_cell

VERSE = "一双斑驳蹄，踏碎苍苔路。\n空蒙古兽皮，散落犹群兔。"
FOREST = forest_plot(
    [ForestRow("自训练 − Jiuge", 0.83, (-0.38, 2.03), "+0.83"), ForestRow("IP − Jiuge", 0.43, None, "+0.43")],
    axis_label="总体 (points)",
)


@pytest.fixture(scope="module")
def document() -> Document:
    return Document(
        title="Results of 悟能赋诗 #1 *bold* $x$",
        language="zh",
        text_language="zh",
        sections=(
            Section(
                "ratings",
                "评分 / ratings: [all]",
                (
                    Paragraph("=1+1 is text, and so is @ref, <b> and 50 %."),
                    Paragraph("模拟数据", is_notice=True),
                    Table(
                        "平均分",
                        ("方法", "=HYPERLINK(1)", "N"),
                        (("九歌_&", Number(3.6, "3.60"), Number(-2, "−2")), ("+cmd", "–", Number(1, "1"))),
                    ),
                    Figure("forest", FOREST, "Differences", "IP+ST minus Jiuge: 0.83"),
                    Verse("咏斑马", VERSE),
                ),
            ),
        ),
    )


def test_a_row_shorter_than_the_head_is_refused() -> None:
    with pytest.raises(ValueError, match="rows must have 2 cells"):
        Table("caption", ("a", "b"), (("only one",),))


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_the_text_of_the_pdf_can_be_read_back(document: Document) -> None:
    run = subprocess.run(
        ["pdftotext", "-raw", "-", "-"], input=pdf(document), capture_output=True, check=True
    )
    text = run.stdout.decode()
    for words in (
        "悟能赋诗 #1 *bold* $x$",
        "=1+1 is text, and so is @ref, <b>",
        "九歌_&",
        "一双斑驳蹄，踏碎苍苔路。",
    ):
        assert words in text


def characters(document: Document) -> set[str]:
    return set(json.dumps(asdict(document), ensure_ascii=False))


@pytest.mark.parametrize("font", ["NotoSansSC-Regular.otf", "NotoSerifSC-Regular.otf"])
def test_the_fonts_of_the_install_have_every_character(document: Document, font: str) -> None:
    """A character that no font has is set as an empty box, without a word."""
    path = Path(pylopdf_fonts_zh_cn.__file__).parent / font
    known = set(map(chr, TTFont(path).getBestCmap()))
    assert characters(document) - known == set()
    assert set("−–≥≤×±α《》“”‘’，。？！：；（）") - known == set()


def test_setting_the_pdf_gives_no_warning(document: Document) -> None:
    output, warnings = compiled(document)
    assert output.startswith(b"%PDF")
    assert [str(warning) for warning in warnings] == []


def test_the_same_report_gives_the_same_pdf(document: Document) -> None:
    assert pdf(document) == pdf(document)


def test_latex_leaves_nothing_for_latex_to_run() -> None:
    assert escape(r"50% & {x}_\input{y} ~^#$") == (
        r"50\% \& \{x\}\_\textbackslash{}input\{y\} \textasciitilde{}\textasciicircum{}\#\$"
    )


def test_latex_tables_have_as_many_columns_as_cells(document: Document) -> None:
    text = latex(document)
    assert r"\begin{tabular}{lrr}" in text
    (head,) = re.findall(r"\\toprule\n(.*)", text)
    assert head.count("&") == 2
    assert r"九歌\_\& & 3.60 & $-$2" in text


def test_the_workbook_holds_numbers_as_numbers_and_no_formula(document: Document) -> None:
    with zipfile.ZipFile(io.BytesIO(workbook(document))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        strings = book.read("xl/sharedStrings.xml").decode()
        names = book.read("xl/workbook.xml").decode()
    assert "<v>3.6</v>" in sheet
    assert "<v>-2</v>" in sheet
    assert "<f>" not in sheet
    assert "=HYPERLINK(1)" in strings
    assert 'name="1 评分   ratings   all"' in names


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("\t=1+1", "'\t=1+1"),
        ("＝1+1", "'＝1+1"),
        ("\u3000@cmd", "'\u3000@cmd"),
        ("明月几时有", "明月几时有"),
        ("a=b", "a=b"),
        (-1.5, "-1.5"),
        (None, ""),
    ],
)
def test_a_cell_that_would_run_is_made_text_and_nothing_else(cell: str | float | None, safe: str) -> None:
    assert safe_cell(cell) == safe


def test_plots_are_the_same_for_the_same_numbers_and_load_nothing() -> None:
    again = forest_plot(
        [
            ForestRow("自训练 − Jiuge", 0.83, (-0.38, 2.03), "+0.83"),
            ForestRow("IP − Jiuge", 0.43, None, "+0.43"),
        ],
        axis_label="总体 (points)",
    )
    assert again == FOREST
    assert "<script" not in FOREST
    assert set(re.findall(r'href="(.)', FOREST)) <= {"#"}


@pytest.mark.parametrize(
    "svg",
    [
        distribution_plot(
            [Distribution("格律", [0, 1, 2], [[0, 0, 0], [0.5, 0.5, 0]], [None, 0.5])], ["甲", "乙"]
        ),
        curve_plot([6, 8], [Curve("50", [0.2, 0.3])], x_label="E", y_label="power", target=0.8),
        forest_plot([], axis_label="none"),
    ],
)
def test_plots_of_little_or_nothing_are_drawn(svg: str) -> None:
    assert svg.startswith("<svg")
    assert svg.rstrip().endswith("</svg>")
