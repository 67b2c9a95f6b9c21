"""
What the form of texts alone tells: a classifier that reads nothing, against which players' answers are held.

Reference: Goyal et al. (2017), Making the V in VQA Matter; Gururangan et al. (2018), Annotation Artifacts in Natural
Language Inference Data: what a classifier gets from the surface is no understanding.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy

from stats.game.selection import wilson_interval
from stats.mixed import Interval
from stats.scores import Floats, Ints

FEWEST_PAIRS = 50
FOLDS = 5
PENALTY = 1.0
MARKS = "，。；？！、,.;?!:：'\"“”-—()"


@dataclass(frozen=True)
class Superficial:
    """In so many of `pairs` pairs the classifier found the human text, by form alone; guessing finds half."""

    right: int
    pairs: int
    ci: Interval

    @property
    def share(self) -> float:
        return self.right / self.pairs


def form_of(text: str) -> Floats:
    """Return the form of a text: lengths, lines, marks, and how often characters and their kinds come again."""
    lines = text.split("\n")
    words = re.findall(r"\w+", text)
    letters = [letter for word in words for letter in word]
    counts = Counter(letters)
    pairs = Counter(pairwise(letters))
    size = max(len(letters), 1)
    return np.array(
        [
            math.log1p(len(text)),
            len(lines),
            float(np.std([len(line) for line in lines])),
            math.log1p(len(words)),
            sum(map(len, words)) / max(len(words), 1),
            len(counts) / size,
            max(counts.values(), default=0) / size,
            sum(n > 1 for n in pairs.values()) / size,
            sum(one == other for one, other in pairwise(letters)) / size,
            sum(letter.isdigit() for letter in letters) / size,
            sum(letter.isupper() for letter in letters) / size,
            sum(letter.isascii() for letter in letters) / size,
            *(text.count(mark) / max(len(text), 1) for mark in MARKS),
        ]
    )


def superficial(humans: Sequence[str], machines: Sequence[str]) -> Superficial | None:
    """
    Return how often a logistic regression on the form names the human one of two texts, None of fewer than 50 pairs.

    It learns from differences within pairs and is asked about pairs that it has not seen, in five folds.
    """
    if len(humans) < FEWEST_PAIRS:
        return None
    x = np.array([form_of(human) - form_of(machine) for human, machine in zip(humans, machines, strict=True)])
    scale = np.sqrt(np.mean(x**2, axis=0))
    x /= np.where(scale > 0, scale, 1)
    fold = np.arange(len(x)) % FOLDS
    right = sum(_right(x, fold, held_out) for held_out in range(FOLDS))
    # Where the form of both is the same, a coin is thrown.
    count = round(right)
    return Superficial(count, len(x), wilson_interval(count, len(x)))


def _right(x: Floats, fold: Ints, held_out: int) -> float:
    known, asked = x[fold != held_out], x[fold == held_out]

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = known @ weights
        wrong = scipy.special.expit(-margin)
        value = float(np.logaddexp(0, -margin).sum() + PENALTY * weights @ weights / 2)
        return value, -(known.T @ wrong) + PENALTY * weights

    weights = scipy.optimize.minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x
    margin = asked @ weights
    return float(np.sum(margin > 0) + np.sum(margin == 0) / 2)
