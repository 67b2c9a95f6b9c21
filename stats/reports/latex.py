"""A report as LaTeX: booktabs tables and text, ready to input."""

from __future__ import annotations

from stats.reports.document import Block, Cell, Document, Figure, Number, Paragraph, Section, Table, Verse

SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "−": r"$-$",
    "–": r"--",
    "×": r"$\times$",
    "±": r"$\pm$",
    "α": r"$\alpha$",
}


def escape(text: str) -> str:
    r"""
    Return text that LaTeX prints as it stands, on one line.

    A `[` or `*` in front, after the end of a line or a rule, would be taken for an argument of `\\` or `\midrule`.
    """
    written = "".join(SPECIAL.get(character, character) for character in " ".join(text.split()))
    return f"{{}}{written}" if written.startswith(("[", "*")) else written


def latex(document: Document) -> str:
    """Return the report as a LaTeX fragment.

    It needs the package booktabs, for wide tables adjustbox, and for Chinese xeCJK or the class ctexart.
    """
    head = [
        r"% Input this file in a document that has \usepackage{booktabs} and \usepackage{adjustbox};",
        r"% for Chinese also \usepackage{xeCJK}, or the class ctexart, and XeLaTeX or LuaLaTeX.",
    ]
    return "\n".join(head) + "\n\n" + "\n\n".join(_section(section) for section in document.sections) + "\n"


def _section(section: Section) -> str:
    blocks = [_block(block, label=f"tab:{section.key}") for block in section.blocks]
    return "\n\n".join([rf"\subsection*{{{escape(section.title)}}}", *blocks])


def _block(block: Block, *, label: str) -> str:
    match block:
        case Paragraph(text=text, is_notice=is_notice):
            return rf"\textbf{{{escape(text)}}}" if is_notice else escape(text)
        case Table():
            return latex_table(block, label)
        case Figure(name=name, caption=caption):
            return f"% Figure {name}: {escape(caption)} It is part of the HTML and PDF report."
        case Verse(heading=heading, text=text):
            lines = " \\\\\n  ".join(escape(line) for line in text.splitlines())
            return f"\\begin{{quote}}\n  \\textbf{{{escape(heading)}}} \\\\\n  {lines}\n\\end{{quote}}"


def latex_table(table: Table, label: str = "") -> str:
    """Return a table for booktabs and adjustbox; without a `label` nothing can refer to it."""
    columns = "".join("r" if is_numeric else "l" for is_numeric in table.numeric_columns)
    lines = [
        r"\begin{table}[htbp]",
        r"  \centering",
        rf"  \caption{{{escape(table.caption)}}}",
        *([rf"  \label{{{label}}}"] if label else ()),
        r"  \begin{adjustbox}{max width=\textwidth}",
        rf"  \begin{{tabular}}{{{columns}}}",
        r"    \toprule",
        _row(table.head),
        r"    \midrule",
        *(_row(row) for row in table.rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"  \end{adjustbox}",
        r"\end{table}",
    ]
    return "\n".join(lines)


def _row(cells: tuple[Cell, ...]) -> str:
    texts = (escape(cell.text if isinstance(cell, Number) else cell) for cell in cells)
    return f"    {' & '.join(texts)} \\\\"
