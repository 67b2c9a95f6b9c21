"""A guesser who has the code of the design, and all of a page but what is asked, does no better than one without it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from itertools import permutations
from math import factorial, sqrt

import pytest

from annotations.questionnaire.blocks import block_order
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


# Where not all methods share a page, how often each two of them do is stated, and that alone can help a guesser.


def pages_of_blocks(seed: int, *, methods: int, size: int) -> Orders:
    """Return five pages of one evaluator of one study, the methods named in the order in which they are met."""
    pages = [
        block_order(seed=seed, of="sub-task 1", place=place, methods=methods, size=size) for place in range(5)
    ]
    met = list(dict.fromkeys(method for page in pages[:4] for method in page))
    name = {method: number for number, method in enumerate([*met, *(set(range(methods)) - set(met))])}
    return [tuple(name[method] for method in page) for page in pages]


@pytest.mark.parametrize(
    ("methods", "size", "by_counts"),
    [
        # Two pairs that have not been met yet, on two sides; six pairs; the one block that is left, in any order; any.
        (4, 2, 1 / 4),
        (5, 2, 1 / 12),
        (5, 4, 1 / 24),
        (4, 3, 1 / 24),
        # Four of seven blocks leave three that meet no pair a second time.
        (7, 3, 1 / 18),
    ],
)
def test_knowing_earlier_blocks_adds_nothing_to_the_counts_of_methods_that_stood_together(
    methods: int, size: int, by_counts: float
) -> None:
    learnt, played = 5_000, 2_500
    games = [pages_of_blocks(seed, methods=methods, size=size) for seed in range(learnt + played)]
    followed: defaultdict[Hashable, Counter[tuple[int, ...]]] = defaultdict(Counter)
    for orders in games[:learnt]:
        followed[tuple(orders[:-1])][orders[-1]] += 1
    best_guess = {known: counted.most_common(1)[0][0] for known, counted in followed.items()}
    hits = sum(best_guess.get(tuple(orders[:-1])) == orders[-1] for orders in games[learnt:])
    assert hits / played < by_counts + 4 * sqrt(by_counts * (1 - by_counts) / played)


@pytest.mark.parametrize(("methods", "size"), [(4, 2), (7, 3)])
def test_every_block_in_every_order_is_equally_likely_to_be_the_first(methods: int, size: int) -> None:
    drawn_first = Counter(
        tuple(block_order(seed=seed, of="sub-task 1", place=0, methods=methods, size=size))
        for seed in range(21_000)
    )
    all_orders = list(permutations(range(methods), size))
    assert set(drawn_first) == set(all_orders)
    expected = 21_000 / len(all_orders)
    spread = sum((count - expected) ** 2 / expected for count in drawn_first.values())
    # Five deviations above the mean of chi-square.
    assert spread < (len(all_orders) - 1) + 5 * sqrt(2 * (len(all_orders) - 1))
