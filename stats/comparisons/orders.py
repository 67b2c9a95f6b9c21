"""
Orders of texts: strengths by successive choices, and the scores of best and worst ones.

References: Luce (1959), Individual choice behavior; Plackett (1975), The analysis of permutations, Applied Statistics
24, 193-202; Louviere, Flynn and Marley (2015), Best-worst scaling; for the reliability Kiritchenko and Mohammad (2017),
Best-worst scaling more reliable than rating scales, ACL.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stats.cluster import two_way_meat
from stats.ratings.table import RatingTable
from stats.scores import Floats, Ints

NEWTON_STEPS = 100
HALVES = 100


@dataclass(frozen=True, eq=False)
class PlackettLuce:
    """Strengths (M,) with their sum zero (log odds of being chosen first), and robust errors where there are any."""

    strengths: Floats
    errors: Floats | None


def plackett_luce(orders: Ints, evaluator: Ints, prompt: Ints, methods: int) -> PlackettLuce | None:
    """
    Fit successive choices to orders (N, most) of methods, the best first, -1 behind the last.

    Of those that are left each is chosen with odds exp(strength). None where some method is always last or first, so
    that its strength has no bound, or without an order.
    """
    if not len(orders) or methods < 2 or not _is_bounded(orders, methods):
        return None
    strengths: Floats = np.zeros(methods)
    inverse: Floats = np.zeros((methods, methods))
    for _ in range(NEWTON_STEPS):
        scores, information = _choices(orders, strengths)
        inverse[:] = np.linalg.inv(information + 1 / methods) - 1 / methods
        step = inverse @ scores.sum(axis=0)
        strengths = strengths + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-12:
            break
    errors = None
    if min(len(np.unique(evaluator)), len(np.unique(prompt))) >= 2:
        scores, _ = _choices(orders, strengths)
        covariance = inverse @ two_way_meat(scores, evaluator, prompt) @ inverse
        errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    return PlackettLuce(strengths - strengths.mean(), errors)


def _choices(orders: Ints, strengths: Floats) -> tuple[Floats, Floats]:
    """Return the scores (N, M) of the orders and the information (M, M) of all their choices."""
    methods = len(strengths)
    scores = np.zeros((len(orders), methods))
    information = np.zeros((methods, methods))
    rows = np.arange(len(orders))
    left = np.zeros((len(orders), methods + 1), dtype=np.bool_)
    np.put_along_axis(left, orders, True, axis=1)
    left[:, -1] = False
    worth = np.exp(strengths)
    for choice in orders.T:
        # The last of an order is no choice.
        here = (choice >= 0) & (left.sum(axis=1) >= 2)
        shares = np.where(left[here, :methods], worth, 0.0)
        shares /= shares.sum(axis=1, keepdims=True)
        scores[rows[here], choice[here]] += 1.0
        scores[here] -= shares
        information += np.diag(shares.sum(axis=0)) - shares.T @ shares
        left[rows[choice >= 0], choice[choice >= 0]] = False
    return scores, information


def _is_bounded(orders: Ints, methods: int) -> bool:
    before = np.eye(methods, dtype=np.bool_)
    for place in range(orders.shape[1]):
        for later in range(place + 1, orders.shape[1]):
            both = orders[:, later] >= 0
            before[orders[both, place], orders[both, later]] = True
    for _ in range(methods):
        before = before @ before
    return bool(before.all())


def orders_of(table: RatingTable, criterion: str) -> tuple[Ints, Ints, Ints]:
    """Return the orders (N, most) of methods on the pages without equal scores, with evaluator and prompt (N,)."""
    pages = table.for_criterion(criterion).first_ratings().pages()
    size = (~np.isnan(pages.scores)).sum(axis=1)
    filled = np.where(np.isnan(pages.scores), -np.inf, pages.scores)
    order = np.argsort(-filled, axis=1, kind="stable")
    most = int(size.max(initial=0))
    order = np.where(np.arange(order.shape[1]) < size[:, np.newaxis], order, -1)[:, :most]
    ordered = -np.sort(-filled, axis=1)[:, :most]
    equal = (ordered[:, 1:] == ordered[:, :-1]) & (order[:, 1:] >= 0)
    strict = (size >= 2) & ~equal.any(axis=1)
    return order[strict], pages.evaluator[strict], pages.prompt[strict]


@dataclass(frozen=True)
class BestWorst:
    """How often a method was shown, called best and called worst; `score` is (best - worst) / shown, from -1 to 1."""

    method: str
    shown: int
    best: int
    worst: int

    @property
    def score(self) -> float | None:
        return (self.best - self.worst) / self.shown if self.shown else None


def best_worst(table: RatingTable, criterion: str) -> tuple[BestWorst, ...]:
    """Count the best and the worst of all pages, which have the scores 1 and 0."""
    ratings = table.for_criterion(criterion).first_ratings()
    size = len(table.methods)
    shown, best, worst = (
        np.bincount(ratings.method[chosen], minlength=size).tolist()
        for chosen in (np.ones(len(ratings), dtype=np.bool_), ratings.score == 1, ratings.score == 0)
    )
    return tuple(
        BestWorst(method, shown[place], best[place], worst[place])
        for place, method in enumerate(table.methods)
    )


def split_half(table: RatingTable, criterion: str, rng: np.random.Generator) -> float | None:
    """
    Return the mean correlation of the texts' mean scores by two random halves of the evaluators.

    Over `HALVES` halves, of the texts that both halves judged; None with fewer than two evaluators or three texts.
    """
    ratings = table.for_criterion(criterion).first_ratings()
    evaluators, texts = len(table.evaluators), len(table.prompts) * len(table.methods)
    if evaluators < 2:
        return None
    found = []
    for _ in range(HALVES):
        half = np.zeros(evaluators, dtype=np.bool_)
        half[rng.permutation(evaluators)[: evaluators // 2]] = True
        means = []
        for chosen in (half[ratings.evaluator], ~half[ratings.evaluator]):
            counts = np.bincount(ratings.text[chosen], minlength=texts)
            sums = np.bincount(ratings.text[chosen], ratings.score[chosen], texts)
            means.append(np.divide(sums, counts, out=np.full(texts, np.nan), where=counts > 0))
        both = ~np.isnan(means[0]) & ~np.isnan(means[1])
        one, other = means[0][both], means[1][both]
        if len(one) >= 3 and one.std() > 0 and other.std() > 0:
            found.append(float(np.corrcoef(one, other)[0, 1]))
    return float(np.mean(found)) if found else None
