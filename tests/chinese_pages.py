"""Finding English on Chinese pages."""

from __future__ import annotations

import re
from html.parser import HTMLParser

# Names of things and what is typed are no sentences: a sentence has three words in a row.
ENGLISH = re.compile(r"[A-Za-z][A-Za-z'’]+(?:[ ,;:]+[A-Za-z'’]+){2,}")
VOID = frozenset({"br", "col", "hr", "img", "input", "link", "meta", "wbr"})
SILENT = frozenset({"script", "style", "code", "kbd", "textarea"})
SAID = ("alt", "aria-label", "placeholder", "title")


class _Words(HTMLParser):
    """Collects what a reader of a Chinese page is told, without texts that say that they are in another language."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        others = tag != "html" and "lang" in found
        is_left_out = tag in SILENT or others or found.get("translate") == "no"
        if not (is_left_out or self.is_left_out()):
            self.said += [
                value for name, value in attrs if value and (name in SAID or name.startswith("data-"))
            ]
        if tag not in VOID:
            self.open.append((tag, is_left_out))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self.is_left_out():
            self.said.append(" ".join(data.split()))

    def is_left_out(self) -> bool:
        return any(left_out for _, left_out in self.open)


def english_on(page: str) -> list[str]:
    """Return the English sentences that a reader of a Chinese page is told."""
    words = _Words()
    words.feed(page)
    return [said for said in words.said if ENGLISH.search(said)]
