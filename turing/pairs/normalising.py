"""Normalising the two texts of a pair, so that form does not give the side away (pure).

Script, marks and lines are the same on both sides: simplified characters, normalised as all texts are
(`generation.texts.normalising`), and in verse whose short sentences are all of one length a comma and a full stop by
turns, since the marks are an editor's choice.
"""

from __future__ import annotations

import re

from generation.texts.characters import simplified
from generation.texts.normalising import is_chinese, normalise_text

SHORT_SENTENCE = re.compile("([^，。；？！、\n“”‘’《》]+)[，。；？！、“”‘’《》\n]*")

SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*[”’\"']*")


def normalised(text: str, genre: str) -> str:
    """Return a text as the game shows it; what is normalised already stays as it is."""
    if not is_chinese(text):
        return normalise_text(text, genre)
    text = normalise_text(simplified(text), genre)
    return _with_even_marks(text) if genre == "poem" else text


def shape(text: str) -> tuple[tuple[int, ...], ...]:
    """Return the lengths of the short sentences of each line of a normalised text."""
    return tuple(tuple(map(len, SHORT_SENTENCE.findall(line))) for line in text.split("\n"))


def sentences(text: str, genre: str) -> list[str]:
    """Return the sentences that a boundary may lie between, with their marks: short sentences in verse.

    >>> sentences("山中一夜雨，树杪百重泉。\\n江上数峰青，人归落雁前。", "poem")[2]
    '江上数峰青，'
    >>> sentences("It is so. Is it? Yes!", "qa")
    ['It is so.', 'Is it?', 'Yes!']
    """
    shown = normalised(text, genre)
    if genre == "poem":
        return [found[0].strip() for found in SHORT_SENTENCE.finditer(shown)]
    return [part.strip() for part in SENTENCE.findall(shown) if part.strip()]


def _with_even_marks(text: str) -> str:
    sentences = SHORT_SENTENCE.findall(text)
    if len({len(sentence) for sentence in sentences}) != 1 or len(sentences) % 2:
        return text
    couplets = zip(sentences[::2], sentences[1::2], strict=True)
    return "\n".join(f"{first}，{second}。" for first, second in couplets)
