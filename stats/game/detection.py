"""
Signal detection in the game: how well players tell, which answer they lean to, and how sure they may be.

Everything is a function of sixteen counts and of how these vary from player to player, so that it can be read from
sums that are kept while the game runs. A round shows a stimulus (where the human text stands, or whether the one text
is human), gets an answer, and a confidence if the player says one.

References: Macmillan and Creelman (2005), Detection Theory; Hautus (1995), Behavior Research Methods 27, 46-51 (the
log-linear correction); Efron (1982), The Jackknife, chapter 6 (the infinitesimal jackknife).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy

from stats.mixed import Interval, t_interval
from stats.scores import Floats

FEWEST_PLAYERS = 30
# Stimulus and answer: 0 the human text on the left or a human text, 1 the other. Confidence: 0 not said, then 1 to 3.
SHAPE = (2, 2, 4)
CELLS = math.prod(SHAPE)
CONFIDENCES = (1, 2, 3)
# What share of right answers the words promise: a guess is a coin, and who is sure is never wrong.
PROMISED = {1: 0.5, 2: 0.75, 3: 1.0}
STEP = 1e-5

Note = Literal["", "one_side", "one_confidence", "no_confidence"]
Figure = Callable[[Floats], float]


@dataclass(frozen=True)
class Estimate:
    """A figure with its error by leaving out players; None where it is left out, and `note` says why."""

    value: float | None
    se: float | None = None
    ci: Interval | None = None
    note: Note = ""


@dataclass(frozen=True)
class Calibration:
    """Of `total` answers with one confidence so many were right."""

    confidence: int
    right: int
    total: int
    share: Estimate


@dataclass(frozen=True)
class Detection:
    """
    What the counts show.

    `d_prime` and `bias` (c) are log-linearly corrected; `area` is that under the ROC of stimulus and confidence, with
    `d_a` = sqrt(2) z(area); `roc` are its points (false alarms, hits) from (0, 0) to (1, 1). `chi_square` is that of
    right answers against one half, as if all answers were independent.
    """

    players: int
    rounds: int
    right: Estimate
    d_prime: Estimate
    bias: Estimate
    area: Estimate
    d_a: Estimate
    roc: tuple[tuple[float, float], ...]
    calibration: tuple[Calibration, ...]
    overconfidence: Estimate
    chi_square: float


def hit_rates(hits: float, signals: float, false_alarms: float, noises: float) -> tuple[float, float]:
    """Return the shares of hits and of false alarms with the log-linear correction: + .5 and + 1."""
    return (hits + 0.5) / (signals + 1), (false_alarms + 0.5) / (noises + 1)


def sensitivity_index(hit_rate: float, false_alarm_rate: float, *, forced_choice: bool = False) -> float:
    """Return d' = z(H) - z(F), over sqrt(2) where each round shows both stimuli (two alternatives)."""
    d = float(scipy.special.ndtri(hit_rate) - scipy.special.ndtri(false_alarm_rate))
    return d / math.sqrt(2) if forced_choice else d


def criterion(hit_rate: float, false_alarm_rate: float) -> float:
    """Return c = -(z(H) + z(F)) / 2: below zero who leans to 'left', or to 'human'."""
    return -float(scipy.special.ndtri(hit_rate) + scipy.special.ndtri(false_alarm_rate)) / 2


def roc_points(human: Floats, machine: Floats) -> Floats:
    """
    Return the points (false alarms, hits) of the ROC, (K + 1, 2), the strictest criterion first.

    `human` and `machine` (K,) count the ratings of either stimulus, from surely machine to surely human.
    """
    hits, alarms = (np.concatenate([[0.0], np.cumsum(side[::-1])]) / side.sum() for side in (human, machine))
    points: Floats = np.stack([alarms, hits], axis=1)
    return points


def roc_area(human: Floats, machine: Floats) -> float:
    """Return the area under the ROC by trapezes: how often the human stimulus is rated above the other one."""
    points = roc_points(human, machine)
    return float(np.sum(np.diff(points[:, 0]) * (points[1:, 1] + points[:-1, 1]) / 2))


def chi_square_against_half(right: int, total: int) -> float:
    """Return Pearson's chi-square of so many right answers against one half, one degree of freedom."""
    return (2 * right - total) ** 2 / total


def ratings(counts: Floats) -> tuple[Floats, Floats]:
    """Return the six-point ratings of either stimulus, from surely the other answer to surely the first one."""
    human, machine = (
        np.concatenate([counts[stimulus, 1, :0:-1], counts[stimulus, 0, 1:]]) for stimulus in (0, 1)
    )
    return human, machine


