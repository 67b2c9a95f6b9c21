"""What is wrong with a file that somebody wants to import: all of it, each with its place (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field

from generation.refusals import Refused

SHOWN_AT_MOST = 100


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong: the line it is on (0: the file as a whole), the field or path to it, and what to know."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        place = [f"line {self.line}"] * (self.line > 0) + [self.field] * bool(self.field)
        return f"{', '.join(place)}: {self.message}" if place else self.message


@dataclass
class Problems:
    """The problems of one file, in the order in which they were found."""

    file: str
    found: list[Problem] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.found)

    def add(self, line: int, field: str, message: str) -> None:
        self.found.append(Problem(line, field, message))

    def listed(self) -> list[str]:
        """Return a sentence for each problem, by line."""
        by_line = sorted(self.found, key=lambda problem: problem.line)
        return [
            f"{self.file}{': ' if problem.line == 0 and not problem.field else ', '}{problem}"
            for problem in by_line
        ]


class FileRefused(Refused):
    """A file, or two that belong together, of which nothing may be imported."""

    def __init__(self, *problems: Problems) -> None:
        self.found = [problem for file in problems for problem in file.found]
        self.lines = [line for file in problems for line in file.listed()]
        self.problems = self.lines[:SHOWN_AT_MOST]
        super().__init__(*self.lines)

    def __str__(self) -> str:
        left = len(self.lines) - SHOWN_AT_MOST
        rest = [f"... and {left:,} more problem{'s' * (left > 1)}"] if left > 0 else []
        return "\n".join([*self.problems, *rest])


def shown(value: str) -> str:
    """Return a value from a file, short and without characters that a terminal would act on."""
    clipped = value if len(value) <= 40 else f"{value[:39]}…"
    return "'" + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in clipped) + "'"
