"""
Which random terms a design can tell apart, from the counts of its ratings alone.

A variance component exists only if J Z Z' J, J = I - X (X'X)^-1 X' with X the indicators of the methods, is
linearly independent of the others. Their Gram matrix |Z_i' J Z_j|^2 (Frobenius) needs no more than counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stats.ratings.numbering import renumbered
from stats.scores import Floats, Ints

Term = Literal["evaluator", "prompt", "evaluator:method", "prompt:method"]
# In the order in which they are kept: the simpler term stays where two are alike.
TERMS: tuple[Term, ...] = ("evaluator", "prompt", "evaluator:method", "prompt:method")
NEGLIGIBLE = 1e-8
ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class DroppedTerm:
    """
    A term that the design cannot tell from others.

    'fixed': the methods take it up, so nothing is claimed about new ones of it. 'aliased': its variance is
    part of a kept term's (the residual's with one rating a text), which costs nothing.
    """

    term: Term
    reason: Literal["fixed", "aliased"]


def dropped_terms(
    evaluator: Ints, prompt: Ints, method: Ints, terms: tuple[Term, ...] = TERMS
) -> tuple[DroppedTerm, ...]:
    """Return which of `terms` N ratings by `evaluator`, `prompt` and `method` (N,) cannot tell apart."""
    method_ratings = np.bincount(method).astype(np.float64)  # (M,)
    methods = len(method_ratings)
    inverse = np.divide(1.0, method_ratings, out=np.zeros(methods), where=method_ratings > 0)
    levels = {
        "evaluator": renumbered(evaluator)[1],
        "prompt": renumbered(prompt)[1],
        "evaluator:method": renumbered(evaluator * methods + method)[1],
        "prompt:method": renumbered(prompt * methods + method)[1],
    }
    ratings = len(method)
    counts = {
        term: np.bincount(levels[term] * methods + method, minlength=(levels[term].max() + 1) * methods)
        .reshape(-1, methods)
        .astype(np.float64)
        for term in terms
    }
    squares = {term: counts[term].T @ counts[term] for term in terms}  # (M, M)

    # The residual comes first: Z = I.
    gram = np.zeros((len(terms) + 1, len(terms) + 1))
    gram[0, 0] = ratings - int((method_ratings > 0).sum())
    for i, one in enumerate(terms, start=1):
        gram[0, i] = gram[i, 0] = ratings - float(np.diag(squares[one]) @ inverse)
        for j, other in enumerate(terms[:i], start=1):
            together = _together(levels[one], levels[other], counts[one], counts[other], inverse)
            weighted = squares[one] * inverse
            gram[i, j] = gram[j, i] = together + float(((inverse[:, None] * weighted) * squares[other]).sum())

    kept, dropped = [0], []
    for i, term in enumerate(terms, start=1):
        own = gram[i, i]
        if own <= NEGLIGIBLE * float(counts[term].sum(axis=1) @ counts[term].sum(axis=1)):
            dropped.append(DroppedTerm(term, "fixed"))
            continue
        beside = gram[kept, i]
        explained = float(beside @ np.linalg.lstsq(gram[np.ix_(kept, kept)], beside, rcond=None)[0])
        if gram[0, 0] <= 0 or 1 - explained / own <= NEGLIGIBLE:
            dropped.append(DroppedTerm(term, "aliased"))
        else:
            kept.append(i)
    return tuple(dropped)


def _together(one: Ints, other: Ints, counts_one: Floats, counts_other: Floats, inverse: Floats) -> float:
    """Return sum N^2 - 2 sum N * (C_i D^-1 C_j'), N how often two levels meet."""
    size = len(counts_other)
    meetings, times = np.unique(one * size + other, return_counts=True)
    total = float((times.astype(np.float64) ** 2).sum())
    for start in range(0, len(meetings), ROWS_AT_ONCE):
        rows, columns = np.divmod(meetings[start : start + ROWS_AT_ONCE], size)
        expected = np.einsum("nm,m,nm->n", counts_one[rows], inverse, counts_other[columns])
        total -= 2 * float(times[start : start + ROWS_AT_ONCE] @ expected)
    return total
