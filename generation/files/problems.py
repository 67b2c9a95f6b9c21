"""What is wrong with a file that somebody wants to import: all of it, each kind once with the places where it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from generation.refusals import Refused

SHOWN_AT_MOST = 100
PLACES_SHOWN = 5

Unit = Literal["line", "row", "item"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: a line of text, a row of a table (in a sheet where it has such) or an item of a list."""

    number: int
    unit: Unit = "line"
    sheet: str = ""

    def __str__(self) -> str:
        words = {
            "line": _("line %(number)d"),
            "row": _("sheet %(sheet)s, row %(number)d") if self.sheet else _("row %(number)d"),
            "item": _("item %(number)d"),
        }
        return words[self.unit] % {"number": self.number, "sheet": self.sheet}


@dataclass(frozen=True)
class Problem:
    """One thing wrong: where (None: the file as a whole), the field or path to it, what to know, what kind it is of.

    `places` has all places of its kind, this one first, where several problems are told as one.
    """

    place: Place | None
    field: str
    message: str
    kind: str
    places: tuple[Place | None, ...] = ()

    def __str__(self) -> str:
        at = placed([str(self.place)] * (self.place is not None) + [self.field] * bool(self.field))
        return said_of(at, self.summary) if at else self.summary

    @property
    def summary(self) -> str:
        """The message, with how often the like of it is found and where first."""
        if len(self.places) < 2:
            return self.message
        numbers = listed_shortly([place.number for place in self.places if place is not None], PLACES_SHOWN)
        words = {
            "line": _("(%(count)d of this kind: lines %(numbers)s)"),
            "row": _("(%(count)d of this kind: rows %(numbers)s)"),
            "item": _("(%(count)d of this kind: items %(numbers)s)"),
        }
        more = words[self.place.unit if self.place else "line"] % {
            "count": len(self.places),
            "numbers": numbers,
        }
        return f"{self.message} {more}"


@dataclass
class Problems:
    """The problems of one file, in the order in which they were found."""

    file: str
    found: list[Problem] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.found)

    def add(self, place: Place | int, field: str, message: str, /, **values: Any) -> None:
        """Note a problem; a number is that of a line, 0 the file as a whole.

        Messages that differ in their values alone are of one kind, and told once.
        """
        at = (Place(place) if place else None) if isinstance(place, int) else place
        self.found.append(Problem(at, field, message % values if values else message, message))

    def by_kind(self) -> list[Problem]:
        """Return the first problem of each kind, by their places, with the places of the others."""
        kinds: dict[tuple[str, str], list[Problem]] = {}
        for problem in sorted(self.found, key=lambda one: one.place.number if one.place else 0):
            kinds.setdefault((problem.field, problem.kind), []).append(problem)
        return [
            Problem(one.place, one.field, one.message, one.kind, tuple(like.place for like in alike))
            for alike in kinds.values()
            for one in alike[:1]
        ]

    def listed(self) -> list[str]:
        """Return a sentence for each kind of problem, by line."""
        return [
            placed([self.file, str(problem)])
            if problem.place or problem.field
            else said_of(self.file, str(problem))
            for problem in self.by_kind()
        ]

    def refuse_if_any(self) -> None:
        """Raise `FileRefused` if anything is wrong."""
        if self.found:
            raise FileRefused(self)


class FileRefused(Refused):
    """A file, or two that belong together, of which nothing may be imported."""

    def __init__(self, *problems: Problems) -> None:
        self.found = [problem for file in problems for problem in file.by_kind()]
        self.lines = [line for file in problems for line in file.listed()]
        self.problems = self.lines[:SHOWN_AT_MOST]
        super().__init__(*self.lines)

    def __str__(self) -> str:
        left = len(self.lines) - SHOWN_AT_MOST
        if left <= 0:
            return "\n".join(self.problems)
        rest = ngettext("and %(more)s more problem", "and %(more)s more problems", left) % {
            "more": f"{left:,}"
        }
        return "\n".join([*self.problems, f"… {rest}"])


def refuse_whole(file: str, message: str, /, **values: Any) -> FileRefused:
    """Return the refusal of a file as a whole, to be raised."""
    problems = Problems(file)
    problems.add(0, "", message, **values)
    return FileRefused(problems)


def listed(names: Iterable[object]) -> str:
    """Return names in one line, with what stands between them in the reader's language."""
    return pgettext("list", ", ").join(map(str, names))


def listed_shortly(names: Sequence[object], most: int = 8) -> str:
    """Return names in one line, of many the first ones."""
    return listed([*names[:most], "…"] if len(names) > most else names)


def placed(parts: Iterable[str]) -> str:
    """Return a file, a line in it and a field of that in one line."""
    return pgettext("between a file, a line and a field", ", ").join(parts)


def said_of(what: str, sentence: str) -> str:
    """Return a sentence behind what it is about."""
    return pgettext("a sentence about something", "%(what)s: %(sentence)s") % {
        "what": what,
        "sentence": sentence,
    }


def one_line(error: Exception) -> str:
    """Return what a library says of a file, as the end of a sentence.

    >>> one_line(OSError("no\\nheader"))
    'no header'
    """
    return " ".join(str(error).split())[:200]


def shown(value: str) -> str:
    """Return a value from a file, short and without characters that a terminal would act on."""
    clipped = value if len(value) <= 40 else f"{value[:39]}…"
    return "'" + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in clipped) + "'"
