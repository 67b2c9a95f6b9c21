"""Ratings with known effects, and scores of judges, for the tests of judges."""

from __future__ import annotations

import numpy as np

from stats.judges.scores import JudgeScores
from stats.ratings.table import RatingTable
from stats.scores import Criterion


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def study(
    evaluators: int = 8, prompts: int = 40, methods: int = 3, maximum: int = 5, *, seed: int = 3
) -> tuple[RatingTable, np.ndarray]:
    """Return ratings of one criterion with effects of methods and prompts, and what each text is truly worth."""
    draw = np.random.default_rng(seed)
    truth = 3 + 0.7 * np.arange(methods) + draw.normal(size=(prompts, methods))
    e, p, m = (one.ravel() for one in np.indices((evaluators, prompts, methods)))
    leniency = 0.4 * draw.normal(size=evaluators)
    score = np.clip(np.rint(truth[p, m] + leniency[e] + 0.7 * draw.normal(size=len(e))), 1, maximum)
    return (
        RatingTable(
            evaluator=e,
            prompt=p,
            method=m,
            criterion=np.zeros(len(e), dtype=np.int64),
            score=score,
            evaluators=tuple(f"e{number}" for number in range(evaluators)),
            prompts=tuple(f"p{number}" for number in range(prompts)),
            methods=("x", "y", "z")[:methods],
            criteria=(Criterion("overall", 1, maximum, is_overall=True),),
        ),
        truth,
    )


def scores_of(texts: np.ndarray, *, criterion: int = 0, positions: int = -1, repeats: int = 1) -> JudgeScores:
    p, m = np.nonzero(~np.isnan(texts))
    p, m = np.repeat(p, repeats), np.repeat(m, repeats)
    return JudgeScores(
        prompt=p,
        method=m,
        criterion=np.full(len(p), criterion),
        score=texts[p, m],
        repeat=np.tile(np.arange(repeats), len(p) // repeats),
        position=np.full(len(p), positions),
        prompts=tuple(f"p{number}" for number in range(len(texts))),
        methods=texts.shape[1],
    )
