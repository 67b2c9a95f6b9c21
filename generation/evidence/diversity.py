"""How varied texts are, as characters and short sentences without their marks."""

from __future__ import annotations

import re
from collections.abc import Iterable


def short_sentences(text: str) -> list[str]:
    """Return what stands between marks and spaces, pauses (、) included."""
    return re.findall(r"\w+", text)


def characters(text: str) -> str:
    """Return a text without marks and spaces."""
    return "".join(short_sentences(text))


def distinct(texts: Iterable[str], length: int) -> float:
    """Return the share of different ones among the runs of `length` characters within short sentences, 0 if none.

    Reference: Li et al. (2016), A diversity-promoting objective function for neural conversation models, NAACL. The
    more text, the lower it is: compare texts of equal number and form.
    """
    runs = [
        sentence[place : place + length]
        for text in texts
        for sentence in short_sentences(text)
        for place in range(len(sentence) - length + 1)
    ]
    return len(set(runs)) / len(runs) if runs else 0.0


def share_copied(title: str, text: str) -> float:
    """Return the share of the title's characters that stand in the text."""
    own = characters(title)
    return sum(character in text for character in own) / len(own) if own else 0.0
