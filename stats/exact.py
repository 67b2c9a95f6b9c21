"""Exact tests of paired differences in whole numbers, by counting every assignment of signs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import scipy

from stats.scores import Floats, Ints

# Counting takes N x the largest sum steps; beyond this, about half a second, flips are drawn.
MOST_STEPS = 200_000_000
FLIPS_DRAWN = 20_000
FLIPS_AT_ONCE = 500
LARGEST_MULTIPLE = 100_000
MOST_PAIRED = 1_000


@dataclass(frozen=True)
class ExactTest:
    """
    A statistic with its exact p-values; 'greater' speaks for differences above zero.

    `is_exact` is False where the flips were too many to count and 20,000 of them were drawn. `estimate` is the
    difference that was tested: the mean of what was flipped, or the median of the means of its pairs (Wilcoxon).
    """

    statistic: float
    p: float
    p_greater: float
    p_less: float
    is_exact: bool = True
    estimate: float | None = None


def whole_numbers(values: Floats) -> Ints | None:
    """Return the values as integers, decimals times the least power of ten that makes them whole, or None."""
    for scale in (1, 10, 100, 1_000, 10_000):
        scaled = values * scale
        rounded = np.rint(scaled)
        if np.abs(scaled - rounded).max(initial=0.0) <= 1e-6:
            return rounded.astype(np.int64)
    return None


def sign_flip_of_means(sums: Floats, counts: Floats) -> ExactTest:
    """Flip the means `sums` / `counts` (N,), so that nobody weighs more for having more; 0 / 0 is left out."""
    sums, counts = sums[counts > 0], counts[counts > 0]
    multiple = math.lcm(*counts.astype(int).tolist()) if counts.size else 1
    # Whole numbers as far as that goes: means times a common multiple of their counts.
    whole = whole_numbers(sums * (multiple / counts)) if multiple <= LARGEST_MULTIPLE else None
    means = sums / counts
    test = _drawn_flips(means) if whole is None else sign_flip(whole)
    return replace(test, statistic=float(means.sum()), estimate=float(means.mean()) if means.size else None)


def wilcoxon_of_means(sums: Floats, counts: Floats) -> ExactTest:
    """Take the signed ranks of the means `sums` / `counts` (N,); means that differ by rounding alone are tied."""
    means = np.round(sums[counts > 0] / counts[counts > 0], 9)
    _, rank = np.unique(np.abs(means), return_inverse=True)
    ranks: Ints = (np.sign(means) * (rank + 1)).astype(np.int64)
    return replace(wilcoxon_signed_rank(ranks), estimate=hodges_lehmann(means))


def hodges_lehmann(values: Floats) -> float | None:
    """Return the median of the means of all pairs of values, each with itself as well (Hodges and Lehmann 1963)."""
    if not values.size:
        return None
    # Of many values a thousand quantiles stand for all of them.
    if values.size > MOST_PAIRED:
        values = np.quantile(values, np.linspace(0, 1, MOST_PAIRED))
    one, other = np.triu_indices(values.size)
    return float(np.median((values[one] + values[other]) / 2))


def _drawn_flips(differences: Floats) -> ExactTest:
    """Draw flips, always the same ones; p-values count the observed one (Phipson and Smyth 2010)."""
    t = float(differences.sum())
    # Sizes in order: flips of them are flips of the differences, whatever order these come in.
    sizes = np.sort(np.abs(differences))
    rng = np.random.default_rng(FLIPS_DRAWN)
    at_least, at_most, as_far = 1, 1, 1
    slack = 1e-9 * float(sizes.sum())
    for _ in range(FLIPS_DRAWN // FLIPS_AT_ONCE):
        signs = 2.0 * rng.integers(0, 2, size=(FLIPS_AT_ONCE, len(sizes)), dtype=np.int8) - 1
        sums = signs @ sizes
        at_least += int((sums >= t - slack).sum())
        at_most += int((sums <= t + slack).sum())
        as_far += int((np.abs(sums) >= abs(t) - slack).sum())
    total = FLIPS_DRAWN + 1
    return ExactTest(t, as_far / total, at_least / total, at_most / total, is_exact=False)


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
    if len(sizes) * most > MOST_STEPS:
        return _drawn_flips(differences.astype(np.float64))
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
