"""Whether the place at which a text was shown moved its rating or its chance of being picked as best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from stats.cluster import two_way_meat
from stats.mixed import Interval, t_interval
from stats.ratings.choice import FEWEST_EVALUATORS
from stats.ratings.table import Pages, Picks, RatingTable, long_table
from stats.scores import Floats, Ints, ScoreTable
from stats.significance import FEWEST_PROMPTS

PAGES_AT_ONCE = 20_000


@dataclass(frozen=True)
class WaldTest:
    """F with its degrees of freedom and p-value."""

    f: float
    df: tuple[int, int]
    p: float


@dataclass(frozen=True)
class AdjustedDifference:
    """The difference b - a of two methods with the effects of the positions taken out."""

    a: str
    b: str
    estimate: float
    se: float
    ci: Interval | None


@dataclass(frozen=True)
class PositionBias:
    """
    Best picks and ratings by displayed position, from the first.

    `effects` are rating points above the mean over positions, at equal methods and pages. A test is None
    where the study is too small for it (fewer than 6 evaluators or 10 prompts) or nothing varies.
    """

    criterion: str
    picks: tuple[int, ...]
    picks_test: WaldTest | None
    means: tuple[float | None, ...]
    effects: tuple[float, ...] | None
    effect_errors: tuple[float, ...] | None
    ratings_test: WaldTest | None
    adjusted_differences: tuple[AdjustedDifference, ...]


def position_bias(
    ratings: RatingTable | ScoreTable, criterion: str, *, confidence_level: float = 0.95
) -> PositionBias | None:
    """
    Estimate the effects of displayed positions; None where the table has no positions.

    Picks: the shares of the positions against 1 / M each, which random orders give whatever the methods
    are worth. Ratings: least squares on methods and positions within the page. Both with a two-way
    cluster-robust covariance (`stats.cluster`) and F with min(E, P) - 1 denominator degrees of freedom.
    """
    table = long_table(ratings)
    position = np.full(len(table), -1) if table.position is None else table.position
    if not (position >= 0).any() and not (table.picks.position >= 0).any():
        return None
    size = len(table.methods)
    of_criterion = table.for_criterion(criterion).first_ratings()
    picked, picks_test = _picks(table.picks, size)
    pages = of_criterion.pages()
    known = np.zeros(len(of_criterion), dtype=np.bool_)
    if of_criterion.position is not None:
        known = of_criterion.position >= 0
    place = np.empty(0, dtype=np.int64) if of_criterion.position is None else of_criterion.position[known]
    counts = np.bincount(place, minlength=size)
    sums = np.bincount(place, of_criterion.score[known], size)
    fit = _within_page_fit(pages)
    return PositionBias(
        criterion=criterion,
        picks=tuple(int(count) for count in np.bincount(picked, minlength=size)),
        picks_test=picks_test,
        means=tuple(float(s / n) if n else None for s, n in zip(sums, counts, strict=True)),
        effects=None if fit is None else fit.position_effects(),
        effect_errors=None if fit is None else fit.position_errors(),
        ratings_test=None if fit is None else fit.position_test(),
        adjusted_differences=() if fit is None else fit.differences(table.methods, confidence_level),
    )


def _picks(picks: Picks, size: int) -> tuple[Ints, WaldTest | None]:
    """Return the positions of the picks and the test of equal shares."""
    known = picks.position >= 0
    evaluators, prompts, place = picks.evaluator[known], picks.prompt[known], picks.position[known]
    if not place.size or min(len(np.unique(evaluators)), len(np.unique(prompts))) < 2:
        return place, None
    shares = (place[:, np.newaxis] == np.arange(size)).astype(np.float64)  # (N, M)
    mean = shares.mean(axis=0)
    covariance = two_way_meat(shares - mean, evaluators, prompts) / len(place) ** 2
    return place, _wald(mean - 1 / size, covariance, size - 1, evaluators, prompts)


def _wald(
    deviations: Floats, covariance: Floats, restrictions: int, evaluators: Ints, prompts: Ints
) -> WaldTest | None:
    """Test deviations (K,) that sum to zero; None where the clusters or their spread do not allow it."""
    clusters = len(np.unique(evaluators)), len(np.unique(prompts))
    df = min(clusters) - 1
    if (
        clusters[0] < FEWEST_EVALUATORS
        or clusters[1] < FEWEST_PROMPTS
        or df < restrictions
        or not restrictions
    ):
        return None
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-10 * max(float(values[-1]), 1e-300)
    if int(kept.sum()) < restrictions:
        return None
    along = vectors[:, kept].T @ deviations
    f = float((along**2 / values[kept]).sum()) / restrictions
    return WaldTest(f, (restrictions, df), float(scipy.special.fdtrc(restrictions, df, f)))


@dataclass(frozen=True, eq=False)
class _WithinPageFit:
    """Coefficients of methods then positions (2 M,), each block summing to zero, and their covariance."""

    coefficients: Floats
    covariance: Floats
    evaluators: Ints
    prompts: Ints

    @property
    def size(self) -> int:
        return len(self.coefficients) // 2

    def position_effects(self) -> tuple[float, ...]:
        return tuple(float(effect) for effect in self.coefficients[self.size :])

    def position_errors(self) -> tuple[float, ...]:
        variances = np.diag(self.covariance)[self.size :]
        return tuple(float(se) for se in np.sqrt(np.maximum(variances, 0.0)))

    def position_test(self) -> WaldTest | None:
        m = self.size
        return _wald(self.coefficients[m:], self.covariance[m:, m:], m - 1, self.evaluators, self.prompts)

    def differences(
        self, methods: tuple[str, ...], confidence_level: float
    ) -> tuple[AdjustedDifference, ...]:
        clusters = len(np.unique(self.evaluators)), len(np.unique(self.prompts))
        enough = clusters[0] >= FEWEST_EVALUATORS and clusters[1] >= FEWEST_PROMPTS
        found = []
        for a in range(len(methods)):
            for b in range(a + 1, len(methods)):
                estimate = float(self.coefficients[b] - self.coefficients[a])
                v = self.covariance
                se = float(np.sqrt(max(v[a, a] + v[b, b] - 2 * v[a, b], 0.0)))
                ci = (
                    t_interval(estimate, se, min(clusters) - 1, confidence_level)
                    if enough and se > 0
                    else None
                )
                found.append(AdjustedDifference(methods[a], methods[b], estimate, se, ci))
        return tuple(found)


def _within_page_fit(pages: Pages) -> _WithinPageFit | None:
    """
    Regress ratings on methods and positions within the page, where both are known.

    None where methods and positions cannot be told apart, as when every page has the same order.
    """
    if pages.positions is None:
        return None
    positions = np.where(np.isnan(pages.scores), -1, pages.positions)
    used = (positions >= 0).sum(axis=1) >= 2
    evaluators, prompts = pages.evaluator[used], pages.prompt[used]
    ratings, positions = pages.scores[used], positions[used]
    size = ratings.shape[1]
    if len(np.unique(evaluators)) < 2 or len(np.unique(prompts)) < 2:
        return None
    parts = [slice(start, start + PAGES_AT_ONCE) for start in range(0, len(ratings), PAGES_AT_ONCE)]
    normal, moment = np.zeros((2 * size, 2 * size)), np.zeros(2 * size)
    for part in parts:
        design, y = _page_design(ratings[part], positions[part])
        flat = design.reshape(-1, 2 * size)
        normal += flat.T @ flat
        moment += flat.T @ y.ravel()
    # Each block of dummies sums to zero within a page: two directions are empty up to rounding.
    values, vectors = np.linalg.eigh(normal)
    kept = values > 1e-9 * values[-1]
    if int(kept.sum()) < 2 * size - 2:
        return None
    bread: Floats = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    coefficients = bread @ moment
    scores = np.empty((len(ratings), 2 * size))
    for part in parts:
        design, y = _page_design(ratings[part], positions[part])
        scores[part] = np.einsum("nmk,nm->nk", design, y - design @ coefficients)
    meat = two_way_meat(scores, evaluators, prompts)
    return _WithinPageFit(coefficients, bread @ meat @ bread, evaluators, prompts)


def _page_design(ratings: Floats, positions: Ints) -> tuple[Floats, Floats]:
    """Return the dummies of method and position (N, M, 2 M) and the ratings (N, M), both less their page's mean."""
    size = ratings.shape[1]
    there = (positions >= 0).astype(np.float64)  # (N, M)
    counts = there.sum(axis=1)[:, np.newaxis]
    y = np.where(positions >= 0, ratings, 0.0)
    y = (y - y.sum(axis=1, keepdims=True) / counts) * there
    design = np.zeros((*there.shape, 2 * size))
    design[:, np.arange(size), np.arange(size)] = there
    design[..., size:] = positions[..., np.newaxis] == np.arange(size)
    design = (design - design.sum(axis=1, keepdims=True) / counts[..., np.newaxis]) * there[..., np.newaxis]
    return design, y
