"""Exact tests of paired differences in whole numbers, by counting every assignment of signs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from stats.scores import Floats, Ints


@dataclass(frozen=True)
class ExactTest:
    """A statistic with its exact p-values; 'greater' speaks for differences above zero."""

    statistic: float
    p: float
    p_greater: float
    p_less: float


def whole_numbers(values: Floats) -> Ints | None:
    """Return the values as integers, or None where one of them is not whole."""
    rounded = np.rint(values)
    if np.abs(values - rounded).max(initial=0.0) > 1e-6:
        return None
    return rounded.astype(np.int64)


def sign_flip(differences: Ints) -> ExactTest:
    """
    Test that whole-number `differences` (N,) are symmetric about zero, by all 2^N flips of their signs.

    The statistic is the sum T; the two-sided p-value is P(|T| >= |t|). The sums of the subsets are
    counted, not the flips, so the time grows with N x sum|d|. Conditional on what is flipped: flips of
    evaluators say nothing about new prompts, nor the reverse. Reference: Fisher (1935), The Design of
    Experiments, section 21; Pagano and Tritchler (1983), JASA 78, 435-440.
    """
    sizes = np.abs(differences[differences != 0])
    total, t = int(sizes.sum()), int(differences.sum())
    if not total:
        return ExactTest(0.0, 1.0, 1.0, 1.0)
    step = int(np.gcd.reduce(sizes))
    sizes, total, distance = sizes // step, total // step, abs(t) // step
    # P(T >= |t|) = P(the flipped-away subset sums to at most (total - |t|) / 2).
    most = (total - distance) // 2
    counts = _subset_sums(sizes, most)
    extreme = float(counts.sum())
    rest = 1.0 - float(counts[:most].sum())  # P(T <= |t|)
    p_greater, p_less = (extreme, rest) if t >= 0 else (rest, extreme)
    return ExactTest(float(t), min(2 * extreme, 1.0), p_greater, p_less)


def wilcoxon_signed_rank(differences: Ints) -> ExactTest:
    """
    Test whole-number `differences` (N,) by the signed-rank sum W+ with its exact conditional distribution.

    Zeros are dropped, ties have mid-ranks, and the distribution is the one given these ranks (Pratt and
    Gibbons 1981, Concepts of Nonparametric Theory, section 3.6), unlike the tie-free table that
    `scipy.stats.wilcoxon` uses in its exact mode.
    """
    nonzero = differences[differences != 0]
    ranks = np.rint(2 * scipy.stats.rankdata(np.abs(nonzero))).astype(np.int64)
    test = sign_flip(np.sign(nonzero) * ranks)
    w_plus = float(ranks[nonzero > 0].sum()) / 2
    return ExactTest(w_plus, test.p, test.p_greater, test.p_less)


def _subset_sums(sizes: Ints, most: int) -> Floats:
    """Return the share of all subsets of `sizes` that sum to 0, 1, ..., `most`."""
    shares = np.zeros(most + 1)
    shares[0] = 1.0
    reached = 0
    for size in np.sort(sizes):
        reached = min(reached + int(size), most)
        within = shares[: reached + 1]
        within *= 0.5
        if size <= reached:
            within[size:] += within[: reached + 1 - size]
    return shares
