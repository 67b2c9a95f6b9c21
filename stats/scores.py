"""The ratings of one study as arrays: what every statistic in this package starts from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Criterion:
    """One quality that was asked about, with the ends of its scale."""

    key: str
    minimum: float
    maximum: float
    is_overall: bool = False
    lower_is_better: bool = False

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError("key must not be empty")
        if not self.minimum < self.maximum:
            raise ValueError(f"minimum must be below maximum, got {self.minimum} and {self.maximum}")

    @property
    def direction(self) -> int:
        """Return 1, or -1 where the lowest score is the best: times it, the higher score is the better one."""
        return -1 if self.lower_is_better else 1


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """
    Ratings of E evaluators for P prompts under M methods on C criteria.

    `scores` (E, P, M, C) holds NaN where a rating is missing; a rating off its scale is kept as it is.
    `best` (E, P) is the index of the method picked as best, or -1. `positions` (E, P, M), where it is
    known, is the place at which a text was shown, from 0, or -1. The arrays are copied and read-only.
    """

    scores: Floats
    evaluators: tuple[str, ...]
    prompts: tuple[str, ...]
    methods: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    best: Ints
    positions: Ints | None = None

    def __post_init__(self) -> None:
        for name in ("evaluators", "prompts", "methods"):
            object.__setattr__(self, name, _unique_keys(name, getattr(self, name)))
        object.__setattr__(self, "criteria", tuple(self.criteria))
        _unique_keys("criteria", [criterion.key for criterion in self.criteria])
        if sum(criterion.is_overall for criterion in self.criteria) > 1:
            raise ValueError("criteria must have at most one overall criterion")

        pages = (len(self.evaluators), len(self.prompts))
        candidates = (*pages, len(self.methods))
        scores = _read_only("scores", self.scores, np.float64, (*candidates, len(self.criteria)))
        if np.isinf(scores).any():
            raise ValueError("scores must be finite, or NaN where a rating is missing")
        object.__setattr__(self, "scores", scores)
        for name, shape in (("best", pages), ("positions", candidates)):
            if getattr(self, name) is None and name == "positions":
                continue
            array = _read_only(name, getattr(self, name), np.int64, shape)
            if array.size and (array.min() < -1 or array.max() >= len(self.methods)):
                raise ValueError(f"{name} must be -1 or 0 to {len(self.methods) - 1}")
            object.__setattr__(self, name, array)

    @cached_property
    def overall(self) -> Criterion | None:
        """Return the overall criterion, or None where the study has none."""
        return next((criterion for criterion in self.criteria if criterion.is_overall), None)

    def criterion(self, key: str) -> Criterion:
        """Return a criterion by its key."""
        return self.criteria[self.criterion_index(key)]

    def criterion_index(self, key: str) -> int:
        """Return the place of a criterion on the last axis of `scores`."""
        for index, criterion in enumerate(self.criteria):
            if criterion.key == key:
                return index
        legal = ", ".join(criterion.key for criterion in self.criteria)
        raise ValueError(f"criterion must be one of {legal}; got {key!r}")

    def for_criterion(self, key: str) -> Floats:
        """Return the ratings on one criterion, shape (E, P, M)."""
        ratings: Floats = self.scores[..., self.criterion_index(key)]
        return ratings

    def off_scale(self) -> Bools:
        """Return where a rating lies outside its criterion's scale, shape (E, P, M, C)."""
        low = np.array([criterion.minimum for criterion in self.criteria], dtype=np.float64)
        high = np.array([criterion.maximum for criterion in self.criteria], dtype=np.float64)
        outside: Bools = (self.scores < low) | (self.scores > high)
        return outside

    def with_off_scale_missing(self) -> ScoreTable:
        """Return the table with every off-scale rating taken as missing."""
        return replace(self, scores=np.where(self.off_scale(), np.nan, self.scores))

    def only_evaluators(self, keys: Iterable[str]) -> ScoreTable:
        """Return the table of these evaluators alone, in the order of this table."""
        wanted = set(keys)
        unknown = wanted.difference(self.evaluators)
        if unknown:
            raise ValueError(f"keys has evaluators who are not in the table: {', '.join(sorted(unknown))}")
        rows = np.array([evaluator in wanted for evaluator in self.evaluators], dtype=np.bool_)
        return replace(
            self,
            scores=self.scores[rows],
            evaluators=tuple(evaluator for evaluator in self.evaluators if evaluator in wanted),
            best=self.best[rows],
            positions=None if self.positions is None else self.positions[rows],
        )


def _unique_keys(name: str, keys: Sequence[str]) -> tuple[str, ...]:
    if len(set(keys)) != len(keys):
        raise ValueError(f"{name} must have no key twice")
    return tuple(keys)


def _read_only(
    name: str, values: object, dtype: type[np.float64] | type[np.int64], shape: tuple[int, ...]
) -> NDArray[Any]:
    array = np.array(values, dtype=dtype)
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, got {array.shape}")
    array.setflags(write=False)
    return array
