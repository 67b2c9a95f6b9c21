"""Strengths and ranks of the methods by Bradley and Terry, with errors robust to evaluators and prompts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from stats.cluster import two_way_meat
from stats.ratings.choice import FEWEST_EVALUATORS
from stats.ratings.table import RatingTable, long_table
from stats.scores import Bools, Floats, Ints, ScoreTable
from stats.significance import FEWEST_PROMPTS

TieRule = Literal["half", "drop"]
NEWTON_STEPS = 100
PAGES_AT_ONCE = 20_000
WinsOfPages = Callable[[slice], Floats]


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


def ranking_from_picks(
    ratings: RatingTable | ScoreTable, *, confidence_level: float = 0.95
) -> Ranking | None:
    """
    Rank the methods by the best picks; each pick beats every other method of its page.

    The strengths equal the centred logarithms of the shares of picks, so they are also those of Luce's
    choice axiom for one choice among M. None without a pick or with fewer than two methods.
    """
    table = long_table(ratings)
    picks, size = table.picks, len(table.methods)

    def wins_of(pages: slice) -> Floats:
        picked = picks.method[pages]
        wins = np.zeros((len(picked), size, size))
        wins[np.arange(len(picked)), picked, :] = 1.0
        wins[np.arange(len(picked)), picked, picked] = 0.0
        return wins

    return _ranking("best picks", table.methods, wins_of, picks.evaluator, picks.prompt, confidence_level)


def ranking_from_ratings(
    ratings: RatingTable | ScoreTable,
    criterion: str,
    *,
    ties: TieRule = "half",
    confidence_level: float = 0.95,
) -> Ranking | None:
    """
    Rank the methods by which of two has the better rating on each page.

    A tie counts as half a win each way, or is dropped. None without ratings of two methods on a page.
    """
    table = long_table(ratings).for_criterion(criterion).first_ratings()
    pages = table.pages()
    known = ~np.isnan(pages.scores)
    compared = known.sum(axis=1) >= 2
    if ties == "drop":
        highest = np.where(known, pages.scores, -np.inf).max(axis=1, initial=-np.inf)
        compared &= highest > np.where(known, pages.scores, np.inf).min(axis=1, initial=np.inf)
    scores = pages.scores[compared] * table.criteria[table.criterion_index(criterion)].direction
    return _ranking(
        "ratings",
        table.methods,
        lambda part: page_wins(scores[part], ties),
        pages.evaluator[compared],
        pages.prompt[compared],
        confidence_level,
    )


def page_wins(ratings: Floats, ties: TieRule = "half") -> Floats:
    """Return 1 where method i beats j on a page, (..., M, M), from ratings (..., M); ties as told."""
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
    methods: tuple[str, ...],
    wins_of: WinsOfPages,
    evaluators: Ints,
    prompts: Ints,
    confidence_level: float,
) -> Ranking | None:
    """Rank by the wins (N, M, M) of N pages, some at a time; `evaluators` and `prompts` (N,) number the clusters."""
    size, pages = len(methods), len(evaluators)
    if size < 2 or not pages:
        return None
    parts = [slice(start, start + PAGES_AT_ONCE) for start in range(0, pages, PAGES_AT_ONCE)]
    fit = bradley_terry(np.sum([wins_of(part).sum(axis=0) for part in parts], axis=0))
    expected = scipy.special.expit(fit.strengths[:, np.newaxis] - fit.strengths)
    scores = np.empty((pages, size))
    for part in parts:
        wins = wins_of(part)
        scores[part] = (wins - (wins + wins.transpose(0, 2, 1)) * expected).sum(axis=2)
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
    ranked = (
        RankedMethod(methods[m], float(fit.strengths[m]), errors[m], int(low[m]), int(high[m])) for m in order
    )
    return Ranking(source, tuple(ranked), pages, fit.is_regularised)


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
