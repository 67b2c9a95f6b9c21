"""
What the characters of texts tell without being read: how rare they are, which ones they are, and which stand together.

Words of alphabets count as one character. From it, an adversarial filter: human texts, and pairs, that this does not
tell from a machine's.

Reference: Gururangan et al. (2018), Annotation Artifacts in Natural Language Inference Data; Le Bras et al. (2020),
Adversarial Filters of Dataset Biases.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import scipy

from stats.scores import Floats, Ints

HAN = "㐀-鿿\U00020000-\U0003ffff"
CHARACTER = re.compile(f"[{HAN}]|[^\\W{HAN}]+")
# What stands in fewer texts tells nothing of texts that have not been seen.
FEWEST_TEXTS = 3
FOLDS = 5
PENALTY = 1.0
STEPS = 60
ROUNDS = 16
# The rarity of a text has one column against thousands, which the penalty would hold down.
RARITY_SCALE = 5.0


class Characters:
    """The characters and neighbours that stand in at least three of the texts, and how often each character does."""

    def __init__(self, texts: Sequence[str]) -> None:
        seen = Counter(one for text in texts for one in set(_counts(text)))
        self.columns = {
            one: column
            for column, one in enumerate(sorted(one for one, n in seen.items() if n >= FEWEST_TEXTS))
        }
        self.counts = Counter(one for text in texts for one in CHARACTER.findall(text))
        self.total = max(sum(self.counts.values()), 1)

    def rarity(self, text: str) -> float:
        """Return the mean of -log of the frequencies of the characters of a text; 0 of a text without any."""
        found = CHARACTER.findall(text)
        return float(
            -np.mean([np.log((self.counts[one] + 0.5) / self.total) for one in found]) if found else 0
        )

    def knows(self, text: str) -> bool:
        """Return whether every character of a text stands in at least three texts."""
        return all(one in self.columns for one in CHARACTER.findall(text))

    def features(self, texts: Sequence[str]) -> scipy.sparse.csr_array:
        """Return the counts over the root of the length, and the rarity; shape (N, characters and neighbours + 1)."""
        rows, columns, values = [], [], []
        for row, text in enumerate(texts):
            counts = _counts(text)
            size = max(len(CHARACTER.findall(text)), 1) ** 0.5
            for one, n in counts.items():
                if one in self.columns:
                    rows.append(row)
                    columns.append(self.columns[one])
                    values.append(n / size)
            rows.append(row)
            columns.append(len(self.columns))
            values.append(RARITY_SCALE * self.rarity(text))
        return scipy.sparse.csr_array((values, (rows, columns)), shape=(len(texts), len(self.columns) + 1))


def rarity_margins(humans: Sequence[str], machines: Sequence[str], seed: int = 0) -> Floats:
    """
    Return by how much the human text of each pair is of rarer characters than the machine's, (N,).

    How rare a character is, one half of the pairs learns from the other.
    """
    margins = np.zeros(len(humans))
    for asked, known in _folds(len(humans), 2, seed):
        learned = Characters([side[row] for row in known for side in (humans, machines)])
        margins[asked] = [learned.rarity(humans[row]) - learned.rarity(machines[row]) for row in asked]
    return margins


def character_margins(humans: Sequence[str], machines: Sequence[str], seed: int = 0) -> Floats:
    """
    Return how sure a logistic regression on characters and neighbours is of the human text of each pair, (N,).

    Below 0 it names the machine's. It learns from four fifths of the pairs and is asked about the fifth.
    """
    learned = Characters([*humans, *machines])
    difference = (learned.features(humans) - learned.features(machines)).tocsr()
    margins = np.zeros(len(humans))
    for asked, known in _folds(len(humans), FOLDS, seed):
        margins[asked] = difference[asked] @ logistic_weights(difference[known])
    return margins


def logistic_weights(x: scipy.sparse.csr_array | Floats) -> Floats:
    """Return the weights of a logistic regression, with a ridge of 1, that puts every row of x (N, V) above 0."""

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = x @ weights
        value = float(np.logaddexp(0, -margin).sum() + PENALTY * weights @ weights / 2)
        return value, -(x.T @ scipy.special.expit(-margin)) + PENALTY * weights

    found: Floats = scipy.optimize.minimize(
        loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": STEPS}
    ).x
    return found


def draw_alike(
    pool: Sequence[str],
    groups: Sequence[str],
    machines: Sequence[str],
    counts: dict[str, int],
    seed: int,
) -> list[int]:
    """
    Draw human texts of the pool whose characters are those of a machine's texts; return their places.

    `groups` names the group of each text of the pool, `counts` how many are drawn of each; fewer where a group has
    fewer texts without rare characters. Round by round a classifier learns to tell the draw from the machine's texts,
    and texts that it takes for human become less likely.
    """
    rng = np.random.default_rng(seed)
    learned = Characters([*pool, *machines])
    x, others = learned.features(pool), learned.features(machines)
    usable = np.array([learned.knows(text) for text in pool])
    named = np.array(groups)
    weights = np.zeros(x.shape[1])
    places: Ints = np.array([], dtype=np.int64)
    for _ in range(ROUNDS):
        liking = -(x @ weights) + rng.gumbel(size=len(pool))
        places = np.concatenate(
            [_first(np.flatnonzero(usable & (named == group)), liking, n) for group, n in counts.items()]
        )
        weights += logistic_weights(scipy.sparse.vstack([x[places], -others]).tocsr())
    return sorted(places.tolist())


def choose_alike(humans: Sequence[str], choices: Sequence[Sequence[str]], seed: int = 0) -> list[int]:
    """
    Choose for each human text one of the machine's texts for it, and return its place among its `choices`, (N,).

    Round by round a classifier learns to tell the human texts from those chosen, and texts that it takes for a
    machine's become less likely, as in `draw_alike`.
    """
    rng = np.random.default_rng(seed)
    texts = [text for own in choices for text in own]
    starts = np.cumsum([0, *map(len, choices)])
    learned = Characters([*humans, *texts])
    x, others = learned.features(humans), learned.features(texts)
    weights = np.zeros(x.shape[1])
    places: Ints = starts[:-1]
    for _ in range(ROUNDS):
        liking = others @ weights + rng.gumbel(size=len(texts))
        places = np.array(
            [start + np.argmax(liking[start:end]) for start, end in pairwise(starts)], dtype=np.int64
        )
        weights += logistic_weights((x - others[places]).tocsr())
    return [int(place) for place in places - starts[:-1]]


def hardest_pairs(humans: Sequence[str], machines: Sequence[str], count: int, seed: int = 0) -> list[int]:
    """Return the places of `count` pairs, without those of whose human text rarity and characters are surest."""
    margins = (character_margins(humans, machines, seed), rarity_margins(humans, machines, seed))
    sure = sum((one / max(float(np.std(one)), 1e-9) for one in margins), start=np.zeros(len(humans)))
    return sorted(np.argsort(sure, kind="stable")[:count].tolist())


def _first(places: Ints, liking: Floats, count: int) -> Ints:
    """Return those `count` of the places that are liked best."""
    found: Ints = places[np.argsort(-liking[places], kind="stable")[:count]]
    return found


def _counts(text: str) -> Counter[str]:
    found = CHARACTER.findall(text)
    return Counter(found) + Counter(f"{one} {other}" for one, other in pairwise(found))


def _folds(count: int, folds: int, seed: int) -> list[tuple[Ints, Ints]]:
    """Return the places that are asked about and those that are learned from, by fold."""
    order = np.random.default_rng(seed).permutation(count)
    return [
        (np.sort(order[fold::folds]), np.sort(np.delete(order, np.s_[fold::folds]))) for fold in range(folds)
    ]
