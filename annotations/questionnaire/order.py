"""How a study is cut into sub-tasks and in which order each evaluator sees the candidates (pure)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

PAGES_PER_SUBTASK = 10


def split(prompts: Sequence[T], size: int = PAGES_PER_SUBTASK) -> list[Sequence[T]]:
    """Cut prompts into batches of `size`; the last one takes the remainder."""
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    return [prompts[start : start + size] for start in range(0, len(prompts), size)]


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


def balanced_order(*, seed: int, evaluator: int, page: int, methods: int) -> list[int]:
    """Return the methods (as indices 0..methods-1) in the order of their places on one evaluator's page.

    In every block of as many evaluators as there are rows in the Williams design, and of as many pages, the
    rows form a Latin square drawn at random: each evaluator meets each row once, each page is shown in each
    row once. So every method stands in every place equally often over evaluators and over prompts, and yet
    nobody who has guessed one page can work out the next.

    :param seed: the study's secret seed
    :param evaluator: number of the evaluator in the study, from 0
    :param page: number of the page in the study, from 0
    """
    rows = williams_rows(methods)
    size = len(rows)
    # A Mersenne twister is enough: the seed has 63 secret bits and only its choices are ever seen.
    rng = random.Random(f"{seed}/{evaluator // size}/{page // size}")  # noqa: S311
    by_evaluator, by_page, symbols = (rng.sample(range(size), size) for _ in range(3))
    return rows[symbols[(by_evaluator[evaluator % size] + by_page[page % size]) % size]]
