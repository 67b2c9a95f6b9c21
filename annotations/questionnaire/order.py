"""How a study is cut into sub-tasks and in which order each evaluator sees the candidates (pure)."""

from __future__ import annotations

import random


def williams_rows(methods: int) -> list[list[int]]:
    """Return orders of `methods` items in which each stands equally often in each place and after each other.

    An even number needs as many rows as items, an odd one twice as many, the second half mirrored.
    Williams (1949), Experimental designs balanced for the estimation of residual effects of treatments.
    """
    if methods < 1:
        raise ValueError(f"methods must be at least 1, got {methods}")
    # 0, 1, n-1, 2, n-2, ...: neighbours differ by every amount once.
    first = [(place + 1) // 2 if place % 2 else (methods - place // 2) % methods for place in range(methods)]
    rows = [[(item + shift) % methods for item in first] for shift in range(methods)]
    return rows if methods % 2 == 0 else rows + [row[::-1] for row in rows]


def balanced_order(*, seed: int, evaluator: int, page: int | str, methods: int) -> list[int]:
    """Return the methods (as indices 0..methods-1) in the order of their places on one evaluator's page.

    For every page and block of as many evaluators as the Williams design has rows, the methods are relabelled by a
    permutation and the rows dealt out, both drawn afresh. So over the evaluators of a page every method stands
    equally often in every place and after every other. The pages of one evaluator are independent of each other,
    each in any of the methods! orders: whoever recognises a method learns nothing about another, here or elsewhere.

    :param seed: the study's secret seed
    :param evaluator: number of the evaluator among those of the page, from 0
    :param page: number of the page in the study, from 0, or another name of what is ordered
    """
    rows = williams_rows(methods)
    block, place_in_block = divmod(evaluator, len(rows))
    # A Mersenne twister is enough: the seed has 63 secret bits and only its choices are ever seen.
    rng = random.Random(f"{seed}/block {block}/page {page}")  # noqa: S311
    relabelled = rng.sample(range(methods), methods)
    dealt = rng.sample(rows, len(rows))
    return [relabelled[label] for label in dealt[place_in_block]]
