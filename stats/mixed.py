"""
The mean of an evaluators x prompts table when both evaluators and prompts are a sample.

Model: y[e, p] = mu + u_e + v_p + r_ep with independent random effects. The closed form is used where no
cell is missing and equals balanced REML, REML itself (`stats.reml`) where cells are missing.

References: Clark (1973), The language-as-fixed-effect fallacy, J. Verbal Learning 12, 335-359;
Judd, Westfall and Kenny (2012), Treating stimuli as a random factor, JPSP 103, 54-69;
Satterthwaite (1946), Biometrics Bulletin 2, 110-114.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Literal

import numpy as np
import scipy

from stats.ratings.cells import Cells
from stats.ratings.model import fit_ratings_model
from stats.ratings.table import RatingTable
from stats.reml import fit_crossed_reml
from stats.scores import Criterion, Floats

# Above so many cells a table that has holes is not laid out, but fitted from the cells that are there.
MOST_LAID_OUT = 100_000
Alternative = Literal["two-sided", "less", "greater"]
Interval = tuple[float, float]


@dataclass(frozen=True)
class VarianceComponents:
    """Variances of the evaluators' effects, the prompts' effects and the residual."""

    evaluator: float
    prompt: float
    residual: float

    @property
    def total(self) -> float:
        """Return the sum of the three."""
        return self.evaluator + self.prompt + self.residual

    def as_dict(self) -> dict[str, float]:
        """Return the three by name."""
        return {"evaluator": self.evaluator, "prompt": self.prompt, "residual": self.residual}


@dataclass(frozen=True)
class CrossedMean:
    """
    An estimated mean with its crossed standard error and Satterthwaite degrees of freedom.

    `se`, `df` and `variance` are None where the table is too small to estimate them (fewer than two
    evaluators or two prompts, or no cell beyond what the effects take up); `t`, `p` and `ci` are None
    there, where nothing varies and where the result is `descriptive_only`. `estimate` is None where
    there is no cell at all. `variance` is None also where the error is cluster-robust. `method` is
    'ratings model' where the difference is that of all ratings, which are then its cells, and 'these
    evaluators' where it is conditional on the evaluators, over new prompts.
    """

    estimate: float | None
    se: float | None
    df: float | None
    variance: VarianceComponents | None
    evaluators: int
    prompts: int
    cells: int
    method: Literal["closed form", "REML", "ratings model", "these evaluators", "cluster-robust", "none"]
    confidence_level: float = 0.95
    descriptive_only: bool = False

    @property
    def is_testable(self) -> bool:
        """Say whether there is a standard error above zero to test with."""
        return not self.descriptive_only and self.df is not None and bool(self.se)

    @property
    def t(self) -> float | None:
        """Return estimate / se."""
        return self.t_against(0.0)

    @property
    def p(self) -> float | None:
        """Return the two-sided p-value of a mean of zero."""
        return self.p_value()

    @property
    def ci(self) -> Interval | None:
        """Return the confidence interval at `confidence_level`."""
        return self.interval(self.confidence_level)

    @property
    def missing(self) -> int:
        """Count the cells that are not there."""
        if self.method in ("ratings model", "these evaluators"):
            return 0
        return self.evaluators * self.prompts - self.cells

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return {
            "estimate": self.estimate,
            "se": self.se,
            "df": self.df,
            "t": self.t,
            "p": self.p,
            "ci": interval_list(self.ci),
            "variance": None if self.variance is None else self.variance.as_dict(),
            "cells": self.cells,
            "missing": self.missing,
            "analysis": self.method,
        }

    def t_against(self, null: float) -> float | None:
        """Return (estimate - null) / se."""
        if self.estimate is None or self.se is None or not self.is_testable:
            return None
        return (self.estimate - null) / self.se

    def p_value(self, null: float = 0.0, alternative: Alternative = "two-sided") -> float | None:
        """Return the p-value of a mean equal to `null`; 'greater' speaks for a larger mean."""
        t = self.t_against(null)
        return None if t is None or self.df is None else t_p_value(t, self.df, alternative)

    def interval(self, confidence_level: float) -> Interval | None:
        """Return the two-sided confidence interval at this level, for example .9 for a TOST."""
        if self.estimate is None or self.se is None or self.df is None or not self.is_testable:
            return None
        return t_interval(self.estimate, self.se, self.df, confidence_level)


def interval_list(interval: Interval | None) -> list[float] | None:
    """Return an interval ready for JSON."""
    return None if interval is None else list(interval)


def t_p_value(t: float, df: float, alternative: Alternative = "two-sided") -> float:
    """Return the p-value of Student's t."""
    if alternative == "two-sided":
        return float(2 * scipy.special.stdtr(df, -abs(t)))
    if alternative == "greater":
        return float(scipy.special.stdtr(df, -t))
    if alternative == "less":
        return float(scipy.special.stdtr(df, t))
    raise ValueError(f"alternative must be 'two-sided', 'less' or 'greater'; got {alternative!r}")


