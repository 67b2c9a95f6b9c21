"""
How few judgements hold a first place up, and whether preferences run in a circle.

Reference: Broderick, Giordano and Meager (2020), An automatic finite-sample robustness metric, arXiv 2011.14999; used
on rankings by pairs in arXiv 2508.11847: two of 57,477 votes unseat the first of a public ranking.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy

from stats.cluster import two_way_meat
from stats.comparisons.davidson import Davidson, davidson, probabilities, scores_of
from stats.scores import Floats

# A first place that so small a share of the judgements holds up is called fragile.
FRAGILE = 0.01


@dataclass(frozen=True)
class Flip:
    """The first place goes from `first` to `second` without `judgements` of `all_judgements`."""

    first: str
    second: str
    judgements: int
    all_judgements: int

    @property
    def share(self) -> float:
        return self.judgements / self.all_judgements

    @property
    def is_fragile(self) -> bool:
        return self.share < FRAGILE


# Closer than this two strengths differ by how far they were fitted alone.
EQUAL_STRENGTHS = 1e-6


@dataclass(frozen=True)
class Circle:
    """Three methods of which each is preferred to the next; `p` tests it beside strengths, corrected for all triads."""

    methods: tuple[str, str, str]
    p: float | None


def fewest_to_flip(fit: Davidson) -> Flip | None:
    """
    Return how few judgements the first place hangs on, found by their influence and checked by fitting anew.

    The influence of a judgement on the difference of two strengths is c' I^-1 score / (1 - leverage). Judgements are
    dropped in its order; a smaller set than the one returned may exist. None where no set was found, and where the best
    are equal, of which none has the first place.
    """
    pairs = fit.pairs
    order = np.argsort(-fit.strengths, kind="stable")
    first = int(order[0])
    if fit.strengths[first] - fit.strengths[order[1]] < EQUAL_STRENGTHS:
        return None
    has_ties = fit.nu > 0
    parameters = np.concatenate([fit.strengths, fit.gamma, [np.log(fit.nu)] if has_ties else []])
    moved = scores_of(pairs, parameters, has_ties) @ fit.inverse_information
    kept = 1 - np.minimum(_leverages(fit, parameters), 0.9)
    found: list[tuple[int, int]] = []
    influences: dict[int, Floats] = {}
    for second in order[1:].tolist():
        influences[second] = (moved[:, first] - moved[:, second]) / kept
        falls = np.cumsum(-np.sort(-influences[second]))
        lead = float(fit.strengths[first] - fit.strengths[second])
        found.append((int(np.searchsorted(falls[: int(falls.argmax()) + 1], lead)), second))
    # Where no influences add up to the lead, they say all the same who comes nearest.
    dropped_first = np.argsort(-influences[min(found, key=lambda one: one[0])[1]], kind="stable")

    def leader_without(number: int) -> int:
        stays = np.ones(len(pairs), dtype=np.bool_)
        stays[dropped_first[:number]] = False
        again = davidson(pairs.rows(stays), robust=False)
        return first if again is None else int(np.argmax(again.strengths))

    stays_with, falls_with = 0, int((influences[min(found, key=lambda one: one[0])[1]] > 0).sum())
    leader = leader_without(falls_with)
    if leader == first:
        return None
    while falls_with - stays_with > 1:
        middle = (stays_with + falls_with) // 2
        without = leader_without(middle)
        if without == first:
            stays_with = middle
        else:
            falls_with, leader = middle, without
    return Flip(pairs.methods[first], pairs.methods[leader], falls_with, len(pairs))


def _leverages(fit: Davidson, parameters: Floats) -> Floats:
    """Return how far each comparison decides its own fit (N,), by the part of eta."""
    pairs, size = fit.pairs, len(fit.strengths)
    eta = parameters[pairs.a] - parameters[pairs.b] + pairs.covariates @ fit.gamma
    win, _tie, loss = probabilities(eta, fit.nu)
    spread = ((win + loss) - (win - loss) ** 2) / 4
    inverse = fit.inverse_information[: size + len(pairs.names), : size + len(pairs.names)]
    rows = np.zeros((len(pairs), size + len(pairs.names)))
    at = np.arange(len(pairs))
    rows[at, pairs.a] = 1.0
    rows[at, pairs.b] -= 1.0
    rows[:, size:] = pairs.covariates
    leverages: Floats = spread * np.einsum("nk,nk->n", rows @ inverse, rows)
    return leverages


def circles(fit: Davidson) -> tuple[Circle, ...]:
    """
    Return the triads of methods whose majorities run in a circle, the clearest first.

    Each is tested by the score test of an effect of the circle beside all strengths, with errors robust to evaluators
    and prompts, t with min(clusters) - 1 degrees of freedom, times the number of all triads (Bonferroni).
    """
    pairs, size = fit.pairs, len(fit.strengths)
    chances = probabilities(
        fit.strengths[pairs.a] - fit.strengths[pairs.b] + pairs.covariates @ fit.gamma, fit.nu
    )
    balance = np.zeros((size, size))
    np.add.at(balance, (pairs.a, pairs.b), pairs.outcome)
    np.add.at(balance, (pairs.b, pairs.a), -pairs.outcome)
    has_ties = fit.nu > 0
    parameters = np.concatenate([fit.strengths, fit.gamma, [np.log(fit.nu)] if has_ties else []])
    scores = scores_of(pairs, parameters, has_ties)
    clusters = min(len(np.unique(pairs.evaluator)), len(np.unique(pairs.prompt)))
    triads = size * (size - 1) * (size - 2) // 6
    found = []
    for i, j, k in combinations(range(size), 3):
        if balance[i, j] > 0 and balance[j, k] > 0 and balance[k, i] > 0:
            ring = (i, j, k)
        elif balance[i, j] < 0 and balance[j, k] < 0 and balance[k, i] < 0:
            ring = (i, k, j)
        else:
            continue
        p = None if clusters < 2 else _circle_p(fit, chances, scores, ring, clusters - 1)
        names = tuple(pairs.methods[place] for place in ring)
        found.append(Circle((names[0], names[1], names[2]), None if p is None else min(1.0, p * triads)))
    return tuple(sorted(found, key=lambda one: 1.0 if one.p is None else one.p))


def _circle_p(
    fit: Davidson, chances: tuple[Floats, Floats, Floats], scores: Floats, ring: tuple[int, int, int], df: int
) -> float | None:
    pairs = fit.pairs
    effect = np.zeros(len(pairs))
    for one, other in ((ring[0], ring[1]), (ring[1], ring[2]), (ring[2], ring[0])):
        effect += ((pairs.a == one) & (pairs.b == other)).astype(np.float64)
        effect -= (pairs.a == other) & (pairs.b == one)
    win, tie, loss = chances
    spread = ((win + loss) - (win - loss) ** 2) / 4
    size = len(fit.strengths)
    # The information that the effect shares with the other parameters is taken out of its score.
    shared = np.zeros(scores.shape[1])
    shared[:size] = np.bincount(pairs.a, spread * effect, size) - np.bincount(pairs.b, spread * effect, size)
    shared[size : size + len(pairs.names)] = pairs.covariates.T @ (spread * effect)
    if fit.nu > 0:
        shared[-1] = (-tie * (win - loss) / 2) @ effect
    own = effect * (pairs.outcome - (win - loss)) / 2 - scores @ (fit.inverse_information @ shared)
    # About their mean, so that a circle that is there does not hide itself in its own error.
    spread_of = (own - own.mean())[:, np.newaxis]
    variance = float(two_way_meat(spread_of, pairs.evaluator, pairs.prompt)[0, 0])
    if variance <= 0:
        return None
    t = float(own.sum()) / np.sqrt(variance)
    return float(2 * scipy.special.stdtr(df, -abs(t)))
