"""Single prompts worth looking at: where a method gains most, fails worst, or splits the evaluators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stats.ratings.table import RatingTable, long_table
from stats.scores import Floats, ScoreTable

# What two decimals show as nothing is no gain, no loss and no split.
LEAST_SIZE = 0.005
CaseKind = Literal["gains most", "fails worst", "splits most"]


@dataclass(frozen=True)
class Case:
    """A prompt and the method for which it stands out; `size` is the gain, or the deviation of a split."""

    kind: CaseKind
    prompt: str
    method: str
    size: float


def prompt_means(table: RatingTable | ScoreTable, criterion: str) -> Floats:
    """Return the mean over evaluators of every prompt and method, shape (P, M); NaN where nobody rated."""
    ratings = long_table(table).for_criterion(criterion)
    texts = len(ratings.prompts) * len(ratings.methods)
    counts = np.bincount(ratings.text, minlength=texts)
    sums = np.bincount(ratings.text, ratings.score, texts)
    means: Floats = np.divide(sums, counts, out=np.full(texts, np.nan), where=counts > 0)
    return means.reshape(len(ratings.prompts), len(ratings.methods))


def prompt_gains(table: RatingTable | ScoreTable, criterion: str) -> Floats:
    """Return each method's mean less the mean of the other methods' means on the prompt, shape (P, M)."""
    means = prompt_means(table, criterion)
    others = (means.sum(axis=1, keepdims=True) - means) / max(means.shape[1] - 1, 1)
    gains: Floats = means - others
    return gains


def prompt_splits(table: RatingTable | ScoreTable, criterion: str) -> Floats:
    """Return the deviation (divisor n - 1) of the evaluators' ratings of every text, shape (P, M).

    A text with fewer than two ratings has NaN.
    """
    ratings = long_table(table).for_criterion(criterion)
    means = prompt_means(ratings, criterion)
    counts = np.bincount(ratings.text, minlength=means.size)
    squares = np.bincount(ratings.text, (ratings.score - means.ravel()[ratings.text]) ** 2, means.size)
    splits: Floats = np.full(means.size, np.nan)
    np.divide(squares, counts - 1, out=splits, where=counts >= 2)
    return np.sqrt(splits).reshape(means.shape)


def chosen_cases(ratings: RatingTable | ScoreTable, criterion: str) -> tuple[Case, ...]:
    """Return three cases of the method with the best mean: its largest gain, smallest gain and widest split.

    Of several prompts alike the first counts, and of several methods the first of the table. What is
    nothing to two decimals is left out, and so is a largest gain that is a loss. Nothing is returned where there are no
    two methods with ratings.
    """
    table = long_table(ratings)
    direction = table.criteria[table.criterion_index(criterion)].direction
    gains, splits = prompt_gains(table, criterion) * direction, prompt_splits(table, criterion)
    if len(table.methods) < 2 or not np.isfinite(gains).any():
        return ()
    means = prompt_means(table, criterion)
    counts = (~np.isnan(means)).sum(axis=0)
    sums = direction * np.nansum(means, axis=0)
    method = int(np.argmax(np.where(counts > 0, sums / np.maximum(counts, 1), -np.inf)))
    cases = []
    choices: list[tuple[CaseKind, Floats, bool]] = [
        ("gains most", gains[:, method], True),
        ("fails worst", gains[:, method], False),
        ("splits most", splits[:, method], True),
    ]
    for kind, sizes, is_largest in choices:
        if np.isfinite(sizes).any():
            prompt = int(np.nanargmax(sizes) if is_largest else np.nanargmin(sizes))
            least = sizes[prompt] if kind == "gains most" else abs(sizes[prompt])
            if least < LEAST_SIZE:
                continue
            cases.append(Case(kind, table.prompts[prompt], table.methods[method], float(sizes[prompt])))
    return tuple(cases)
