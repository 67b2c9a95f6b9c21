"""Which texts of a prompt share a page of one evaluator, where not all of them do: balanced incomplete blocks (pure).

The evaluators of a sub-task, in order, and the pages of each make one sequence. It is dealt in cycles: each cycle has
all blocks of a design in which every pair of methods stands together equally often, in an order drawn afresh. So over
the pages of a sub-task no pair is more than one cycle ahead of another, and all methods are connected once a cycle is
full. The orders inside a block are Williams rows over the cycles. Bailey (2008), Design of comparative experiments, 11.
"""

from __future__ import annotations

import random
from functools import lru_cache
from itertools import combinations
from math import comb, lcm

from annotations.questionnaire.order import balanced_order, williams_rows

# Exchanges of two methods that are tried to even a design out.
EXCHANGES = 30_000

Block = tuple[int, ...]


def cycle_length(methods: int, size: int) -> int:
    """Return the fewest blocks in which each method and each pair of methods can stand equally often."""
    each_method = lcm(methods, size) // size
    together = size * (size - 1)
    each_pair = lcm(methods * (methods - 1), together) // together
    return lcm(each_method, each_pair)


@lru_cache
def balanced_blocks(methods: int, size: int) -> tuple[Block, ...]:
    """Return blocks of `size` of so many methods, each method and each pair of methods equally often.

    For pairs, and for all methods but one, these are all blocks there are. Others are found by exchanges: up to 12
    methods exactly, of more so that a pair stands together at most two times more or less often than in the mean.
    """
    if not 2 <= size <= methods:
        raise ValueError(f"size must be 2 to {methods}, got {size}")
    if size in (2, methods - 1, methods) or comb(methods, size) == cycle_length(methods, size):
        return tuple(combinations(range(methods), size))
    # A design is no secret: whoever reads this file has it.
    rng = random.Random(f"{methods}/{size}")  # noqa: S311
    number = cycle_length(methods, size)
    items = [item for _ in range(number * size // methods) for item in rng.sample(range(methods), methods)]
    blocks = [set(items[start : start + size]) for start in range(0, len(items), size)]
    spare = [
        item
        for start, block in enumerate(blocks)
        for item in _twice(items[start * size : (start + 1) * size])
    ]
    _fill(blocks, spare, size, rng)
    _even_out(blocks, methods, rng)
    return tuple(sorted(tuple(sorted(block)) for block in blocks))


def _twice(items: list[int]) -> list[int]:
    """Return what of some items has come before."""
    return [item for place, item in enumerate(items) if item in items[:place]]


def _fill(blocks: list[set[int]], spare: list[int], size: int, rng: random.Random) -> None:
    """Give the methods that two draws put into one block to blocks that lack one, by exchanges where need be."""
    for item in spare:
        short = next(block for block in blocks if len(block) < size)
        if item not in short:
            short.add(item)
            continue
        others = [block for block in blocks if len(block) == size and item not in block and block - short]
        other = rng.choice(others)
        moved = rng.choice(sorted(other - short))
        other.remove(moved)
        other.add(item)
        short.add(moved)


def _even_out(blocks: list[set[int]], methods: int, rng: random.Random) -> None:
    """Exchange methods of two blocks while that makes the pairs no more uneven, until they are even."""
    together = [[0] * methods for _ in range(methods)]
    for block in blocks:
        for a, b in combinations(block, 2):
            together[a][b] += 1
            together[b][a] += 1
    pairs = methods * (methods - 1)
    mean = sum(map(sum, together)) / pairs
    uneven = sum((count - mean) ** 2 for row in together for count in row) / 2 - methods * mean**2 / 2
    for _ in range(EXCHANGES):
        if uneven < 0.5:
            return
        one, other = rng.sample(blocks, 2)
        gives, takes = sorted(one - other), sorted(other - one)
        if not gives:
            continue
        a, b = rng.choice(gives), rng.choice(takes)
        # Whom a leaves and b joins, and the other way round; whoever stands in both blocks keeps both.
        left, joined = [item for item in gives if item != a], [item for item in takes if item != b]
        change = sum(2 * (together[b][item] - together[a][item]) + 2 for item in left) + sum(
            2 * (together[a][item] - together[b][item]) + 2 for item in joined
        )
        if change > 0:
            continue
        uneven += change
        for items, leaves, joins in ((left, a, b), (joined, b, a)):
            for item in items:
                for method, step in ((leaves, -1), (joins, 1)):
                    together[method][item] += step
                    together[item][method] += step
        one.symmetric_difference_update((a, b))
        other.symmetric_difference_update((a, b))


def block_order(*, seed: int, of: str, place: int, methods: int, size: int) -> list[int]:
    """Return the methods (as indices 0..methods-1) of one page in the order in which they stand there.

    :param seed: the study's secret seed
    :param of: what the sequence is of, such as a sub-task
    :param place: place of the page in the sequence, from 0
    """
    design = balanced_blocks(methods, size)
    cycle, in_cycle = divmod(place, len(design))
    # As many cycles as there are orders of a block share the names of the methods, so that each block has every order.
    names_of = cycle // len(williams_rows(size))
    # A Mersenne twister is enough: the seed has 63 secret bits and only its choices are ever seen.
    names = random.Random(f"{seed}/{of}/names {names_of}").sample(range(methods), methods)  # noqa: S311
    dealt = random.Random(f"{seed}/{of}/cycle {cycle}").sample(range(len(design)), len(design))  # noqa: S311
    block = sorted(names[method] for method in design[dealt[in_cycle]])
    order = balanced_order(
        seed=seed, evaluator=cycle, page=f"{of}/{names_of}/{dealt[in_cycle]}", methods=size
    )
    return [block[place_in_block] for place_in_block in order]
