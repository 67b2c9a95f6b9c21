"""
Which prompts to have people rate, from what judges or metrics gave all of them: a draw with known probabilities.

Half of the chance of every prompt is the same, half is in proportion to how much its ratings are worth, so that the
estimate stays unbiased (`stats.judges.combined.Draw`). Reference: Zouhar et al. (2025), How to select datapoints for
efficient human evaluation of NLG models?, TACL (subset2evaluate); Zrnic and Candes (2024), Active statistical
inference, ICML.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from stats.scores import Bools, Floats

By = Literal["variance", "diversity", "disagreement"]
UNIFORM_SHARE = 0.5


def worth(scores: Floats, by: By) -> Floats:
    """
    Return how much the ratings of each prompt are worth (N,), at least 0, from `scores` (J, N, M) by judges or metrics.

    - variance: how much the methods differ on the prompt, the mean over judges of the variance over methods;
    - diversity: how far the prompt's scores lie from those of all prompts, in standard deviations;
    - disagreement: the largest difference between two methods, the mean over judges.

    Judges are brought to one spread first. NaN where a text has no score; a prompt without any has the mean worth.
    """
    if np.isnan(scores).all():
        return np.zeros(scores.shape[1])
    spread = np.nanstd(scores, axis=(1, 2), keepdims=True)
    level = scores / np.where(spread > 0, spread, 1.0)
    known = (~np.isnan(level)).any(axis=(0, 2))
    some = level[:, known]
    with np.errstate(invalid="ignore"):
        if by == "variance":
            found = np.nanmean(
                np.nanmean((some - np.nanmean(some, axis=2, keepdims=True)) ** 2, axis=2), axis=0
            )
        elif by == "disagreement":
            found = np.nanmean(np.nanmax(some, axis=2) - np.nanmin(some, axis=2), axis=0)
        else:
            apart = some - np.nanmean(some, axis=1, keepdims=True)
            found = np.sqrt(np.nanmean(apart**2, axis=(0, 2)))
    result = np.full(scores.shape[1], float(np.nanmean(found)))
    result[known] = np.nan_to_num(found)
    return result


def inclusion_probabilities(values: Floats, count: int) -> Floats:
    """Return the chance of every prompt (N,) to be among `count`, half uniform, half in proportion to `values` (N,)."""
    prompts = len(values)
    if not 0 < count <= prompts:
        raise ValueError(f"count must be 1 to {prompts}, got {count}")
    uniform = np.full(prompts, UNIFORM_SHARE * count / prompts)
    size = np.maximum(values, 0.0)
    if not size.sum() > 0:
        return np.full(prompts, count / prompts)
    chosen = uniform + (1 - UNIFORM_SHARE) * count * size / size.sum()
    # What is above 1 is shared out among the others in the same proportion.
    while (chosen > 1 + 1e-12).any():
        certain = chosen >= 1
        chosen[certain] = 1.0
        left = count - certain.sum()
        chosen[~certain] *= left / chosen[~certain].sum()
    chances: Floats = np.minimum(chosen, 1.0)
    return chances


def drawn(probabilities: Floats, rng: np.random.Generator) -> Bools:
    """
    Draw as many prompts as the probabilities sum to, each with its own; systematic, in a random order (Madow 1949).

    Annals of Mathematical Statistics 20, 333-354.
    """
    order = rng.permutation(len(probabilities))
    ends = np.cumsum(probabilities[order])
    count = round(float(ends[-1]))
    marks = rng.random() + np.arange(count)
    at = np.minimum(np.searchsorted(ends, marks, side="right"), len(order) - 1)
    found = np.zeros(len(probabilities), dtype=np.bool_)
    found[order[at]] = True
    return found
