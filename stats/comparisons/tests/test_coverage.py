"""Intervals of strengths hold their level where evaluators and prompts differ in what they favour."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from stats.comparisons.davidson import davidson
from stats.comparisons.pairs import Pairs
from stats.scores import Floats

EVALUATORS, PROMPTS, METHODS = 24, 40, 3
WORTH = np.array([0.0, 0.4, 0.8])
TASTE, LUCK = 0.5, 0.5


def study(rng: np.random.Generator, evaluators: int = EVALUATORS, prompts: int = PROMPTS) -> Pairs:
    """Draw a study in which every evaluator compares one pair on each prompt, with tastes and lucky texts."""
    evaluator = np.repeat(np.arange(evaluators), prompts)
    prompt = np.tile(np.arange(prompts), evaluators)
    a = rng.integers(0, METHODS, len(evaluator))
    b = (a + rng.integers(1, METHODS, len(evaluator))) % METHODS
    worth = (
        WORTH
        + TASTE * rng.standard_normal((evaluators, 1, METHODS))
        + LUCK * rng.standard_normal((1, prompts, METHODS))
    )
    eta = worth[evaluator, prompt, a] - worth[evaluator, prompt, b] + rng.logistic(size=len(evaluator))
    outcome = np.where(np.abs(eta) < 0.3, 0, np.sign(eta)).astype(np.int64)
    nothing = np.empty((len(evaluator), 0))
    names = tuple(f"m{number}" for number in range(METHODS))
    return Pairs(names, a, b, outcome, evaluator, prompt, np.arange(len(evaluator)), nothing)


@pytest.fixture(scope="module")
def truth() -> Floats:
    """The strengths over very many evaluators and prompts, which tastes and luck make smaller than the worth."""
    fits = [davidson(study(np.random.default_rng(seed), 400, 400), robust=False) for seed in range(6)]
    found: Floats = np.mean([fit.strengths for fit in fits if fit is not None], axis=0)
    return found


def test_the_difference_of_two_strengths_is_held_by_its_interval_as_often_as_it_says(truth: Floats) -> None:
    contrast = np.array([-1.0, 0.0, 1.0, 0.0])
    held, studies = 0, 400
    quantile = float(scipy.special.stdtrit(min(EVALUATORS, PROMPTS) - 1, 0.975))
    for seed in range(studies):
        fit = davidson(study(np.random.default_rng(1_000 + seed)))
        assert fit is not None
        assert fit.covariance is not None
        error = np.sqrt(contrast @ fit.covariance @ contrast)
        difference = fit.strengths[2] - fit.strengths[0]
        held += abs(difference - (truth[2] - truth[0])) <= quantile * error
    # The 99 % interval of the share of so many studies holds .95.
    low = float(scipy.stats.beta.ppf(0.005, held, studies - held + 1))
    high = float(scipy.stats.beta.ppf(0.995, held + 1, studies - held))
    assert low <= 0.95 <= high, held / studies