def t_interval(estimate: float, se: float, df: float, confidence_level: float) -> Interval:
    """Return estimate -+ t quantile x se."""
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level must lie between 0 and 1, got {confidence_level}")
    half = float(scipy.special.stdtrit(df, (1 + confidence_level) / 2)) * se
    return estimate - half, estimate + half


def within_shares(ci: Interval) -> Interval:
    """Return the interval of a share, which is nowhere below 0 or above 1."""
    return min(max(ci[0], 0.0), 1.0), min(max(ci[1], 0.0), 1.0)


def crossed_mean(
    values: Floats, *, confidence_level: float = 0.95, start: VarianceComponents | None = None
) -> CrossedMean:
    """
    Estimate the mean of `values` (E, P), NaN where missing, over new evaluators and new prompts.

    Complete table, with mean squares MS_e, MS_p, MS_r of the two-way layout::

        V  = (MS_e + MS_p - MS_r) / (E P)
        df = (MS_e + MS_p - MS_r)^2 / (MS_e^2 / (E-1) + MS_p^2 / (P-1) + MS_r^2 / ((E-1)(P-1)))

    A variance estimate below zero is set to zero and its mean square pooled, as REML does: V = MS_p / (EP)
    with df = P - 1 without evaluator variance, V = MS_e / (EP) with df = E - 1 without prompt variance,
    the one-sample t over all cells without either. Evaluators and prompts with no cell are left out.
    `start` may give the components of a table that is nearly the same, to begin REML from.
    """
    values = np.asarray(values, dtype=np.float64)
    there = ~np.isnan(values)
    kept = values[there.any(axis=1)][:, there.any(axis=0)]
    evaluators, prompts = kept.shape
    cells = int(np.count_nonzero(there))
    if cells == 0:
        return CrossedMean(None, None, None, None, 0, 0, 0, "none", confidence_level)
    if evaluators < 2 or prompts < 2:
        estimate = float(np.nanmean(kept))
        return CrossedMean(estimate, None, None, None, evaluators, prompts, cells, "none", confidence_level)
    if cells < kept.size:
        return _from_reml(kept, cells, confidence_level, start)
    estimate, ms_e, ms_p, ms_r = (float(ms[0]) for ms in mean_squares(kept[np.newaxis]))
    se, df, variance = crossed_error(ms_e, ms_p, ms_r, evaluators, prompts)
    return CrossedMean(
        estimate, se, df, variance, evaluators, prompts, cells, "closed form", confidence_level
    )


def crossed_mean_of_cells(cells: Cells, *, confidence_level: float = 0.95) -> CrossedMean:
    """Estimate the mean as `crossed_mean` does, from the cells alone where a table of them would be large."""
    kept, evaluators, prompts = cells.numbered()
    if is_laid_out(cells):
        return crossed_mean(kept.table(evaluators, prompts), confidence_level=confidence_level)
    return _from_random_effects(kept, evaluators, prompts, confidence_level)


def lowest_df(cells: Cells) -> float:
    """
    Return the least df that a complete table of as many evaluators and prompts can have, and 1 at the least.

    1 / (1 / (E-1) + 1 / (P-1) + 1 / ((E-1)(P-1))), where all mean squares are equal. Of unequal numbers of cells E and
    P are the effective ones, (sum n)^2 / sum n^2. Satterthwaite's approximation falls below it, to next to
    nothing, only where a variance can hardly be told from zero.
    """
    effective = []
    for side in (cells.evaluator, cells.prompt):
        counts = np.bincount(side).astype(np.float64)
        effective.append(float(counts.sum() ** 2 / (counts @ counts)) - 1)
    e, p = effective
    if e <= 0 or p <= 0:
        return 1.0
    return max(1 / (1 / e + 1 / p + 1 / (e * p)), 1.0)


def is_laid_out(cells: Cells) -> bool:
    """Say whether cells are analysed as a table of evaluators x prompts: where that is small, or they fill it."""
    _, evaluators, prompts = cells.numbered()
    size = evaluators * prompts
    return len(cells) == size or size <= MOST_LAID_OUT or min(evaluators, prompts) < 2


