"""A guesser who has the code of the design, and all of a page but what is asked, does no better than one without it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from itertools import permutations
from math import factorial, sqrt

import pytest

from annotations.questionnaire.order import balanced_order

METHODS = 4
LEARNT, PLAYED = 12_000, 6_000

Orders = list[tuple[int, ...]]
Knows = Callable[[Orders], Hashable]

# What the guesser has found out by reading, before they guess the order of the last of five pages.
KNOWLEDGE: dict[str, tuple[Knows, float]] = {
    "the place of one method on the page": (lambda orders: orders[-1].index(0), 1 / factorial(METHODS - 1)),
    "the place of one method on the page, and the page before": (
        lambda orders: (orders[-1].index(0), orders[-2]),
        1 / factorial(METHODS - 1),
    ),
    "the page before": (lambda orders: orders[-2], 1 / factorial(METHODS)),
    "which orders came on the first three pages": (
        lambda orders: frozenset(orders[:3]),
        1 / factorial(METHODS),
    ),
    "the place of one method on every page": (
        lambda orders: tuple(order.index(0) for order in orders),
        1 / factorial(METHODS - 1),
    ),
}


def drawn(seed: int, *, evaluator: int, first_page: int) -> Orders:
    """Return the orders of five pages of one evaluator of one study."""
    return [
        tuple(balanced_order(seed=seed, evaluator=evaluator, page=page, methods=METHODS))
        for page in (first_page - 4, first_page, first_page + 1, first_page + 2, first_page + 3)
    ]


@pytest.fixture(scope="module", params=[(0, 4), (7, 21)], ids=["first evaluator", "eighth evaluator"])
def games(request: pytest.FixtureRequest) -> list[Orders]:
    """Five pages of one evaluator in many studies, four of them a block of the old design."""
    evaluator, page = request.param
    return [drawn(seed, evaluator=evaluator, first_page=page) for seed in range(LEARNT + PLAYED)]


@pytest.mark.parametrize("knowledge", KNOWLEDGE)
def test_knowing_the_design_adds_nothing_to_each_method_once_a_page(
    games: list[Orders], knowledge: str
) -> None:
    knows, by_chance = KNOWLEDGE[knowledge]
    followed: defaultdict[Hashable, Counter[tuple[int, ...]]] = defaultdict(Counter)
    for orders in games[:LEARNT]:
        followed[knows(orders)][orders[-1]] += 1
    best_guess = {known: counted.most_common(1)[0][0] for known, counted in followed.items()}
    hits = sum(best_guess.get(knows(orders)) == orders[-1] for orders in games[LEARNT:])
    # Four standard errors: the seeds are fixed, so that a correct design passes always.
    assert hits / PLAYED < by_chance + 4 * sqrt(by_chance * (1 - by_chance) / PLAYED)


def test_all_orders_occur_and_are_equally_likely(games: list[Orders]) -> None:
    counted = Counter(orders[-1] for orders in games)
    assert set(counted) == set(permutations(range(METHODS)))
    expected = len(games) / factorial(METHODS)
    # The 0.9999 quantile of chi-square with 23 degrees of freedom.
    assert sum((count - expected) ** 2 / expected for count in counted.values()) < 56.5


def test_an_evaluator_meets_an_order_again_as_often_as_by_chance(games: list[Orders]) -> None:
    again = sum(orders[-1] == orders[-2] for orders in games) / len(games)
    assert again == pytest.approx(1 / factorial(METHODS), abs=0.006)
