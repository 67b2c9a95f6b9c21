"""How the data sheet is laid out: questions with their answers, in sections."""

from __future__ import annotations

from dataclasses import dataclass

BLANK = "**To fill in:**"


@dataclass(frozen=True)
class Item:
    """A question by its number and our short name, and the answer; what is `missing` stands as a blank after it."""

    number: str
    name: str
    known: str = ""
    missing: str = ""

    def markdown(self) -> str:
        blank = f"{BLANK} {self.missing}" if self.missing else ""
        return f"**{self.number} {self.name}**\n\n" + "\n\n".join(filter(None, (self.known, blank)))


@dataclass(frozen=True)
class Part:
    """A section of the sheet."""

    title: str
    items: tuple[Item, ...]

    def markdown(self) -> str:
        return "\n\n".join((f"## {self.title}", *(item.markdown() for item in self.items)))
