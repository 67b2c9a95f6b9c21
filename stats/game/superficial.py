"""
What the surface of texts alone tells: classifiers that read nothing, against which players' answers are held.

Of the form (lengths, lines, marks, repetition), of the rarity of the characters, and of the characters themselves.

Reference: Goyal et al. (2017), Making the V in VQA Matter; Gururangan et al. (2018), Annotation Artifacts in Natural
Language Inference Data: what a classifier gets from the surface is no understanding.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stats.game.characters import character_margins, logistic_weights, rarity_margins
from stats.game.selection import wilson_interval
from stats.mixed import Interval
from stats.scores import Floats

FEWEST_PAIRS = 50
FOLDS = 5
MARKS = "，。；？！、,.;?!:：'\"“”-—()"


@dataclass(frozen=True)
class Superficial:
    """
    Of `pairs` things that were asked about a classifier named so many rightly, by `by` alone.

    These are pairs, or texts of which each is asked about by itself, or boundaries; `guessing` is how often a guess is
    right.
    """

    by: str
    right: int
    pairs: int
    ci: Interval
    guessing: float = 0.5

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
    Return how often the best of three classifiers names the human one of two texts, None of fewer than 50 pairs.

    By form, rarity or characters (`MARGINS`); each is asked about pairs that it has not seen. That it is the best of
    three flatters it a little: the margin of an honest comparison is on the side of the players.
    """
    if len(humans) < FEWEST_PAIRS:
        return None
    return max(
        (_counted(by, margins(humans, machines)) for by, margins in MARGINS.items()),
        key=lambda found: found.right,
    )


def form_margins(humans: Sequence[str], machines: Sequence[str]) -> Floats:
    """Return how sure a logistic regression on the form is of the human text of each pair, (N,), in five folds."""
    x = np.array([form_of(human) - form_of(machine) for human, machine in zip(humans, machines, strict=True)])
    scale = np.sqrt(np.mean(x**2, axis=0))
    x /= np.where(scale > 0, scale, 1)
    fold = np.arange(len(x)) % FOLDS
    margins = np.zeros(len(x))
    for held_out in range(FOLDS):
        margins[fold == held_out] = x[fold == held_out] @ logistic_weights(x[fold != held_out])
    return margins


def _counted(by: str, margins: Floats) -> Superficial:
    # Where the surface of both is the same, a coin is thrown.
    return counted(by, float(np.sum(margins > 0) + np.sum(margins == 0) / 2), len(margins))


def counted(by: str, right: float, total: int, guessing: float = 0.5) -> Superficial:
    """Return what a classifier reached, with Wilson's interval."""
    whole = round(right)
    return Superficial(by, whole, total, wilson_interval(whole, total), guessing)


MARGINS: dict[str, Callable[[Sequence[str], Sequence[str]], Floats]] = {
    "form": form_margins,
    "rarity": rarity_margins,
    "characters": character_margins,
}
