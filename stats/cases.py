"""Single prompts worth looking at: where a method gains most, fails worst, or splits the evaluators."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from stats.scores import Floats, ScoreTable

CaseKind = Literal["gains most", "fails worst", "splits most"]


@dataclass(frozen=True)
class Case:
    """A prompt and the method for which it stands out; `size` is the gain, or the deviation of a split."""

    kind: CaseKind
    prompt: str
    method: str
    size: float


def prompt_means(table: ScoreTable, criterion: str) -> Floats:
    """Return the mean over evaluators of every prompt and method, shape (P, M); NaN where nobody rated."""
    return _over_evaluators(np.nanmean, table.for_criterion(criterion))


def prompt_gains(table: ScoreTable, criterion: str) -> Floats:
    """Return each method's mean less the mean of the other methods' means on the prompt, shape (P, M)."""
    means = prompt_means(table, criterion)
    others = (means.sum(axis=1, keepdims=True) - means) / max(len(table.methods) - 1, 1)
    gains: Floats = means - others
    return gains


def prompt_splits(table: ScoreTable, criterion: str) -> Floats:
    """Return the deviation (divisor n - 1) of the evaluators' ratings of every text, shape (P, M).

    A text with fewer than two ratings has NaN.
    """
    ratings = table.for_criterion(criterion)
    spread = _over_evaluators(partial(np.nanstd, ddof=1), ratings)
    splits: Floats = np.where((~np.isnan(ratings)).sum(axis=0) >= 2, spread, np.nan)
    return splits


def chosen_cases(table: ScoreTable, criterion: str) -> tuple[Case, ...]:
    """Return three cases of the method with the best mean: its largest gain, smallest gain and widest split.

    Of several prompts alike the first counts, and of several methods the first of the table. Nothing is
    returned where there are no two methods with ratings.
    """
    direction = table.criterion(criterion).direction
    gains, splits = prompt_gains(table, criterion) * direction, prompt_splits(table, criterion)
    if len(table.methods) < 2 or not np.isfinite(gains).any():
        return ()
    means = _over_evaluators(np.nanmean, prompt_means(table, criterion))
    method = int(np.nanargmax(means * direction))
    cases = []
    choices: list[tuple[CaseKind, Floats, bool]] = [
        ("gains most", gains[:, method], True),
        ("fails worst", gains[:, method], False),
        ("splits most", splits[:, method], True),
    ]
    for kind, sizes, is_largest in choices:
        if np.isfinite(sizes).any():
            prompt = int(np.nanargmax(sizes) if is_largest else np.nanargmin(sizes))
            cases.append(Case(kind, table.prompts[prompt], table.methods[method], float(sizes[prompt])))
    return tuple(cases)


def _over_evaluators(statistic: Callable[..., Any], ratings: Floats) -> Floats:
    """Apply a NaN-aware statistic to the first axis; a column of NaN alone gives NaN without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result: Floats = statistic(ratings, axis=0)
    return result
