"""Resampling of evaluators and prompts: the pigeonhole bootstrap, and leaving one evaluator out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stats.mixed import Interval, crossed_error, crossed_mean, mean_squares, t_p_value
from stats.scores import Floats

CHUNK_BYTES = 16_000_000


@dataclass(frozen=True)
class BootstrapInterval:
    """Standard error and percentile interval of a mean over resampled evaluators and prompts."""

    se: float
    ci: Interval
    resamples: int

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


def pigeonhole_bootstrap(
    tables: Sequence[Floats],
    *,
    rng: np.random.Generator,
    resamples: int = 10_000,
    confidence_level: float = 0.95,
) -> list[BootstrapInterval | None]:
    """
    Bootstrap the mean of each of `tables`, all (E, P), NaN where missing, resampling both ways at once.

    Each resample draws E evaluators and P prompts with replacement; a cell's weight is the product of
    the two counts. All tables share the draws. None for a table without cells. Reference: Owen (2007),
    The pigeonhole bootstrap, Annals of Applied Statistics 1, 386-411 (it does not understate the error).
    """
    if resamples < 2:
        raise ValueError(f"resamples must be at least 2, got {resamples}")
    if not tables or not tables[0].size:
        return [None] * len(tables)
    evaluators, prompts = tables[0].shape
    row_weights = _multinomial_counts(evaluators, resamples, rng)
    column_weights = _multinomial_counts(prompts, resamples, rng)
    tails = [50 * (1 - confidence_level), 50 * (1 + confidence_level)]
    results: list[BootstrapInterval | None] = []
    for values in tables:
        there = ~np.isnan(values)
        sums = _weighted_sums(np.where(there, values, 0.0), row_weights, column_weights)
        if there.all():
            means = sums / values.size
        else:
            counts = _weighted_sums(there.astype(np.float64), row_weights, column_weights)
            means = sums[counts > 0] / counts[counts > 0]
        if means.size < 2:
            results.append(None)
            continue
        low, high = np.percentile(means, tails)
        results.append(BootstrapInterval(float(means.std(ddof=1)), (float(low), float(high)), resamples))
    return results


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
    stack = np.stack([np.delete(values, e, axis=0) for e in range(evaluators)])
    p_values: list[float | None] = []
    estimates, *squares = mean_squares(stack)
    for estimate, ms_e, ms_p, ms_r in zip(estimates, *squares, strict=True):
        se, df, _ = crossed_error(float(ms_e), float(ms_p), float(ms_r), evaluators - 1, prompts)
        p_values.append(None if df is None else t_p_value(float(estimate) / se, df))
    return LeaveOneOut(tuple(float(estimate) for estimate in estimates), tuple(p_values))


def _multinomial_counts(size: int, resamples: int, rng: np.random.Generator) -> Floats:
    """Return how often each of `size` is drawn in each resample of `size` draws, (resamples, size)."""
    draws = rng.integers(size, size=(resamples, size), dtype=np.int64)
    draws += np.arange(resamples)[:, np.newaxis] * size
    counts = np.bincount(draws.ravel(), minlength=resamples * size)
    return counts.reshape(resamples, size).astype(np.float64)


def _weighted_sums(table: Floats, row_weights: Floats, column_weights: Floats) -> Floats:
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
