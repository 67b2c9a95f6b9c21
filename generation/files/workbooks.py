"""Rows of a sheet of a workbook (XLSX), as they stand there."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _

from generation.files.problems import FileRefused, Place, Problems, one_line, refuse_whole, shown

# A packed file of a few kilobytes can hold gigabytes of nothing.
LARGEST_UNPACKED = 500_000_000
# While somebody waits for an answer of the site, whose middleware says so.
LARGEST_WAITED_FOR = 50_000_000
is_waited_for: ContextVar[bool] = ContextVar("is_waited_for", default=False)
MOST_RATIO = 200
SMALL = 10_000_000
LAST_ROW = 1_048_576
# Nobody leaves more rows empty above a header.
LAST_HEADER = 1_000
# Rows that hold nothing cost as much time as others, and a sheet can have a million.
MOST_EMPTY = 10_000


@dataclass(frozen=True)
class Header:
    """The sheet, the row of its header, and its columns, "" for nameless ones."""

    sheet: str
    row: int
    columns: tuple[str, ...]


def sheets_of(path: Path, problems: Problems) -> dict[str, Header]:
    """Return the sheets with content by title, hidden ones last, with the first such row of each as its header.

    Raises `FileRefused` for what is no workbook or unpacks to too much.
    """
    with _refusing(problems):
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
        unpacked = sum(part.file_size for part in parts)
        packed = sum(part.compress_size for part in parts)
        if unpacked > LARGEST_UNPACKED or (unpacked > SMALL and unpacked > MOST_RATIO * packed):
            raise refuse_whole(
                problems.file,
                _("would be %(megabytes)d MB unpacked, which is too much"),
                megabytes=unpacked // 1_000_000,
            )
        if unpacked > _most_unpacked():
            raise _too_large(problems)
        with _workbook(path, problems) as book:
            sheets = sorted(book.worksheets, key=lambda sheet: sheet.sheet_state != "visible")
            headers = (_header(sheet) for sheet in sheets)
            return {header.sheet: header for header in headers if header}


def _most_unpacked() -> int:
    return LARGEST_WAITED_FOR if is_waited_for.get() else LARGEST_UNPACKED


def _too_large(problems: Problems) -> FileRefused:
    return refuse_whole(
        problems.file,
        _("unpacks to more than %(megabytes)d MB, which is too much: save the sheet as CSV"),
        megabytes=_most_unpacked() // 1_000_000,
    )


class _Archive(zipfile.ZipFile):
    """A packed file of which `count` hears how many bytes are unpacked: many sheets may be one part of it."""

    def __init__(self, file: IO[bytes], count: Callable[[int], None]) -> None:
        super().__init__(file)
        self.count = count

    def open(self, *arguments: Any, **options: Any) -> IO[bytes]:
        return io.BufferedReader(_Part(super().open(*arguments, **options), self.count))


class _Part(io.RawIOBase):
    def __init__(self, part: Any, count: Callable[[int], None]) -> None:
        self.part = part
        self.count = count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size: int = self.part.readinto(buffer)
        self.count(size)
        return size

    def close(self) -> None:
        self.part.close()
        super().close()


@contextmanager
def _refusing(problems: Problems) -> Iterator[None]:
    """Raise `FileRefused` where a workbook cannot be read, whether in its parts or in any of its rows."""
    try:
        yield
    except (FileRefused, OSError):
        raise
    # A damaged workbook is unpacked and parsed by several libraries, each of which fails in its own ways.
    except Exception as error:
        raise refuse_whole(
            problems.file, _("is no workbook (XLSX) that can be read: %(reason)s"), reason=one_line(error)
        ) from error


@contextmanager
def _workbook(path: Path, problems: Problems) -> Iterator[Any]:
    """Open a workbook whose texts are kept as they are written in it: openpyxl would change `x005F_`."""
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
    from openpyxl.xml.functions import iterparse

    class Reader(ExcelReader):
        def read_strings(self) -> None:
            part = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]
            self.shared_strings = []
            if part is None:
                return
            name = f"{{{SHEET_MAIN_NS}}}"
            with self.archive.open(part.PartName[1:]) as source:
                events = iterparse(source, events=("start", "end"))
                _event, root = next(events)
                for event, node in events:
                    if event == "end" and node.tag == f"{name}si":
                        # Without the reading aids (`rPh`).
                        texts = (*node.findall(f"{name}t"), *node.findall(f"{name}r/{name}t"))
                        self.shared_strings.append("".join(text.text or "" for text in texts))
                        root.clear()

    left = _most_unpacked()

    def count(size: int) -> None:
        nonlocal left
        left -= size
        if left < 0:
            raise _too_large(problems)

    # Not by its path: an upload lies under a name without an ending.
    with path.open("rb") as file:
        reader = Reader(
            file, read_only=True, keep_vba=False, data_only=True, keep_links=False, rich_text=False
        )
        reader.archive = _Archive(file, count)
        reader.read()
        yield reader.wb


def _rows(
    sheet: Any, *, last: int = LAST_ROW, columns: int | None = None, most_empty: int = LAST_ROW
) -> Iterator[tuple[int, Any]]:
    """Yield number and cells of the rows that hold anything, of so many columns where that is said.

    Else a cell far to the right has its row filled with thousands of empty ones. After more than `most_empty` rows
    that hold nothing it ends with None in place of cells.
    """
    sheet.reset_dimensions()
    full = 0
    for number, cells in enumerate(sheet.iter_rows(max_col=columns), start=1):
        if number > last:
            return
        if any(cell.value not in (None, "") and str(cell.value).strip() for cell in cells):
            full = number
            yield number, cells
        elif number - full > most_empty:
            yield number, None
            return


def _header(sheet: Any) -> Header | None:
    for number, cells in _rows(sheet, last=LAST_HEADER):
        names = ("" if cell.value is None else str(_value(cell)).strip() for cell in cells)
        return Header(sheet.title, number, tuple(names))
    return None


def sheet_rows(path: Path, header: Header, problems: Problems) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield the place and the cells of every row with content under the header."""
    with _refusing(problems), _workbook(path, problems) as book:
        before = header.row
        for number, cells in _rows(book[header.sheet], columns=len(header.columns), most_empty=MOST_EMPTY):
            if cells is None:
                raise refuse_whole(
                    problems.file,
                    _(
                        "has more than %(most)d empty rows under row %(row)d: delete them, or save the sheet as CSV"
                    ),
                    most=MOST_EMPTY,
                    row=before,
                )
            if number <= header.row:
                continue
            before = number
            place = Place(number, "row", header.sheet)
            fields = {}
            for name, cell in zip(header.columns, cells, strict=False):
                if name and cell.data_type == "e":
                    problems.add(place, name, _("holds the error %(error)s"), error=shown(str(cell.value)))
                elif name and cell.value is not None:
                    fields[name] = _value(cell)
            if fields:
                yield place, fields


def _value(cell: Any) -> Any:
    """Return the value of a cell, with the characters that XLSX can only hold as `_x000D_`."""
    from openpyxl.utils.escape import unescape

    return unescape(cell.value) if isinstance(cell.value, str) else cell.value
