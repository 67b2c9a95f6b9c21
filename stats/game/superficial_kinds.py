"""
What the surface of texts tells where a player sees one of them, or looks for the sentence where a machine takes over.

By the form, the rarity of the characters and the characters themselves, as `stats.game.superficial` does for pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import scipy

from stats.game.boundary import chance_exact
from stats.game.characters import Characters, logistic_weights
from stats.game.superficial import FEWEST_PAIRS, FOLDS, Superficial, counted, form_of
from stats.scores import Bools, Floats, Ints

Features = Callable[[Sequence[str]], scipy.sparse.csr_array]


def superficial_of_one(humans: Sequence[str], machines: Sequence[str]) -> Superficial | None:
    """
    Return how often the best of three classifiers says of one text whether a human wrote it.

    None of fewer than 50 pairs. Each text of a pair is asked about by itself, by what was learned from other pairs.
    """
    if len(humans) < FEWEST_PAIRS:
        return None
    texts = [*humans, *machines]
    sign = np.repeat([1.0, -1.0], len(humans))
    fold = np.tile(np.arange(len(humans)) % FOLDS, 2)
    found = []
    for by, features in FEATURES.items():
        ones = scipy.sparse.csr_array(np.ones((len(texts), 1)))
        x = scipy.sparse.csr_array(scipy.sparse.hstack([features(texts), ones]))
        signed = (scipy.sparse.diags_array(sign) @ x).tocsr()
        margins = np.zeros(len(texts))
        for held_out in range(FOLDS):
            margins[fold == held_out] = signed[fold == held_out] @ logistic_weights(signed[fold != held_out])
        found.append(counted(by, float(np.sum(margins > 0) + np.sum(margins == 0) / 2), len(texts)))
    return max(found, key=lambda one: one.right)


def superficial_of_boundaries(texts: Sequence[Sequence[str]], takeovers: Sequence[int]) -> Superficial | None:
    """
    Return how often the best of three classifiers finds the first sentence of the machine; None of fewer than 50 texts.

    `texts` are the sentences of each, `takeovers` the numbers of those sentences, from 2. A classifier compares what
    stands before each place with what stands from there on, and names one place; it learns from other texts.
    """
    if len(texts) < FEWEST_PAIRS:
        return None
    places = [(row, place) for row, whole in enumerate(texts) for place in range(2, len(whole) + 1)]
    row = np.array([one for one, _place in places])
    place = np.array([one for _row, one in places])
    is_true = place == np.asarray(takeovers)[row]
    before = ["\n".join(texts[of][: at - 1]) for of, at in places]
    after = ["\n".join(texts[of][at - 1 :]) for of, at in places]
    # Each other place beside the true one of its text.
    true_of = np.zeros(len(texts), dtype=np.int64)
    true_of[row[is_true]] = np.flatnonzero(is_true)
    others = np.flatnonzero(~is_true)
    fold = row % FOLDS
    found = []
    for by, features in FEATURES.items():
        both = features([*before, *after])
        x = (both[len(places) :] - both[: len(places)]).tocsr()
        scores = np.zeros(len(places))
        for held_out in range(FOLDS):
            known = others[fold[others] != held_out]
            weights = logistic_weights((x[true_of[row[known]]] - x[known]).tocsr())
            scores[fold == held_out] = x[fold == held_out] @ weights
        found.append(counted(by, _named_rightly(scores, row, is_true, len(texts)), len(texts), guess(texts)))
    return max(found, key=lambda one: one.right)


def guess(texts: Sequence[Sequence[str]]) -> float:
    """Return how often a guess at the sentence is right, over all texts; one of a single sentence has none to guess."""
    return float(np.mean([chance_exact(len(whole)) for whole in texts if len(whole) > 1]))


def _named_rightly(scores: Floats, row: Ints, is_true: Bools, texts: int) -> float:
    """Return in how many texts the true place has the highest score; of places alike one is drawn."""
    highest = np.full(texts, -np.inf)
    np.maximum.at(highest, row, scores)
    is_highest = scores >= highest[row]
    alike = np.bincount(row, is_highest, texts)
    return float(np.sum((is_highest & is_true) / alike[row]))


def _standardised(x: Floats) -> scipy.sparse.csr_array:
    spread = x.std(axis=0)
    return scipy.sparse.csr_array((x - x.mean(axis=0)) / np.where(spread > 0, spread, 1))


def _form(texts: Sequence[str]) -> scipy.sparse.csr_array:
    return _standardised(np.array([form_of(text) for text in texts]))


def _rarity(texts: Sequence[str]) -> scipy.sparse.csr_array:
    learned = Characters(texts)
    return _standardised(np.array([[learned.rarity(text)] for text in texts]))


def _characters(texts: Sequence[str]) -> scipy.sparse.csr_array:
    return Characters(texts).features(texts)


FEATURES: dict[str, Features] = {"form": _form, "rarity": _rarity, "characters": _characters}
