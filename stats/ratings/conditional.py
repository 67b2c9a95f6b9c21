"""
The difference of two methods for these evaluators, over new prompts: what two to five evaluators allow.

The evaluators are fixed: the difference is the mean over them of each one's difference of means, and only prompts are
a sample. Complete pages make it the paired t-test over prompts of the mean over evaluators. Elsewhere each prompt is a
cluster, with the CR2 variance of Bell and McCaffrey (2002), Survey Methodology 28, 169-181, and their degrees of
freedom; where every prompt has one evaluator that is Welch's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stats.ratings.table import RatingTable
from stats.scores import Bools, Floats, Ints


@dataclass(frozen=True)
class ConditionalDifference:
    """Method b less method a for `evaluators`, those with two ratings of each; None parts where too few rated."""

    estimate: float | None
    se: float | None
    df: float | None
    evaluators: int
    prompts: int


def conditional_difference(table: RatingTable, a: int, b: int) -> ConditionalDifference:
    """Estimate method `b` less method `a`, by their places, on a table of one criterion without repeats."""
    pair = table.of_methods([a, b])
    counts = np.bincount(2 * pair.evaluator + pair.method, minlength=2 * len(pair.evaluators))
    able: Bools = np.all(counts.reshape(-1, 2) >= 2, axis=1)
    pair = pair.rows(able[pair.evaluator])
    evaluators = int(able.sum())
    if not evaluators:
        return ConditionalDifference(None, None, None, 0, 0)
    _, cell = np.unique(2 * pair.evaluator + pair.method, return_inverse=True)
    _, prompt = np.unique(pair.prompt, return_inverse=True)
    n = np.bincount(cell).astype(np.float64)  # (2 E,) evaluators by method
    means = np.bincount(cell, pair.score) / n
    prompts = int(prompt.max()) + 1
    estimate = float((means[1::2] - means[::2]).mean())
    if prompts < 2:
        return ConditionalDifference(estimate, None, None, evaluators, prompts)
    # A rating's leverage is 1 / n of its cell, so the adjustment of CR2 is a factor of each rating.
    sign = 2.0 * pair.method - 1
    weight = sign / (evaluators * n[cell]) * np.sqrt(n[cell] / (n[cell] - 1))
    moved = np.bincount(prompt, weight * (pair.score - means[cell]), prompts)
    variance = float(moved @ moved)
    scale = float(np.abs(pair.score).max())
    if variance <= (1e-13 * scale) ** 2:
        return ConditionalDifference(estimate, 0.0, None, evaluators, prompts)
    return ConditionalDifference(
        estimate, math.sqrt(variance), _df(weight, cell, prompt, n), evaluators, prompts
    )


def _df(weight: Floats, cell: Ints, prompt: Ints, n: Floats) -> float:
    """Return (tr Q)^2 / tr(Q^2), Q the prompts' form in independent ratings: diag(own) - shared shared'."""
    prompts, cells = int(prompt.max()) + 1, len(n)
    own = np.bincount(prompt, weight**2, prompts)
    shared = np.bincount(prompt * cells + cell, weight, prompts * cells).reshape(prompts, cells) / np.sqrt(n)
    within = (shared**2).sum(axis=1)
    trace = float((own - within).sum())
    square = float((own**2).sum() - 2 * (own @ within) + ((shared.T @ shared) ** 2).sum())
    return trace**2 / square


def prompt_differences(table: RatingTable, a: int, b: int) -> Floats:
    """Return the mean over evaluators of the page differences b - a of each prompt that has any."""
    pair = table.of_methods([a, b])
    pages, page = np.unique(pair.page, return_inverse=True)
    rated = np.zeros((len(pages), 2))
    scores = np.zeros((len(pages), 2))
    rated[page, pair.method] = 1
    scores[page, pair.method] = pair.score
    whole = rated.all(axis=1)
    prompts, prompt = np.unique(pages[whole] % len(pair.prompts), return_inverse=True)
    if not len(prompts):
        return np.empty(0)
    differences: Floats = scores[whole, 1] - scores[whole, 0]
    means: Floats = np.bincount(prompt, differences) / np.bincount(prompt)
    return means
