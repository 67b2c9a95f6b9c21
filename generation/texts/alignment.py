"""Where the characters of a text as it is shown come from in the text as it was written, and whole characters (pure).

Offsets count code points. A character as a reader sees it, a grapheme, can have several: an accent or a vowel sign of
its own, a flag, a family of emoji. None of them is ever cut.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

import regex

from generation.texts.normalising import FOLDED

# In so many characters two texts are in step again, whatever a rule has changed.
NEAR = 32
# Marks that the rule for verse writes otherwise.
ALIKE = str.maketrans({
    **dict.fromkeys("“”„「」『』‘’'", '"'), **dict.fromkeys("—―─", "-"), **dict.fromkeys("。…⋯", "."),
    "、": ",", "\t": " ", "\r": "\n",
})  # fmt: skip
# A letter with its accents, which NFC makes one; and what the rule for verse drops.
LONGEST_COMPOSED = 4
INVISIBLE = frozenset(code for code, other in FOLDED.items() if other is None)
LINE_ENDS = regex.compile("\r\n?")


def page_text(shown: str) -> str:
    """Return a shown text as a browser has it on its page: any line end is one line feed."""
    return LINE_ENDS.sub("\n", shown) if "\r" in shown else shown


@dataclass(frozen=True)
class Alignment:
    """Where each shown character begins and ends in the text as it was written; both never go back."""

    begins: Sequence[int]
    ends: Sequence[int]
    written: int

    def to_written(self, start: int, end: int) -> tuple[int, int]:
        """Return the part of the written text that a part of the shown one stands for; a place stays one.

        >>> aligned("a—b", "a -- b").to_written(1, 2)
        (1, 5)
        """
        if start == end:
            at = self.begins[start] if start < len(self.begins) else self.written
            return at, at
        return self.begins[start], max(self.ends[end - 1], self.begins[start])

    def to_shown(self, start: int, end: int) -> tuple[int, int]:
        """Return the part of the shown text that stands for a part of the written one.

        >>> aligned("a—b", "a -- b").to_shown(2, 3)
        (1, 2)
        """
        if start == end:
            at = bisect_left(self.begins, start)
            return at, at
        first = bisect_right(self.ends, start)
        return first, max(bisect_left(self.begins, end), first)


def aligned(shown: str, written: str) -> Alignment:
    """Return how a shown text goes with the written one.

    What a rule of `generation.texts.normalising` changes are single marks, blanks and line ends, so the two are read
    side by side; where they differ, what both have next puts them in step again.
    """
    if shown == written:
        return Alignment(range(len(shown)), range(1, len(shown) + 1), len(written))
    one, other = _alike(shown), _alike(written)
    begins, ends = [], []
    at = place = 0
    while place < len(one):
        if at < len(other) and one[place] == other[at]:
            begins.append(at)
            ends.append(at := at + 1)
            place += 1
            continue
        added, gone = _step(one, other, place, at)
        for _ in range(added):
            begins.append(at)
            # A line end that the rule put in stands for nothing that was written.
            ends.append(at + gone)
        place, at = place + added, at + gone
    return Alignment(begins, ends, len(written))


def _step(one: str, other: str, place: int, at: int) -> tuple[int, int]:
    """Return how many characters to pass over in each of two texts until they are alike again."""
    left, right = len(one) - place, len(other) - at
    if right and ord(other[at]) in INVISIBLE:
        return 0, 1
    for gone in range(2, min(LONGEST_COMPOSED, right) + 1):
        if left and unicodedata.normalize("NFC", other[at : at + gone]) == one[place]:
            return 1, gone
    # The longest part that both have next decides, so that marks close together are not taken for one.
    near = SequenceMatcher(None, one[place : place + NEAR], other[at : at + NEAR], autojunk=False)
    block = near.get_matching_blocks()[0]
    return (block.a, block.b) if block.size else (min(NEAR, left), min(NEAR, right))


def _alike(text: str) -> str:
    """Return a text of the same length in which what a rule writes otherwise is one character."""
    folded = text.translate(ALIKE)
    if folded.isascii():
        return folded
    return "".join(
        other if len(other := unicodedata.normalize("NFKC", one)) == 1 else one for one in folded
    ).translate(ALIKE)


@lru_cache(maxsize=256)
def grapheme_starts(text: str) -> tuple[int, ...]:
    """Return where the characters of a text as readers see them begin, and last where it ends."""
    return (*(found.start() for found in regex.finditer(r"\X", text)), len(text))


def whole_graphemes(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a part of a text made wide enough to cut no character; a place goes before the character that it is in.

    >>> whole_graphemes("e\\u0301t", 1, 2)
    (0, 2)
    """
    starts = grapheme_starts(text)
    first = starts[max(bisect_right(starts, start) - 1, 0)]
    if start == end:
        return first, first
    return first, starts[bisect_left(starts, end)]
