"""
Standard errors robust to two crossed clusterings, evaluators and prompts (or players and pairs).

Reference: Cameron, Gelbach and Miller (2011), Robust inference with multiway clustering, J. Business &
Economic Statistics 29, 238-249: V = V_first + V_second - V_both, each with the factor G / (G - 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stats.mixed import CrossedMean, Interval, crossed_mean_of_cells, t_interval, t_p_value, within_shares
from stats.ratings.cells import Cells
from stats.scores import Floats, Ints

# A table with holes of so many evaluators x prompts is fitted in a hundredth of a second.
QUICKLY_FITTED = 20_000


@dataclass(frozen=True)
class ClusterRobustMean:
    """
    A mean over cells with its two-way cluster-robust error, t with min(G) - 1 degrees of freedom.

    That of a share (`is_share`) has its interval cut at 0 and 1.
    """

    estimate: float
    se: float
    df: int
    se_first: float
    se_second: float
    se_iid: float
    confidence_level: float = 0.95
    is_share: bool = False

    @property
    def t(self) -> float | None:
        """Return estimate / se, None where nothing varies."""
        return self.estimate / self.se if self.se > 0 else None

    @property
    def p(self) -> float | None:
        """Return the two-sided p-value of a mean of zero."""
        return self.p_value(0.0)

    @property
    def ci(self) -> Interval | None:
        """Return the confidence interval at `confidence_level`."""
        if not self.se > 0:
            return None
        ci = t_interval(self.estimate, self.se, self.df, self.confidence_level)
        return within_shares(ci) if self.is_share else ci

    def p_value(self, null: float) -> float | None:
        """Return the two-sided p-value of a mean equal to `null`."""
        return t_p_value((self.estimate - null) / self.se, self.df) if self.se > 0 else None


def cluster_meat(scores: Floats, clusters: Ints) -> Floats:
    """
    Return G / (G - 1) sum over clusters of s_g s_g', s_g the sum of `scores` (N, K) in cluster g.

    `clusters` (N,) numbers the clusters in any way. Shape (K, K). At least two clusters.
    """
    # Numbers with few gaps need no sorting; a cluster that nobody has adds nothing.
    numbers = clusters
    if int(clusters.max()) > 4 * len(clusters):
        _, numbers = np.unique(clusters, return_inverse=True)
    groups = int(np.count_nonzero(np.bincount(numbers)))
    sums: Floats = np.stack([np.bincount(numbers, column) for column in scores.T], axis=1)  # (G, K)
    meat: Floats = sums.T @ sums * (groups / (groups - 1))
    return meat


def two_way_meat(scores: Floats, first: Ints, second: Ints) -> Floats:
    """
    Return the meat of the two-way sandwich for `scores` (N, K): first + second - intersection.

    Floored at that of the intersection in every direction, by setting the negative eigenvalues of
    first + second - 2 intersection to zero: the plain difference need not be positive definite, and an
    error of nothing would close a rank or call a position significant.
    """
    both = cluster_meat(scores, first * (int(second.max()) + 1) + second)
    excess = cluster_meat(scores, first) + cluster_meat(scores, second) - 2 * both
    values, vectors = np.linalg.eigh(excess)
    meat: Floats = both + (vectors * np.maximum(values, 0.0)) @ vectors.T
    return meat


def two_way_mean(
    values: Floats,
    first: Ints,
    second: Ints,
    *,
    confidence_level: float = 0.95,
    floor_at_iid: bool = False,
    is_share: bool = False,
) -> ClusterRobustMean | None:
    """
    Estimate the mean of `values` (N,) whose records are clustered by `first` and by `second` (N,).

    V below zero is replaced by the variance of independent records, with `floor_at_iid` any V below that
    is. Of a share (`is_share`) the interval is cut at 0 and 1. None with fewer than two clusters on either side.
    """
    first_groups, second_groups = (int(np.count_nonzero(np.bincount(side))) for side in (first, second))
    if min(first_groups, second_groups) < 2:
        return None
    n = len(values)
    estimate = float(values.mean())
    rest = (values - estimate)[:, np.newaxis]
    if float(np.abs(rest).max()) <= 1e-13 * float(np.abs(values).max()):
        rest = np.zeros_like(rest)
    both = first * (int(second.max()) + 1) + second
    v_first, v_second, v_both = (
        float(cluster_meat(rest, clusters)[0, 0]) / n**2 for clusters in (first, second, both)
    )
    # Each record a cluster.
    v_iid = float(rest[:, 0] @ rest[:, 0]) * (n / (n - 1)) / n**2
    variance = v_first + v_second - v_both
    if variance < v_iid and (floor_at_iid or variance <= 0):
        variance = v_iid
    return ClusterRobustMean(
        estimate=estimate,
        se=math.sqrt(variance),
        df=min(first_groups, second_groups) - 1,
        se_first=math.sqrt(v_first),
        se_second=math.sqrt(v_second),
        se_iid=math.sqrt(v_iid),
        confidence_level=confidence_level,
        is_share=is_share,
    )


def two_way_table_mean(values: Floats, *, confidence_level: float = 0.95) -> ClusterRobustMean | None:
    """Estimate the mean of a table `values` (E, P), NaN where missing, clustered by rows and columns."""
    return two_way_cell_mean(Cells.of_table(values), confidence_level=confidence_level)


def two_way_cell_mean(cells: Cells, *, confidence_level: float = 0.95) -> ClusterRobustMean | None:
    """Estimate the mean of cells, clustered by evaluators and prompts; None without one."""
    if not len(cells):
        return None
    return two_way_mean(cells.value, cells.evaluator, cells.prompt, confidence_level=confidence_level)


def quick_crossed_mean(cells: Cells, *, confidence_level: float = 0.95, fits: bool = True) -> CrossedMean:
    """
    Estimate the crossed mean, cluster-robust where a fit of a large table with holes would take long.

    Without `fits` a table with holes is never fitted, however small it is.
    """
    kept, evaluators, prompts = cells.numbered()
    size = evaluators * prompts
    robust = None
    if len(cells) < size and (size > QUICKLY_FITTED or not fits):
        robust = two_way_cell_mean(kept, confidence_level=confidence_level)
    if robust is None:
        return crossed_mean_of_cells(cells, confidence_level=confidence_level)
    return CrossedMean(
        robust.estimate,
        robust.se,
        robust.df if robust.se > 0 else None,
        None,
        evaluators,
        prompts,
        len(kept),
        "cluster-robust",
        confidence_level,
    )