def detection(
    counts: Floats,
    moments: Floats,
    players: int,
    *,
    forced_choice: bool,
    confidence_level: float = 0.95,
) -> Detection | None:
    """
    Return what the counts show, None below `FEWEST_PLAYERS` players.

    `counts` has the `SHAPE` (stimulus, answer, confidence); `moments` (16, 16) sums the products n n' of the players'
    own counts, flattened. The errors are those of leaving out one player after another, to first order: with the
    gradient g of a figure its variance is G / (G - 1) g' M g.
    """
    if players < FEWEST_PLAYERS:
        return None

    def estimate(figure: Figure, note: Note = "", bounds: Interval = (-math.inf, math.inf)) -> Estimate:
        return Estimate(None, note=note) if note else _estimate(figure, bounds)

    def _estimate(figure: Figure, bounds: Interval) -> Estimate:
        slope = gradient(figure, counts)
        se = math.sqrt(max(float(slope @ moments @ slope) * players / (players - 1), 0.0))
        value = figure(counts)
        if se == 0:
            return Estimate(value)
        low, high = t_interval(value, se, players - 1, confidence_level)
        return Estimate(value, se, (max(low, bounds[0]), min(high, bounds[1])))

    share: Interval = (0.0, 1.0)
    one_side: Note = "" if counts.sum(axis=(1, 2)).all() else "one_side"
    said = counts[:, :, 1:]
    confidence: Note = _confidence_note(said)
    both_said: Note = "" if said.sum(axis=(1, 2)).all() else "one_side"
    rating: Note = confidence or both_said
    right = int(counts[0, 0].sum() + counts[1, 1].sum())
    total = int(counts.sum())
    return Detection(
        players=players,
        rounds=total,
        right=estimate(share_right, bounds=share),
        d_prime=estimate(lambda cells: _d_prime(cells, forced_choice=forced_choice), one_side),
        bias=estimate(_bias, one_side),
        area=estimate(_area, rating, share),
        d_a=estimate(_d_a, rating),
        roc=() if rating else tuple((float(x), float(y)) for x, y in roc_points(*ratings(counts))),
        calibration=tuple(
            Calibration(
                level,
                int(counts[0, 0, level] + counts[1, 1, level]),
                int(counts[:, :, level].sum()),
                estimate(lambda cells, level=level: share_right(cells[:, :, [level]]), bounds=share),  # type: ignore[misc]
            )
            for level in CONFIDENCES
            if counts[:, :, level].any()
        ),
        overconfidence=estimate(_overconfidence, "no_confidence" if confidence == "no_confidence" else ""),
        chi_square=chi_square_against_half(right, total) if total else 0.0,
    )


def gradient(figure: Figure, counts: Floats) -> Floats:
    """Return by how much a figure changes with each count, (16,), by central differences."""
    step = STEP * float(counts.sum())
    slopes = np.zeros(CELLS)
    for cell in range(CELLS):
        moved = np.zeros(CELLS)
        moved[cell] = step
        change = moved.reshape(SHAPE)
        slopes[cell] = (figure(counts + change) - figure(counts - change)) / (2 * step)
    return slopes


def share_right(counts: Floats) -> float:
    """Return the share of right answers."""
    return float((counts[0, 0].sum() + counts[1, 1].sum()) / counts.sum())


def _confidence_note(said: Floats) -> Note:
    used = int(np.count_nonzero(said.sum(axis=(0, 1))))
    return "" if used > 1 else "one_confidence" if used else "no_confidence"


def _corrected(counts: Floats) -> tuple[float, float]:
    said = counts.sum(axis=2)
    return hit_rates(said[0, 0], said[0].sum(), said[1, 0], said[1].sum())


def _d_prime(counts: Floats, *, forced_choice: bool) -> float:
    return sensitivity_index(*_corrected(counts), forced_choice=forced_choice)


def _bias(counts: Floats) -> float:
    return criterion(*_corrected(counts))


def _area(counts: Floats) -> float:
    return roc_area(*ratings(counts))


def _d_a(counts: Floats) -> float:
    # An area of 0 or 1 is one of so few answers that half of one would have changed it.
    half = 0.5 / float(counts[:, :, 1:].sum())
    return math.sqrt(2) * float(scipy.special.ndtri(min(max(_area(counts), half), 1 - half)))


def _overconfidence(counts: Floats) -> float:
    said = counts[:, :, 1:]
    promised = sum(PROMISED[level] * counts[:, :, level].sum() for level in CONFIDENCES) / said.sum()
    return float(promised - share_right(said))
