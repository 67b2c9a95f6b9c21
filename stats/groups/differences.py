"""
By how much a difference between two methods differs between two groups, over new evaluators and prompts.

Model, in group g: D[e, p] = mu_g + u_e + v_p + w_gp + r_ep, the effects of prompts on both groups (v) cancelling.
Complete tables of E_g evaluators and the same P prompts, with d_p the difference of the groups' means on prompt p,
MS_e and MS_r the mean squares of evaluators and of the residual inside each group, and s2_d the variance of d_p::

    V  = A + B - C,   A = sum_g MS_e / (E_g P),   B = s2_d / P,   C = sum_g MS_r / (E_g P)
    df = V^2 / (sum_g (MS_e / (E_g P))^2 / (E_g - 1) + B^2 / (P - 1) + sum_g (MS_r / (E_g P))^2 / ((E_g - 1)(P - 1)))

Each mean square has the expectation that makes V unbiased; a component below zero is set to zero, as in `stats.mixed`:
V = A with Welch's df without prompts by groups, V = B with df = P - 1 without evaluators, the larger one without
either. Satterthwaite (1946), Biometrics Bulletin 2, 110-114; Clark (1973). With missing cells the error is
cluster-robust in both directions (Cameron, Gelbach and Miller 2011), with df = min(E_1, E_2, P) - 1.
"""

from __future__ import annotations

import numpy as np

from stats.cluster import two_way_mean
from stats.mixed import CrossedMean
from stats.ratings.cells import Cells
from stats.scores import Floats, Ints

FEWEST = 2


def difference_of_groups(first: Cells, second: Cells, *, confidence_level: float = 0.95) -> CrossedMean:
    """
    Return the mean of the second group's cells less that of the first's, with its crossed standard error.

    Cells are differences of two methods by evaluator and prompt, the prompts of both groups numbered alike and no
    evaluator in both.
    """
    evaluators = len(np.unique(first.evaluator)) + len(np.unique(second.evaluator))
    prompts = np.unique(np.concatenate([first.prompt, second.prompt]))
    cells = len(first) + len(second)
    if not (len(first) and len(second)):
        return CrossedMean(None, None, None, None, evaluators, len(prompts), cells, "none", confidence_level)
    tables = [_table(group, prompts) for group in (first, second)]
    if all(_is_complete(table) for table in tables) and len(prompts) >= FEWEST:
        estimate, se, df = _closed_form(*tables)
        return CrossedMean(
            estimate,
            se,
            df,
            None,
            evaluators,
            len(prompts),
            cells,
            "closed form",
            confidence_level,
        )
    return _robust(first, second, evaluators, len(prompts), confidence_level)


def _table(cells: Cells, prompts: Ints) -> Floats:
    """Return the cells as evaluators x prompts, NaN where there is none."""
    _, evaluator = np.unique(cells.evaluator, return_inverse=True)
    table = np.full((int(evaluator.max()) + 1, len(prompts)), np.nan)
    table[evaluator, np.searchsorted(prompts, cells.prompt)] = cells.value
    return table


def _is_complete(table: Floats) -> bool:
    return len(table) >= FEWEST and not np.isnan(table).any()


def _closed_form(first: Floats, second: Floats) -> tuple[float, float | None, float | None]:
    """Return the estimate, its standard error and degrees of freedom from two complete tables of the same prompts."""
    prompts = first.shape[1]
    of_evaluators, of_residuals = [], []
    for table in (first, second):
        rows = table.mean(axis=1)
        rest = table - rows[:, np.newaxis] - table.mean(axis=0) + table.mean()
        size = len(table)
        of_evaluators.append((float(rows.var(ddof=1)) / size, size - 1))
        square = float((rest**2).sum()) / ((size - 1) * (prompts - 1))
        of_residuals.append((square / (size * prompts), (size - 1) * (prompts - 1)))
    by_prompt = second.mean(axis=0) - first.mean(axis=0)
    estimate = float(by_prompt.mean())
    a, c = (sum(part for part, _ in parts) for parts in (of_evaluators, of_residuals))
    b = float(by_prompt.var(ddof=1)) / prompts
    if a > c and b > c:
        parts = [*of_evaluators, (b, prompts - 1), *of_residuals]
    elif b <= c and a >= b:
        parts = of_evaluators
    else:
        parts = [(b, prompts - 1)]
    variance = a + b - c if a > c and b > c else sum(part for part, _ in parts)
    below = sum(part**2 / df for part, df in parts)
    if not below:
        return estimate, None, None
    return estimate, variance**0.5, variance**2 / below


def _robust(
    first: Cells, second: Cells, evaluators: int, prompts: int, confidence_level: float
) -> CrossedMean:
    """Return the difference with errors robust to evaluators and prompts; without one where these are too few."""
    estimate = float(second.value.mean() - first.value.mean())
    cells = len(first) + len(second)
    # What each cell moves the estimate by, as many times as there are cells: their mean is the estimate.
    moved = np.concatenate(
        [
            -(first.value - first.value.mean()) * cells / len(first),
            (second.value - second.value.mean()) * cells / len(second),
        ]
    )
    prompt = np.concatenate([first.prompt, second.prompt])
    # Of evaluators of both groups no two are one.
    evaluator = np.concatenate([first.evaluator, second.evaluator])
    found = two_way_mean(
        moved + estimate,
        np.unique(evaluator, return_inverse=True)[1],
        np.unique(prompt, return_inverse=True)[1],
        confidence_level=confidence_level,
        floor_at_iid=True,
    )
    smallest = min(len(np.unique(group.evaluator)) for group in (first, second))
    if found is None or smallest < FEWEST:
        return CrossedMean(estimate, None, None, None, evaluators, prompts, cells, "none", confidence_level)
    return CrossedMean(
        estimate,
        found.se,
        float(min(smallest, prompts) - 1) if found.se > 0 else None,
        None,
        evaluators,
        prompts,
        cells,
        "cluster-robust",
        confidence_level,
    )
