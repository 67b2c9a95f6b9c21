"""Numbering the levels of a factor from 0 without gaps, in a time that grows with the ratings."""

from __future__ import annotations

import numpy as np

from stats.scores import Ints

# So many times more numbers than ratings are looked up in a table of them; beyond that they are sorted.
MOST_NUMBERS = 16


def renumbered(keys: Ints) -> tuple[Ints, Ints]:
    """
    Return the different `keys` (N,) in order and the place of every key among them, as `numpy.unique` does.

    >>> [part.tolist() for part in renumbered(np.array([7, 3, 7, 4]))]
    [[3, 4, 7], [2, 0, 2, 1]]
    """
    if not _is_dense(keys):
        levels, places = np.unique(keys, return_inverse=True)
        return levels, places
    there = np.zeros(int(keys.max()) + 1, dtype=np.bool_)
    there[keys] = True
    numbers = np.cumsum(there, dtype=np.int32)
    return np.flatnonzero(there), numbers[keys].astype(np.int64) - 1


def count_levels(keys: Ints) -> int:
    """
    Count the different `keys` (N,).

    >>> count_levels(np.array([7, 3, 7, 4]))
    3
    """
    if not _is_dense(keys):
        return len(np.unique(keys))
    there = np.zeros(int(keys.max()) + 1, dtype=np.bool_)
    there[keys] = True
    return int(np.count_nonzero(there))


def _is_dense(keys: Ints) -> bool:
    return bool(len(keys)) and int(keys.min()) >= 0 and int(keys.max()) < MOST_NUMBERS * len(keys)
