"""Tables of evaluators x prompts of which only the cells that are there are kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stats.ratings.numbering import renumbered
from stats.scores import Floats, Ints


@dataclass(frozen=True, eq=False)
class Cells:
    """N values (N,), each of one evaluator and one prompt, numbered from 0; no two are of the same two."""

    evaluator: Ints
    prompt: Ints
    value: Floats

    def __len__(self) -> int:
        return len(self.value)

    @classmethod
    def of_table(cls, values: Floats) -> Cells:
        """Return the cells of a table (E, P), NaN where there is none."""
        evaluator, prompt = np.nonzero(~np.isnan(values))
        return cls(evaluator, prompt, values[evaluator, prompt])

    def numbered(self) -> tuple[Cells, int, int]:
        """Return the cells with evaluators and prompts numbered without gaps, and how many there are of each."""
        evaluators, evaluator = renumbered(self.evaluator)
        prompts, prompt = renumbered(self.prompt)
        return Cells(evaluator, prompt, self.value), len(evaluators), len(prompts)

    def table(self, evaluators: int, prompts: int) -> Floats:
        """Return the cells as a table (E, P), NaN where there is none."""
        values = np.full((evaluators, prompts), np.nan)
        values[self.evaluator, self.prompt] = self.value
        return values

    def sums_by_evaluator(self) -> tuple[Floats, Floats]:
        """Return the sum and the number of the cells of every evaluator (E,)."""
        return _sums(self.evaluator, self.value)

    def sums_by_prompt(self) -> tuple[Floats, Floats]:
        """Return the sum and the number of the cells of every prompt (P,)."""
        return _sums(self.prompt, self.value)


@dataclass(frozen=True, eq=False)
class PairedRatings:
    """The ratings (N,) that an evaluator gave to two methods on the page of one prompt."""

    evaluator: Ints
    prompt: Ints
    a: Floats
    b: Floats

    @classmethod
    def of_tables(cls, a: Floats, b: Floats) -> PairedRatings:
        """Return the pages on which both tables (E, P) have a rating, NaN where there is none."""
        evaluator, prompt = np.nonzero(~np.isnan(a) & ~np.isnan(b))
        return cls(evaluator, prompt, a[evaluator, prompt], b[evaluator, prompt])

    @property
    def differences(self) -> Cells:
        """Return b - a of every page."""
        return Cells(self.evaluator, self.prompt, self.b - self.a)


def _sums(place: Ints, values: Floats) -> tuple[Floats, Floats]:
    counts: Floats = np.bincount(place).astype(np.float64)
    sums: Floats = np.bincount(place, values).astype(np.float64)
    return sums, counts
