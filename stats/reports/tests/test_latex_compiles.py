"""The LaTeX of a report, set by XeLaTeX where that is there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from stats.reports.document import Document, Number, Paragraph, Section, Table, Verse
from stats.reports.latex import escape, latex

PREAMBLE = r"""\documentclass{article}
\usepackage{booktabs}
\usepackage{adjustbox}
\usepackage{xeCJK}
\setCJKmainfont{Noto Sans CJK SC}
\begin{document}
"""
AWKWARD = ("[10] *", "*", "[", "a & b % c_d #1 {x} ~ ^ \\", "[3pt]", "α ≥ 1 − x × ±")


def awkward() -> Document:
    """A report whose labels and verse begin with what LaTeX takes for arguments."""
    rows = tuple((label, Number(1.5, "1.50"), label) for label in AWKWARD)
    return Document(
        title="[Results]",
        language="en",
        text_language="zh",
        sections=(
            Section(
                "means",
                "[Means] & *more*",
                (
                    Paragraph("[A paragraph] in front."),
                    Paragraph("*A notice*", is_notice=True),
                    Table("[A caption]", ("[Head]", "*Head", "Head"), rows),
                    Verse("[Heading]", "\n".join((*AWKWARD, "床前明月光，", "", "疑是地上霜。"))),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "written"), [("[3pt] x", "{}[3pt] x"), ("* x", "{}* x"), ("x [*]", "x [*]")]
)
def test_brackets_and_stars_in_front_are_no_arguments(text: str, written: str) -> None:
    assert escape(text) == written


def test_every_row_and_line_begins_with_what_is_no_argument() -> None:
    for line in latex(awkward()).splitlines():
        assert not line.strip().startswith(("[", "*")), line


def test_report_with_awkward_labels_and_verse_compiles(tmp_path: Path) -> None:
    if shutil.which("xelatex") is None:
        pytest.skip(
            "xelatex is not installed (Debian: texlive-xetex, texlive-latex-extra, texlive-lang-chinese)"
        )
    (tmp_path / "report.tex").write_text(
        PREAMBLE + latex(awkward()) + "\n\\end{document}\n", encoding="utf-8"
    )
    done = subprocess.run(
        [str(shutil.which("xelatex")), "-interaction=nonstopmode", "-halt-on-error", "report.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "report.pdf").stat().st_size > 5_000
