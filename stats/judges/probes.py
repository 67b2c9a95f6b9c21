"""Biases of a judge: the order of texts, their length, its own family, chance between repeats, points never given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy

from stats.cluster import cluster_meat
from stats.judges.scores import JudgeScores
from stats.mixed import Interval, t_interval
from stats.scores import Bools, Criterion, Floats, Ints

# Of a standard deviation of scores a doubling of the length, or the own family; below it a bias is none to speak of.
NEGLIGIBLE = 0.1
FEWEST = 10
Why = Literal[
    "", "unknown positions", "one repeat", "unknown family", "too few", "no spread", "not on the scale"
]


@dataclass(frozen=True)
class Probe:
    """
    What one probe found: its measure, an interval or p-value where it has one, of how many texts, whether it failed.

    `failed` is None where the probe says nothing about trust, or is not possible for the reason `why`.
    """

    name: Literal[
        "order", "length", "own family", "repeats", "share of the scale", "empty text", "single point"
    ]
    value: float | None
    n: int
    ci: Interval | None = None
    p: float | None = None
    failed: bool | None = None
    why: Why = ""


def order_probe(scores: JudgeScores) -> Probe:
    """
    Say how often a text gets the same score wherever it stands, and test whether earlier places gain (exact McNemar).

    Of every text that was shown at two places or more, the scores at its first and last place are compared.
    """
    known = scores.position >= 0
    if not known.any():
        return Probe("order", None, 0, why="unknown positions")
    text = (scores.prompt * scores.methods + scores.method)[known]
    place, score = scores.position[known], scores.score[known]
    order = np.lexsort((place, text))
    text, place, score = text[order], place[order], score[order]
    first = np.flatnonzero(np.diff(text, prepend=-1))
    last = np.append(first[1:], len(text)) - 1
    moved = place[first] != place[last]
    earlier, later = score[first[moved]], score[last[moved]]
    if len(earlier) < FEWEST:
        return Probe("order", None, len(earlier), why="too few")
    up, down = int((earlier > later).sum()), int((earlier < later).sum())
    p = scipy.stats.binomtest(up, up + down).pvalue if up + down else 1.0
    return Probe("order", float((earlier == later).mean()), len(earlier), p=float(p), failed=bool(p < 0.05))


def repeats_probe(scores: JudgeScores) -> Probe:
    """Return the standard deviation between repeats of the same text at the same place."""
    key = (scores.prompt * scores.methods + scores.method) * 1_000 + scores.position + 1
    _, cell, counts = np.unique(key, return_inverse=True, return_counts=True)
    again = counts[cell] > 1
    if not again.any():
        return Probe("repeats", None, 0, why="one repeat")
    _, cell, counts = np.unique(key[again], return_inverse=True, return_counts=True)
    left = scores.score[again] - (np.bincount(cell, scores.score[again]) / counts)[cell]
    return Probe("repeats", math.sqrt(float(left @ left) / float((counts - 1).sum())), len(counts))


def scale_probe(scores: JudgeScores, criterion: Criterion) -> Probe:
    """Return the share of the points of the scale that the judge ever gave."""
    if not scores.is_on_scale(criterion):
        return Probe("share of the scale", None, len(scores.score), why="not on the scale")
    points = math.floor(criterion.maximum) - math.ceil(criterion.minimum) + 1
    return Probe("share of the scale", len(np.unique(scores.score)) / points, len(scores.score))


def length_probe(people: Floats, judge: Floats, lengths: Floats) -> Probe:
    """
    Say how much more the judge gives for a doubling of the length than evaluators do, all (P, M), NaN where missing.

    In standard deviations of scores, clustered by prompts; failed where the interval leaves out 0 and the bias is
    more than a tenth.
    """
    known = ~np.isnan(people) & ~np.isnan(judge) & (lengths > 0)
    return _excess("length", people, judge, np.log2(np.where(known, lengths, 1.0)), known)


def family_probe(people: Floats, judge: Floats, own: Sequence[int]) -> Probe:
    """Say how much more the judge gives texts of its own family's methods than evaluators do, likewise."""
    if not own:
        return Probe("own family", None, 0, why="unknown family")
    known = ~np.isnan(people) & ~np.isnan(judge)
    is_own = np.zeros(people.shape)
    is_own[:, list(own)] = 1.0
    return _excess("own family", people, judge, is_own, known)


def _excess(
    name: Literal["length", "own family"], people: Floats, judge: Floats, x: Floats, known: Bools
) -> Probe:
    """Regress what the judge gives above evaluators, both in standard deviations, on `x`; clustered by prompts."""
    prompt = np.nonzero(known)[0]
    if len(np.unique(prompt)) < FEWEST:
        return Probe(name, None, int(known.sum()), why="too few")
    x, a, b = x[known], judge[known], people[known]
    if not (np.ptp(x) and np.ptp(a) and np.ptp(b)):
        return Probe(name, None, int(known.sum()), why="no spread")
    y = (a - a.mean()) / a.std() - (b - b.mean()) / b.std()
    slope, se, df = clustered_slope(x, y, prompt)
    ci = t_interval(slope, se, df, 0.95)
    outside = ci[0] > 0 or ci[1] < 0
    return Probe(name, slope, int(known.sum()), ci=ci, failed=outside and abs(slope) > NEGLIGIBLE)


def clustered_slope(x: Floats, y: Floats, cluster: Ints) -> tuple[float, float, int]:
    """Return the least-squares slope of `y` on `x`, its cluster-robust standard error and G - 1 degrees of freedom."""
    centred = x - x.mean()
    squares = float(centred @ centred)
    slope = float(centred @ y) / squares
    left = y - y.mean() - slope * centred
    meat = float(cluster_meat((centred * left)[:, np.newaxis], cluster)[0, 0])
    return slope, math.sqrt(meat) / squares, len(np.unique(cluster)) - 1


def nothing_probe(name: Literal["empty text", "single point"], given: Floats, all_scores: Floats) -> Probe:
    """
    Say how high a text of nothing is rated: its mean place among the judge's own scores, from 0 to 1.

    Failed where it is not among the lowest quarter.
    """
    if not len(given) or not len(all_scores):
        return Probe(name, None, 0, why="too few")
    below = np.searchsorted(np.sort(all_scores), given, side="left") / len(all_scores)
    value = float(below.mean())
    return Probe(name, value, len(given), failed=value > 0.25)
