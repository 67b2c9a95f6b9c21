"""
The Turing game: how often the machine's text was taken for the human one, and what that shows.

- a closed game: selection rate with an error robust to players and pairs (`stats.cluster`);
- a live page: a confidence sequence with the player as unit (`stats.sequences`);
- beside them: Wilson and exact binomial, as if all records were independent; what could bias the game.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy

from stats.cluster import ClusterRobustMean, two_way_mean
from stats.mixed import Interval, t_interval, t_p_value
from stats.scores import Bools, Floats, Ints

CHANCE = 0.5
DEFAULT_MARGIN = 0.05
HASTY_SECONDS = 2.0
Verdict = Literal["distinguishable", "equivalent", "undecided"]


@dataclass(frozen=True, eq=False)
class SelectionRecords:
    """
    One entry a round that was answered, all (N,), in the order of the answers.

    `players`, `pairs` and `games` number players, poem pairs and games in any way; `selected` says
    whether the machine's text was taken for the human one, `chose_left` which side was taken. `rounds`
    counts from 1 within a game. Of `seconds` (NaN unknown) and `known` ('I know this poem') None means
    that it was not asked.
    """

    players: Ints
    pairs: Ints
    games: Ints
    rounds: Ints
    selected: Bools
    chose_left: Bools
    seconds: Floats | None = None
    known: Bools | None = None

    def __post_init__(self) -> None:
        for name in ("pairs", "games", "rounds", "selected", "chose_left", "seconds", "known"):
            values = getattr(self, name)
            if values is not None and values.shape != self.players.shape:
                raise ValueError(f"{name} must have the shape {self.players.shape}, got {values.shape}")


@dataclass(frozen=True)
class SelectionRate:
    """
    Selections of the machine's text out of all records.

    `clustered` is None with fewer than two players or pairs. `wilson` and `exact_p` (against one half)
    would hold if all records were independent. `d_prime` is that of a two-alternative forced choice.
    """

    selected: int
    total: int
    players: int
    pairs: int
    rate: float | None
    clustered: ClusterRobustMean | None
    wilson: Interval | None
    exact_p: float | None
    d_prime: float | None


@dataclass(frozen=True)
class Check:
    """A share or slope with its error, and the p-value of its null value; None where it is undefined."""

    estimate: float | None
    ci: Interval | None
    p: float | None


def selection_rate(
    selected: Bools, players: Ints, pairs: Ints, *, confidence_level: float = 0.95
) -> SelectionRate:
    """
    Return the selection rate of a closed game with a two-way cluster-robust interval.

    V = V_player + V_pair - V_both, floored at the variance of independent records; t with
    min(#players, #pairs) - 1 degrees of freedom.
    """
    total, count = len(selected), int(selected.sum())
    if not total:
        return rate_of_counts(0, 0, 0, 0, None)
    clustered = two_way_mean(
        selected.astype(np.float64),
        players,
        pairs,
        confidence_level=confidence_level,
        floor_at_iid=True,
        is_share=True,
    )
    groups = len(np.unique(players)), len(np.unique(pairs))
    return rate_of_counts(count, total, *groups, clustered, confidence_level=confidence_level)


def rate_of_counts(
    selected: int,
    total: int,
    players: int,
    pairs: int,
    clustered: ClusterRobustMean | None,
    *,
    confidence_level: float = 0.95,
) -> SelectionRate:
    """Return the selection rate of so many records, whose clustered mean is known already."""
    if not total:
        return SelectionRate(0, 0, 0, 0, None, None, None, None, None)
    return SelectionRate(
        selected=selected,
        total=total,
        players=players,
        pairs=pairs,
        rate=selected / total,
        clustered=clustered,
        wilson=wilson_interval(selected, total, confidence_level),
        exact_p=exact_binomial_p(selected, total),
        d_prime=d_prime(selected, total),
    )


def wilson_interval(selected: int, total: int, confidence_level: float = 0.95) -> Interval:
    """Return Wilson's score interval of selected / total. Reference: Wilson (1927), JASA 22, 209-212."""
    z = float(scipy.special.ndtri((1 + confidence_level) / 2))
    middle = (selected + z**2 / 2) / (total + z**2)
    half = z / (total + z**2) * math.sqrt(selected * (total - selected) / total + z**2 / 4)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def exact_binomial_p(selected: int, total: int) -> float:
    """Return the two-sided exact p-value of selected out of total against one half."""
    fewer = min(selected, total - selected)
    return min(2 * float(scipy.special.bdtr(fewer, total, CHANCE)), 1.0)


def d_prime(selected: int, total: int) -> float | None:
    """
    Return d' = sqrt(2) z(share of right answers) of a two-alternative forced choice; None at 0 or 1.

    Reference: Green and Swets (1966), Signal Detection Theory and Psychophysics.
    """
    if selected in (0, total):
        return None
    return math.sqrt(2) * float(scipy.special.ndtri((total - selected) / total))


def verdict(interval: Interval, margin: float = DEFAULT_MARGIN, chance: float = CHANCE) -> Verdict:
    """Say what an interval for the selection rate shows: it is off what a guess has, near it, or neither."""
    if not interval[0] <= chance <= interval[1]:
        return "distinguishable"
    if chance - margin < interval[0] and interval[1] < chance + margin:
        return "equivalent"
    return "undecided"


def first_game_shares(records: SelectionRecords, rounds_in_game: int = 5) -> Floats:
    """Return each player's selection rate in their first game with all rounds, in order of completion."""
    if not len(records.players):
        return np.zeros(0)
    games, last, counts = np.unique(records.games[::-1], return_index=True, return_counts=True)
    completed_at = len(records.games) - 1 - last
    sums = np.bincount(np.searchsorted(games, records.games), records.selected, len(games))
    complete = counts >= rounds_in_game
    order = np.argsort(completed_at[complete])
    player = records.players[completed_at[complete][order]]
    _, first = np.unique(player, return_index=True)
    shares: Floats = (sums[complete] / counts[complete])[order][np.sort(first)]
    return shares


def side_bias(records: SelectionRecords, *, confidence_level: float = 0.95) -> Check:
    """Return the share of rounds in which the left text was taken, against one half."""
    if not len(records.players):
        return Check(None, None, None)
    mean = two_way_mean(
        records.chose_left.astype(np.float64),
        records.players,
        records.pairs,
        confidence_level=confidence_level,
        floor_at_iid=True,
        is_share=True,
    )
    if mean is None:
        return Check(float(records.chose_left.mean()), None, None)
    return Check(mean.estimate, mean.ci, mean.p_value(CHANCE))


def learning(records: SelectionRecords, *, confidence_level: float = 0.95) -> Check:
    """Return the change of the share of right answers with each further round that a player has answered."""
    right = (~records.selected).astype(np.float64)
    return change_per_answer(right, records.players, confidence_level=confidence_level)


def change_per_answer(values: Floats, players: Ints, *, confidence_level: float = 0.95) -> Check:
    """
    Return by how much values (N,), in the order of the answers, change with each further answer of their player.

    Least squares within players on the number of earlier answers; the error is robust to players.
    """
    earlier = _earlier_answers(players)
    _, player = np.unique(players, return_inverse=True)
    x, y = _within(earlier, player), _within(values, player)
    count = int(player.max(initial=-1)) + 1
    squares = float(x @ x)
    if count < 2 or squares == 0:
        return Check(None, None, None)
    slope = float(x @ y) / squares
    sums = np.bincount(player, x * (y - slope * x), count)
    se = math.sqrt(count / (count - 1) * float(sums @ sums)) / squares
    if se == 0:
        return Check(slope, None, None)
    return Check(slope, t_interval(slope, se, count - 1, confidence_level), t_p_value(slope / se, count - 1))


def sensitivity(records: SelectionRecords, *, confidence_level: float = 0.95) -> dict[str, SelectionRate]:
    """
    Return the selection rate without what might distort it.

    Keys: without_hasty (answers under 2 s), without_repeats (a pair that the player had seen),
    without_known (poems the player knows); the first and the last only where that was recorded.
    """
    kept: dict[str, Bools] = {"without_repeats": ~_is_repeat(records.players, records.pairs)}
    if records.seconds is not None:
        kept["without_hasty"] = ~(records.seconds < HASTY_SECONDS)
    if records.known is not None:
        kept["without_known"] = ~records.known
    return {
        name: selection_rate(
            records.selected[rows],
            records.players[rows],
            records.pairs[rows],
            confidence_level=confidence_level,
        )
        for name, rows in kept.items()
    }


def _is_repeat(players: Ints, pairs: Ints) -> Bools:
    seen = np.ones(len(players), dtype=np.bool_)
    _, first = np.unique(np.column_stack([players, pairs]), axis=0, return_index=True)
    seen[first] = False
    return seen


def _earlier_answers(players: Ints) -> Floats:
    """Return how many answers of the same player came before each, (N,)."""
    order = np.argsort(players, kind="stable")
    _, starts, counts = np.unique(players[order], return_index=True, return_counts=True)
    earlier = np.empty(len(players))
    earlier[order] = np.arange(len(players)) - np.repeat(starts, counts)
    return earlier


def _within(values: Floats, groups: Ints) -> Floats:
    """Return values (N,) less the mean of their group."""
    if not len(values):
        return values
    means: Floats = np.bincount(groups, values) / np.bincount(groups)
    centred: Floats = values - means[groups]
    return centred
