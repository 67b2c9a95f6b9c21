"""A report as a document: sections of paragraphs, tables and figures, which every format is written from."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal


@dataclass(frozen=True)
class Number:
    """A number in a table: its value for machines, its text for readers."""

    value: float
    text: str


Cell = str | Number


@dataclass(frozen=True)
class Paragraph:
    """Running text; a notice is what a reader must not miss."""

    kind: ClassVar[str] = "paragraph"

    text: str
    is_notice: bool = False


@dataclass(frozen=True)
class Table:
    """A table whose first column names the rows; every row has as many cells as the head."""

    kind: ClassVar[str] = "table"

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"rows must have {len(self.head)} cells as the head, got {len(row)}")

    @property
    def numeric_columns(self) -> tuple[bool, ...]:
        """Which columns hold numbers, and are set to the right."""
        return tuple(
            any(isinstance(row[column], Number) for row in self.rows) for column in range(len(self.head))
        )

    @property
    def as_latex(self) -> str:
        """The table as LaTeX with booktabs, to paste into a paper."""
        # This module is what the formats are written from, so it knows none of them before one is asked for.
        from stats.reports.latex import latex_table

        return latex_table(self)

    @property
    def marked_head(self) -> tuple[MarkedCell, ...]:
        """The head, each cell with the word whether its column holds numbers."""
        return self._marked(self.head)

    @property
    def marked_rows(self) -> tuple[tuple[MarkedCell, ...], ...]:
        """The rows, likewise."""
        return tuple(self._marked(row) for row in self.rows)

    def _marked(self, cells: tuple[Cell, ...]) -> tuple[MarkedCell, ...]:
        return tuple(
            MarkedCell(cell.text if isinstance(cell, Number) else cell, is_number)
            for cell, is_number in zip(cells, self.numeric_columns, strict=True)
        )


@dataclass(frozen=True)
class MarkedCell:
    """A cell as a template shows it."""

    text: str
    is_number: bool


@dataclass(frozen=True)
class Figure:
    """A picture as SVG; `alternative` tells in words what it shows."""

    kind: ClassVar[str] = "figure"

    name: str
    svg: str
    caption: str
    alternative: str

    @property
    def data_uri(self) -> str:
        """Return the picture as an address that holds it, for pages that load nothing else."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg.encode()).decode()


@dataclass(frozen=True)
class Verse:
    """A text under study, set as it was shown to evaluators."""

    kind: ClassVar[str] = "verse"

    heading: str
    text: str


Block = Paragraph | Table | Figure | Verse


@dataclass(frozen=True)
class Section:
    """A titled part of the report. A folded one is closed at first where the format can do that."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    is_folded: bool = False


@dataclass(frozen=True)
class Document:
    """A whole report in one language."""

    title: str
    language: Literal["en", "zh"]
    # The language of the texts under study.
    text_language: str
    sections: tuple[Section, ...]

    def figures(self) -> Iterator[Figure]:
        """Yield all figures in their order."""
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Figure):
                    yield block

    def tables(self) -> Iterator[tuple[Section, Table]]:
        """Yield all tables in their order, each with its section."""
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Table):
                    yield section, block
