"""Resampling of evaluators and prompts: the pigeonhole bootstrap, and leaving one evaluator out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from stats.mixed import Interval, crossed_error, crossed_mean, mean_squares, t_p_value
from stats.ratings.cells import Cells
from stats.scores import Floats

CHUNK_BYTES = 16_000_000
BLOCK_BYTES = 64_000_000
# Beyond so many cells times resamples a bootstrap draws fewer times.
MOST_SUMS = 20_000_000_000
FEWEST_RESAMPLES = 1_000


@dataclass(frozen=True)
class BootstrapInterval:
    """Standard error and percentile interval of a mean over resampled evaluators and prompts."""

    se: float
    ci: Interval
    resamples: int
    # The mean of the cells, each with the same weight, which was resampled.
    estimate: float | None = None

    def excludes(self, value: float) -> bool:
        """Say whether `value` lies outside the interval."""
        return not self.ci[0] <= value <= self.ci[1]


@dataclass(frozen=True)
class LeaveOneOut:
    """Estimate and crossed p-value without each evaluator in turn, in the order of the table's rows."""

    estimates: tuple[float | None, ...]
    p_values: tuple[float | None, ...]

    @property
    def estimate_range(self) -> Interval | None:
        """Return the smallest and largest estimate."""
        return _range(self.estimates)

    @property
    def p_range(self) -> Interval | None:
        """Return the smallest and largest p-value."""
        return _range(self.p_values)


def affordable_resamples(resamples: int, cells: int) -> int:
    """Return how many resamples of so many cells are drawn where `resamples` were asked for."""
    return max(min(resamples, MOST_SUMS // max(cells, 1)), min(resamples, FEWEST_RESAMPLES))


def pigeonhole_bootstrap(
    tables: Sequence[Cells],
    *,
    evaluators: int,
    prompts: int,
    rng: np.random.Generator,
    resamples: int = 10_000,
    confidence_level: float = 0.95,
) -> list[BootstrapInterval | None]:
    """
    Bootstrap the mean of each of `tables`, resampling E `evaluators` and P `prompts` at once.

    Each resample draws E evaluators and P prompts with replacement; a cell's weight is the product of
    the two counts. All tables share the draws. None for a table without cells. Reference: Owen (2007),
    The pigeonhole bootstrap, Annals of Applied Statistics 1, 386-411 (it does not understate the error).
    """
    if resamples < 2:
        raise ValueError(f"resamples must be at least 2, got {resamples}")
    if not tables or not evaluators or not prompts:
        return [None] * len(tables)
    means = np.full((len(tables), resamples), np.nan)
    block = max(BLOCK_BYTES // (8 * max(evaluators, prompts)), 1)
    for start in range(0, resamples, block):
        part = slice(start, min(start + block, resamples))
        rows = _multinomial_counts(evaluators, part.stop - start, rng)
        columns = _multinomial_counts(prompts, part.stop - start, rng)
        for means_of_table, cells in zip(means, tables, strict=True):
            shape = (evaluators, prompts)
            sums = _weighted_sums(_matrix(cells, cells.value, shape), rows, columns)
            counts = np.full(len(sums), float(len(cells)))
            if len(cells) < evaluators * prompts:
                counts = _weighted_sums(_matrix(cells, np.ones(len(cells)), shape), rows, columns)
            np.divide(sums, counts, out=means_of_table[part], where=counts > 0)
    tails = [50 * (1 - confidence_level), 50 * (1 + confidence_level)]
    return [
        _bootstrap_interval(drawn[~np.isnan(drawn)], tails, resamples, cells)
        for drawn, cells in zip(means, tables, strict=True)
    ]


def _bootstrap_interval(
    means: Floats, tails: list[float], resamples: int, cells: Cells
) -> BootstrapInterval | None:
    if means.size < 2:
        return None
    low, high = np.percentile(means, tails)
    return BootstrapInterval(
        float(means.std(ddof=1)), (float(low), float(high)), resamples, float(cells.value.mean())
    )


def _matrix(cells: Cells, values: Floats, shape: tuple[int, int]) -> Any:
    """Return the values of the cells as a matrix, sparse where nine tenths of it are empty, else an array."""
    if len(cells) < shape[0] * shape[1] / 10:
        return scipy.sparse.csr_array((values, (cells.evaluator, cells.prompt)), shape=shape)
    matrix = np.zeros(shape)
    matrix[cells.evaluator, cells.prompt] = values
    return matrix


def leave_one_evaluator_out(values: Floats) -> LeaveOneOut:
    """Estimate the crossed mean of `values` (E, P), NaN where missing, without each evaluator in turn."""
    evaluators, prompts = values.shape
    if evaluators > 2 and prompts > 1 and not np.isnan(values).any():
        return _leave_one_out_complete(values)
    start = crossed_mean(values).variance
    fits = [crossed_mean(np.delete(values, e, axis=0), start=start) for e in range(evaluators)]
    return LeaveOneOut(tuple(fit.estimate for fit in fits), tuple(fit.p for fit in fits))


def _leave_one_out_complete(values: Floats) -> LeaveOneOut:
    evaluators, prompts = values.shape
    estimates: list[float] = []
    p_values: list[float | None] = []
    at_once = max(1, BLOCK_BYTES // (8 * values.size))
    for start in range(0, evaluators, at_once):
        left_out = range(start, min(start + at_once, evaluators))
        means, *squares = mean_squares(np.stack([np.delete(values, e, axis=0) for e in left_out]))
        for estimate, ms_e, ms_p, ms_r in zip(means, *squares, strict=True):
            se, df, _ = crossed_error(float(ms_e), float(ms_p), float(ms_r), evaluators - 1, prompts)
            estimates.append(float(estimate))
            p_values.append(None if df is None else t_p_value(float(estimate) / se, df))
    return LeaveOneOut(tuple(estimates), tuple(p_values))


def _multinomial_counts(size: int, resamples: int, rng: np.random.Generator) -> Floats:
    """Return how often each of `size` is drawn in each resample of `size` draws, (resamples, size)."""
    draws = rng.integers(size, size=(resamples, size), dtype=np.int64)
    draws += np.arange(resamples)[:, np.newaxis] * size
    counts = np.bincount(draws.ravel(), minlength=resamples * size)
    return counts.reshape(resamples, size).astype(np.float64)


def _weighted_sums(table: Any, row_weights: Floats, column_weights: Floats) -> Floats:
    """Return r' table c for each pair of weight rows, in chunks that bound the memory."""
    resamples, prompts = column_weights.shape
    chunk = max(1, CHUNK_BYTES // (8 * prompts))
    sums = np.empty(resamples)
    for start in range(0, resamples, chunk):
        part = slice(start, start + chunk)
        sums[part] = np.einsum("bp,bp->b", row_weights[part] @ table, column_weights[part])
    return sums


def _range(values: Sequence[float | None]) -> Interval | None:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else None