def mean_squares(stack: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return mean, MS_e, MS_p and MS_r, each (K,), of complete tables `stack` (K, E, P), E and P at least 2."""
    _, evaluators, prompts = stack.shape
    row_means = stack.mean(axis=2)  # (K, E)
    column_means = stack.mean(axis=1)  # (K, P)
    means = row_means.mean(axis=1)  # (K,)
    rows = row_means - means[:, np.newaxis]
    columns = column_means - means[:, np.newaxis]
    rest = stack - row_means[:, :, np.newaxis] - columns[:, np.newaxis, :]
    ms_e = prompts * (rows**2).sum(axis=1) / (evaluators - 1)
    ms_p = evaluators * (columns**2).sum(axis=1) / (prompts - 1)
    ms_r = np.einsum("kep,kep->k", rest, rest) / ((evaluators - 1) * (prompts - 1))
    # Without this, constant tables of a value like 0.1 have variances of 1e-32 in place of none.
    floor = (1e-13 * np.abs(stack).max(axis=(1, 2))) ** 2
    for ms in (ms_e, ms_p, ms_r):
        ms[ms <= floor * evaluators * prompts] = 0.0
    return means, ms_e, ms_p, ms_r


def crossed_error(
    ms_e: float, ms_p: float, ms_r: float, evaluators: int, prompts: int
) -> tuple[float, float | None, VarianceComponents]:
    """
    Return the standard error, df (None without variance) and variance components of a complete table.

    At the boundary the smallest mean square is pooled first, which gives the REML estimates (Thompson
    1962, Annals of Mathematical Statistics 33, 273-289): both effects vanish only where the second one
    still has the smaller mean square after the first was pooled.
    """
    cells = evaluators * prompts
    residual, df_residual = ms_r, (evaluators - 1) * (prompts - 1)
    kept = {}
    for name, ms, df in sorted((("e", ms_e, evaluators - 1), ("p", ms_p, prompts - 1)), key=itemgetter(1)):
        if ms <= residual * (1 + 1e-9):  # Mean squares of whole numbers tie; rounding must not decide.
            residual = (df * ms + df_residual * residual) / (df + df_residual)
            df_residual += df
        else:
            kept[name] = ms, df
    variance = VarianceComponents(
        (kept["e"][0] - residual) / prompts if "e" in kept else 0.0,
        (kept["p"][0] - residual) / evaluators if "p" in kept else 0.0,
        residual,
    )
    # One formula for all four cases: the residual counts once less than there are effects left.
    weight = len(kept) - 1
    total = sum(ms for ms, _ in kept.values()) - weight * residual
    if total == 0:
        return 0.0, None, variance
    spread = sum(ms**2 / df for ms, df in kept.values()) + (weight * residual) ** 2 / df_residual
    return math.sqrt(total / cells), total**2 / spread, variance


def _from_random_effects(cells: Cells, evaluators: int, prompts: int, confidence_level: float) -> CrossedMean:
    """
    Estimate from a large table with holes, or from one with too few cells for fixed effects.

    Random effects need evaluators with two cells and prompts with two cells, told apart (`stats.ratings.terms`).
    """
    none = CrossedMean(
        float(cells.value.mean()), None, None, None, evaluators, prompts, len(cells), "none", confidence_level
    )
    one = np.zeros(len(cells), dtype=np.int64)
    model = fit_ratings_model(
        RatingTable(
            evaluator=cells.evaluator,
            prompt=cells.prompt,
            method=one,
            criterion=one,
            score=cells.value,
            evaluators=tuple(str(number) for number in range(evaluators)),
            prompts=tuple(str(number) for number in range(prompts)),
            methods=("difference",),
            criteria=(Criterion("difference", 0, 1),),
        )
    )
    if model is None or not model.is_converged or {"evaluator", "prompt"} & {d.term for d in model.dropped}:
        return none
    estimate, se, df = model.mean(0)
    variance = model.variance
    return replace(
        none,
        estimate=estimate,
        se=se,
        df=None if df is None else max(df, lowest_df(cells)),
        variance=VarianceComponents(variance.evaluator or 0.0, variance.prompt or 0.0, variance.residual),
        method="REML",
    )


def _from_reml(
    kept: Floats, cells: int, confidence_level: float, start: VarianceComponents | None
) -> CrossedMean:
    evaluators, prompts = kept.shape
    fit = fit_crossed_reml(kept, None if start is None else (start.evaluator, start.prompt, start.residual))
    if fit is None:
        return _from_random_effects(Cells.of_table(kept), evaluators, prompts, confidence_level)
    return CrossedMean(
        fit.estimate,
        fit.se,
        None if fit.df is None else max(fit.df, lowest_df(Cells.of_table(kept))),
        VarianceComponents(*fit.variances),
        evaluators,
        prompts,
        cells,
        "REML",
        confidence_level,
    )
