"""Strengths and ranks of the methods by Bradley and Terry, with errors robust to evaluators and prompts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from stats.cluster import two_way_meat
from stats.ratings.choice import FEWEST_EVALUATORS
from stats.scores import Bools, Floats, Ints, ScoreTable
from stats.significance import FEWEST_PROMPTS

TieRule = Literal["half", "drop"]
NEWTON_STEPS = 100


@dataclass(frozen=True)
class RankedMethod:
    """
    A method's strength (log odds, the mean over methods is zero), its error and its set of ranks.

    `rank_low` is the best and `rank_high` the worst rank, 1 the first, that the comparisons leave open
    at the simultaneous confidence level; `se` is None where it cannot be estimated.
    """

    method: str
    strength: float
    se: float | None
    rank_low: int
    rank_high: int


@dataclass(frozen=True)
class Ranking:
    """
    The methods, strongest first.

    `is_regularised`: some method lost or won everything it could, so half a win was added each way to
    every pair to keep the strengths finite.
    """

    source: Literal["best picks", "ratings"]
    methods: tuple[RankedMethod, ...]
    pages: int
    is_regularised: bool


@dataclass(frozen=True, eq=False)
class BradleyTerry:
    """Strengths (M,) with their sum zero, and the inverse of the information (M, M)."""

    strengths: Floats
    inverse_information: Floats
    is_regularised: bool


def ranking_from_picks(table: ScoreTable, *, confidence_level: float = 0.95) -> Ranking | None:
    """
    Rank the methods by the best picks; each pick beats every other method of its page.

    The strengths equal the centred logarithms of the shares of picks, so they are also those of Luce's
    choice axiom for one choice among M. None without a pick or with fewer than two methods.
    """
    evaluators, prompts = np.nonzero(table.best >= 0)
    picked = table.best[evaluators, prompts]
    wins = np.zeros((len(picked), len(table.methods), len(table.methods)))
    wins[np.arange(len(picked)), picked, :] = 1.0
    wins[np.arange(len(picked)), picked, picked] = 0.0
    return _ranking("best picks", table, wins, evaluators, prompts, confidence_level)


def ranking_from_ratings(
    table: ScoreTable, criterion: str, *, ties: TieRule = "half", confidence_level: float = 0.95
) -> Ranking | None:
    """
    Rank the methods by which of two has the better rating on each page.

    A tie counts as half a win each way, or is dropped. None without ratings of two methods on a page.
    """
    wins = page_wins(table.for_criterion(criterion) * table.criterion(criterion).direction, ties)
    evaluators, prompts = np.nonzero(wins.any(axis=(2, 3)))
    return _ranking("ratings", table, wins[evaluators, prompts], evaluators, prompts, confidence_level)


def page_wins(ratings: Floats, ties: TieRule = "half") -> Floats:
    """Return 1 where method i beats j on a page, (E, P, M, M), from ratings (E, P, M); ties as told."""
    if ties not in ("half", "drop"):
        raise ValueError(f"ties must be 'half' or 'drop', got {ties!r}")
    one, other = ratings[..., :, np.newaxis], ratings[..., np.newaxis, :]
    wins: Floats = (one > other).astype(np.float64)
    if ties == "half":
        wins += 0.5 * ((one == other) & ~np.eye(ratings.shape[-1], dtype=np.bool_))
    return wins


def bradley_terry(wins: Floats) -> BradleyTerry:
    """
    Fit log odds(i beats j) = strength_i - strength_j to `wins` (M, M), how often i beat j, by Newton.

    References: Bradley and Terry (1952), Biometrika 39, 324-345; Ford (1957), American Mathematical
    Monthly 64(8), 28-33, for the condition that every method must reach every other through wins.
    """
    size = len(wins)
    is_regularised = not _reaches_all(wins > 0)
    if is_regularised:
        wins = wins + 0.5 * (1 - np.eye(size))
    games = wins + wins.T
    strengths: Floats = np.zeros(size)
    inverse: NDArray[Any] = np.zeros((size, size))
    for _ in range(NEWTON_STEPS):
        expected = scipy.special.expit(strengths[:, np.newaxis] - strengths)
        weights = games * expected * (1 - expected)
        information = np.diag(weights.sum(axis=1)) - weights
        # The inverse on the strengths whose sum is zero.
        inverse = np.linalg.inv(information + 1 / size) - 1 / size
        step = inverse @ (wins - games * expected).sum(axis=1)
        # A step of more than one unit of log odds overshoots where a method hardly ever wins.
        strengths = strengths + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-13:
            break
    return BradleyTerry(strengths - strengths.mean(), inverse, is_regularised)


def _ranking(
    source: Literal["best picks", "ratings"],
    table: ScoreTable,
    wins: Floats,
    evaluators: Ints,
    prompts: Ints,
    confidence_level: float,
) -> Ranking | None:
    """Rank by `wins` (N, M, M) of N pages; `evaluators` and `prompts` (N,) number the clusters."""
    size = len(table.methods)
    if size < 2 or not len(wins):
        return None
    fit = bradley_terry(wins.sum(axis=0))
    expected = scipy.special.expit(fit.strengths[:, np.newaxis] - fit.strengths)
    scores = (wins - (wins + wins.transpose(0, 2, 1)) * expected).sum(axis=2)  # (N, M)
    clusters = len(np.unique(evaluators)), len(np.unique(prompts))
    low, high = np.ones(size, dtype=np.int64), np.full(size, size)
    errors: list[float | None] = [None] * size
    if min(clusters) >= 2:
        meat = two_way_meat(scores, evaluators, prompts)
        covariance = fit.inverse_information @ meat @ fit.inverse_information
        errors = [float(se) for se in np.sqrt(np.maximum(np.diag(covariance), 0.0))]
        if clusters[0] >= FEWEST_EVALUATORS and clusters[1] >= FEWEST_PROMPTS:
            low, high = rank_sets(fit.strengths, covariance, min(clusters) - 1, confidence_level)
    order = np.argsort(-fit.strengths, kind="stable")
    methods = (
        RankedMethod(table.methods[m], float(fit.strengths[m]), errors[m], int(low[m]), int(high[m]))
        for m in order
    )
    return Ranking(source, tuple(methods), len(wins), fit.is_regularised)


def rank_sets(
    strengths: Floats, covariance: Floats, df: int, confidence_level: float = 0.95
) -> tuple[Ints, Ints]:
    """
    Return the best and the worst rank of each method that its pairwise differences leave open.

    A rank is closed where the difference from another method is significant at the Bonferroni level
    over all pairs, so all sets hold at once. Reference: Mogstad, Romano, Shaikh and Wilhelm (2024),
    Inference for ranks, Review of Economic Studies 91, 476-518.
    """
    size = len(strengths)
    pairs = size * (size - 1) / 2
    quantile = float(scipy.special.stdtrit(df, 1 - (1 - confidence_level) / 2 / pairs))
    spread = np.diag(covariance)[:, np.newaxis] + np.diag(covariance) - 2 * covariance
    differences = strengths[:, np.newaxis] - strengths
    better: Bools = differences > quantile * np.sqrt(np.maximum(spread, 0.0)) + 1e-9
    return 1 + better.sum(axis=0), size - better.sum(axis=1)


def _reaches_all(beats: Bools) -> bool:
    """Say whether every method reaches every other along wins."""
    reached = beats | np.eye(len(beats), dtype=np.bool_)
    for _ in range(len(beats)):
        reached = reached @ reached
    return bool(reached.all())
