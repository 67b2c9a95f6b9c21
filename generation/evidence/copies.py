"""How much of a text stands in a corpus word for word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from generation.evidence.diversity import characters, short_sentences

Codes = NDArray[np.uint64]

# Odd and large: products wrap round at 2^64, which is as good a hash of a run as any.
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
BETWEEN = "\n"


class Corpus:
    """Texts to look for copies in: their short sentences, and all characters one after the other."""

    def __init__(self, texts: Iterable[str]) -> None:
        texts = list(texts)
        self.short_sentences = {sentence for text in texts for sentence in short_sentences(text)}
        self.codes = codes(BETWEEN.join(characters(text) for text in texts))

    def share_of_sentences(self, text: str) -> float:
        """Return the share of a text's short sentences that stand in the corpus as short sentences, 0 if none."""
        sentences = short_sentences(text)
        return (
            sum(sentence in self.short_sentences for sentence in sentences) / len(sentences)
            if sentences
            else 0.0
        )

    def longest_runs(self, texts: Sequence[str]) -> list[int]:
        """Return for each text the length of the longest run of characters that one text of the corpus has as well.

        Marks are passed over, so a run may go on from one short sentence to the next. Each length is one pass over
        the corpus; runs are compared by 64-bit hashes.
        """
        of_texts = [codes(characters(text)) for text in texts]
        hashes, in_corpus = [np.zeros_like(text) for text in of_texts], np.zeros_like(self.codes)
        longest, length = [0] * len(texts), 1
        while alive := [
            place for place, text in enumerate(of_texts) if longest[place] == length - 1 < len(text)
        ]:
            in_corpus = longer(in_corpus, self.codes, length)
            for place in alive:
                hashes[place] = longer(hashes[place], of_texts[place], length)
            found = found_in(np.concatenate([hashes[place] for place in alive]), in_corpus)
            ends = np.cumsum([len(hashes[place]) for place in alive])[:-1]
            for place, runs in zip(alive, np.split(found, ends), strict=True):
                longest[place] += bool(runs.any())
            length += 1
        return longest


def codes(text: str) -> Codes:
    """Return the code points of a text."""
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)


def longer(hashes: Codes, text: Codes, length: int) -> Codes:
    """Return the hashes of all runs of `length` in `text` (characters,) from those of one character less."""
    return hashes[: len(text) - length + 1] * MULTIPLIER + text[length - 1 :]


def found_in(wanted: Codes, hashes: Codes) -> NDArray[np.bool_]:
    """Return which of the `wanted` are among `hashes`, of which there are many more."""
    few = np.unique(wanted)
    place = np.minimum(np.searchsorted(few, hashes), len(few) - 1)
    seen = np.zeros(len(few), dtype=bool)
    seen[place[few[place] == hashes]] = True
    return seen[np.searchsorted(few, wanted)]
