"""
The statistics of the game from sums over its records, which are kept while it runs.

The same numbers as `stats.game.selection` gives from the records themselves, at a cost that does not grow with them.
With n records and s selections in a cluster and a rate r, the squared residuals of all clusters add up to
sum (s - n r)^2 = sum s^2 - 2 r sum n s + r^2 sum n^2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from stats.cluster import ClusterRobustMean
from stats.game.selection import SelectionRate, rate_of_counts
from stats.mixed import Interval, t_interval, within_shares
from stats.sequences import (
    FEWEST_FOR_ASYMPTOTIC,
    ConfidenceSequence,
    asymptotic_radius,
    beta_mixture_sequence,
)


@dataclass(frozen=True)
class ClusterSums:
    """Over all clusters of one kind: how many there are, and the sums of n^2, n s and s^2."""

    clusters: int
    nn: int
    ns: int
    ss: int

    def variance(self, selected: int, total: int) -> float:
        """
        Return G / (G - 1) sum (s - n r)^2 / total^2 with r = selected / total. At least two clusters.

        In whole numbers up to the last division, because the three terms are large and nearly cancel.
        """
        squares = self.ss * total**2 - 2 * selected * total * self.ns + selected**2 * self.nn
        return squares / total**4 * self.clusters / (self.clusters - 1)


def selection_rate_of_sums(
    selected: int,
    total: int,
    *,
    players: ClusterSums,
    pairs: ClusterSums,
    both: ClusterSums,
    confidence_level: float = 0.95,
) -> SelectionRate:
    """Return what `stats.game.selection.selection_rate` returns; `both` clusters by player and pair together."""
    clustered = None
    if total and min(players.clusters, pairs.clusters) >= 2:
        variances = [sums.variance(selected, total) for sums in (players, pairs, both)]
        v_iid = independent_variance(selected, total)
        clustered = ClusterRobustMean(
            estimate=selected / total,
            se=math.sqrt(max(variances[0] + variances[1] - variances[2], v_iid)),
            df=min(players.clusters, pairs.clusters) - 1,
            se_first=math.sqrt(variances[0]),
            se_second=math.sqrt(variances[1]),
            se_iid=math.sqrt(v_iid),
            confidence_level=confidence_level,
            is_share=True,
        )
    return rate_of_counts(
        selected, total, players.clusters, pairs.clusters, clustered, confidence_level=confidence_level
    )


def share_interval(
    selected: int, total: int, sums: ClusterSums, *, confidence_level: float = 0.95
) -> Interval | None:
    """
    Return the interval of a share whose records are clustered one way, t with G - 1 degrees of freedom.

    Floored at the variance of independent records and cut at 0 and 1; None with fewer than two clusters or where
    nothing varies.
    """
    if sums.clusters < 2 or selected in (0, total):
        return None
    se = math.sqrt(max(sums.variance(selected, total), independent_variance(selected, total)))
    return within_shares(t_interval(selected / total, se, sums.clusters - 1, confidence_level))


def independent_variance(selected: int, total: int) -> float:
    """Return the variance of a share of independent records, r (1 - r) / (total - 1)."""
    return selected * (total - selected) / total**2 / (total - 1)


def share_sequence_of_sums(
    units: int,
    selected: int,
    squares: int,
    *,
    rounds: int,
    confidence_level: float = 0.95,
    tightest_at: int = 500,
) -> ConfidenceSequence:
    """
    Return what `stats.sequences.share_sequence` returns for players who each answered `rounds` rounds.

    `selected` sums the selections of `units` players in theirs, `squares` the squares of these.
    """
    # The squared deviation times the square of all rounds: exact, so that 'all alike' is no matter of rounding.
    spread = units * squares - selected**2
    if units < FEWEST_FOR_ASYMPTOTIC or spread <= 0:
        return beta_mixture_sequence(selected / rounds, units, confidence_level=confidence_level)
    mean = selected / (units * rounds)
    radius = asymptotic_radius(math.sqrt(spread) / (units * rounds), units, confidence_level, tightest_at)
    ci = (max(mean - radius, 0.0), min(mean + radius, 1.0))
    return ConfidenceSequence(mean, ci, units, "asymptotic", confidence_level)
