"""Intervals of differences in weighted shares hold their level where evaluators and prompts differ in taste."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from stats.checklists.items import weighted_shares
from stats.mixed import crossed_mean_of_cells
from stats.ratings.table import RatingTable
from stats.scores import Criterion, Floats, ScoreTable

EVALUATORS, PROMPTS, ITEMS = 20, 30, 6
WORTH = np.array([0.0, 0.6])
TASTE, LUCK, HARDNESS = 0.5, 0.5, 1.0
WEIGHTS = np.array([1.0, 1.0, 2.0, 1.0, 3.0, 1.0])


def shares(rng: np.random.Generator, evaluators: int = EVALUATORS, prompts: int = PROMPTS) -> Floats:
    """Draw the weighted shares of yes (E, P, 2) of a study, every prompt with items of its own."""
    worth = (
        WORTH + TASTE * rng.standard_normal((evaluators, 1, 2)) + LUCK * rng.standard_normal((1, prompts, 2))
    )[..., np.newaxis]
    hardness = HARDNESS * rng.standard_normal((1, prompts, 1, ITEMS))
    holds = worth + rng.logistic(size=(evaluators, prompts, 2, ITEMS)) > hardness
    applies = rng.random(holds.shape) > 0.1
    yes, applying = ((WEIGHTS * one).sum(axis=-1) for one in (holds & applies, applies))
    return weighted_shares(yes.ravel(), applying.ravel()).reshape(yes.shape)


def table_of(scores: Floats) -> RatingTable:
    evaluators, prompts, _methods = scores.shape
    return RatingTable.of_scores(
        ScoreTable(
            scores=scores[..., np.newaxis],
            best=np.full((evaluators, prompts), -1),
            evaluators=tuple(f"e{number}" for number in range(evaluators)),
            prompts=tuple(f"p{number}" for number in range(prompts)),
            methods=("a", "b"),
            criteria=(Criterion("checklist", 0, 100, is_overall=True),),
        )
    )


@pytest.fixture(scope="module")
def truth() -> float:
    """The difference over very many evaluators and prompts."""
    drawn = [shares(np.random.default_rng(seed), 300, 300) for seed in range(8)]
    return float(np.mean([np.nanmean(one[..., 1] - one[..., 0]) for one in drawn]))


def test_the_difference_of_two_methods_is_held_by_its_interval_as_often_as_it_says(truth: float) -> None:
    held, studies = 0, 500
    for seed in range(studies):
        table = table_of(shares(np.random.default_rng(1_000 + seed))).for_criterion("checklist")
        found = crossed_mean_of_cells(table.pages().pair(0, 1).differences)
        assert found.ci is not None
        held += found.ci[0] <= truth <= found.ci[1]
    # The 99 % interval of the share of so many studies holds .95.
    low = float(scipy.stats.beta.ppf(0.005, held, studies - held + 1))
    high = float(scipy.stats.beta.ppf(0.995, held + 1, studies - held))
    assert low <= 0.95 <= high, held / studies
