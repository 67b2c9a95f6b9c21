from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.questionnaire.order import balanced_order, williams_rows
from annotations.setup.pages import split


def test_a_hundred_prompts_make_ten_subtasks_of_ten() -> None:
    batches = split(list(range(100)))
    assert [len(batch) for batch in batches] == [10] * 10
    assert [prompt for batch in batches for prompt in batch] == list(range(100))


def test_the_last_subtask_takes_the_remainder() -> None:
    assert [len(batch) for batch in split(list(range(23)))] == [10, 10, 3]


def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be at least 1"):
        split([1], size=0)


@pytest.mark.parametrize("methods", range(1, 9))
def test_williams_rows_balance_places_and_neighbours(methods: int) -> None:
    rows = williams_rows(methods)
    for place in range(methods):
        assert set(Counter(row[place] for row in rows).values()) == {len(rows) // methods}
    neighbours = Counter(pair for row in rows for pair in pairwise(row))
    if methods > 1:
        assert len(neighbours) == methods * (methods - 1)
        assert len(set(neighbours.values())) == 1


@given(seed=st.integers(0, 2**63 - 1), methods=st.integers(2, 6), block=st.integers(0, 3))
def test_over_the_evaluators_of_a_page_every_method_stands_in_every_place_and_after_every_other_equally_often(
    seed: int, methods: int, block: int
) -> None:
    size = len(williams_rows(methods))
    for page in range(3):
        orders = [
            balanced_order(seed=seed, evaluator=size * block + evaluator, page=page, methods=methods)
            for evaluator in range(size)
        ]
        assert all(sorted(order) == list(range(methods)) for order in orders)
        for place in range(methods):
            assert set(Counter(order[place] for order in orders).values()) == {size // methods}
        neighbours = Counter(pair for order in orders for pair in pairwise(order))
        assert set(neighbours.values()) == {size // methods}


def test_another_seed_gives_other_orders_and_the_same_seed_the_same() -> None:
    def orders(seed: int) -> list[list[int]]:
        return [balanced_order(seed=seed, evaluator=0, page=page, methods=4) for page in range(40)]

    assert orders(1) == orders(1)
    assert orders(1) != orders(2)
