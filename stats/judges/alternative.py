"""
The alternative annotator test: would the judge be a better stand-in for an evaluator than that evaluator is?

Each evaluator in turn is left out; judge and evaluator are compared by how near they are to the others, text by text.
Reference: Calderon, Reichart and Dror (2025), The alternative annotator test for LLM-as-a-judge, ACL.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stats.mixed import t_p_value
from stats.scores import Bools, Floats, Ints

FEWEST_TEXTS = 30
FEWEST_EVALUATORS = 3
# What the authors propose a stand-in may cost by kind of evaluators.
EPSILONS = {"experts": 0.2, "skilled": 0.15, "crowd": 0.1}
PASSES = 0.5

Refusal = Literal["few evaluators", "few texts"]


@dataclass(frozen=True)
class AlternativeTest:
    """
    `omega` is the share of evaluators over whom the judge wins (passed from one half), `rho` how often it is as near to
    the others as the evaluator, averaged over evaluators.

    `without_spread` counts evaluators whose differences were all the same: there their mean alone decided.
    """

    omega: float | None
    rho: float | None
    evaluators: int
    texts: int
    epsilon: float
    without_spread: int = 0
    refusal: Refusal | None = None

    @property
    def passed(self) -> bool:
        """Say whether the judge may stand in for an evaluator."""
        return self.omega is not None and self.omega >= PASSES


def alternative_annotator_test(
    ratings: Floats,
    judge: Floats,
    *,
    epsilon: float = 0.2,
    prompts: Ints | None = None,
    is_categorical: bool = False,
    fewest_texts: int = FEWEST_TEXTS,
    alpha: float = 0.05,
) -> AlternativeTest:
    """
    Test `judge` (T,) against `ratings` (E, T), NaN where missing.

    S(x, i) = -sqrt(mean_k (x - y_ki)^2) over the others who rated text i (categories: the share who say the same);
    d = [S(j) >= S(judge)] - [S(judge) >= S(j)]; H0: mean(d) >= epsilon is tested by a one-sided t-test,
    rejections by Benjamini and Yekutieli. With `prompts` (T,) d is averaged within prompts first, because texts of one
    prompt depend on each other.
    """
    there = ~np.isnan(ratings)
    shared = there & ~np.isnan(judge)
    p_values, advantages, flat, texts = [], [], 0, 0
    for j in range(len(ratings)):
        others = there.copy()
        others[j] = False
        chosen = shared[j] & others.any(axis=0)
        if chosen.sum() < fewest_texts:
            continue
        own = _nearness(ratings[j, chosen], ratings[:, chosen], others[:, chosen], is_categorical)
        its = _nearness(judge[chosen], ratings[:, chosen], others[:, chosen], is_categorical)
        wins = (its >= own).astype(np.float64)
        difference = (own >= its) - wins
        if prompts is not None:
            _, number = np.unique(prompts[chosen], return_inverse=True)
            difference = np.bincount(number, difference) / np.bincount(number)
        spread = float(difference.std(ddof=1)) if len(difference) > 1 else 0.0
        gap = float(difference.mean()) - epsilon
        if spread > 0:
            p_values.append(
                t_p_value(gap / (spread / math.sqrt(len(difference))), len(difference) - 1, "less")
            )
        else:
            flat += 1
            p_values.append(0.0 if gap < 0 else 1.0)
        advantages.append(float(wins.mean()))
        texts = max(texts, int(chosen.sum()))
    if len(p_values) < FEWEST_EVALUATORS:
        refusal: Refusal = "few evaluators" if len(ratings) < FEWEST_EVALUATORS else "few texts"
        return AlternativeTest(None, None, len(p_values), texts, epsilon, flat, refusal)
    rejected = benjamini_yekutieli(np.array(p_values), alpha)
    return AlternativeTest(
        float(rejected.mean()), float(np.mean(advantages)), len(p_values), texts, epsilon, flat
    )


def _nearness(x: Floats, ratings: Floats, others: Bools, is_categorical: bool) -> Floats:
    """Return how near `x` (T,) is to the others' ratings (E, T), the nearer the larger."""
    count = others.sum(axis=0)
    if is_categorical:
        same: Floats = (others & (ratings == x)).sum(axis=0) / count
        return same
    squares = np.where(others, ratings - x, 0.0) ** 2
    nearness: Floats = -np.sqrt(squares.sum(axis=0) / count)
    return nearness


def benjamini_yekutieli(p_values: Floats, alpha: float = 0.05) -> Bools:
    """
    Return which hypotheses (K,) are rejected at a false discovery rate `alpha` under any dependence.

    Reference: Benjamini and Yekutieli (2001), Annals of Statistics 29, 1165-1188.
    """
    count = len(p_values)
    order = np.argsort(p_values, kind="stable")
    bounds = np.arange(1, count + 1) * alpha / (count * float((1 / np.arange(1, count + 1)).sum()))
    below = np.flatnonzero(p_values[order] <= bounds)
    rejected = np.zeros(count, dtype=np.bool_)
    if len(below):
        rejected[order[: below[-1] + 1]] = True
    return rejected
