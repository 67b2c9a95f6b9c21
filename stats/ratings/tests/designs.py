"""Simulated ratings without a difference between methods, in the unbalanced designs that people use."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stats.ratings.table import RatingTable
from stats.scores import Bools, Criterion

# Standard deviations of evaluator, prompt, evaluator:method, prompt:method and residual.
SPREADS = (0.8, 0.5, 0.4, 0.6, 1.0)
STRONG_SEVERITY = (2.5, 0.5, 0.4, 0.6, 1.0)


def drawn(rated: Bools, rng: np.random.Generator, spreads: tuple[float, ...] = SPREADS) -> RatingTable:
    """Return ratings of methods that are all worth the same, where `rated` (E, P, M) says who rated what."""
    e, p, m = rated.shape
    evaluator, prompt, method = np.nonzero(rated)
    score = (
        spreads[0] * rng.normal(size=(e,))[evaluator]
        + spreads[1] * rng.normal(size=(p,))[prompt]
        + spreads[2] * rng.normal(size=(e, m))[evaluator, method]
        + spreads[3] * rng.normal(size=(p, m))[prompt, method]
        + spreads[4] * rng.normal(size=len(method))
    )
    return RatingTable(
        evaluator=evaluator,
        prompt=prompt,
        method=method,
        criterion=np.zeros(len(method), dtype=np.int64),
        score=score,
        evaluators=tuple(f"e{number}" for number in range(e)),
        prompts=tuple(f"p{number}" for number in range(p)),
        methods=tuple(f"m{number}" for number in range(m)),
        criteria=(Criterion("overall", 1, 10, is_overall=True),),
    )


def nested_raters(rng: np.random.Generator) -> RatingTable:
    """Twenty evaluators of two prompts each, whom nobody else rates; three of four methods a page."""
    rated = np.zeros((20, 40, 4), dtype=np.bool_)
    for p in range(40):
        rated[p // 2, p, rng.permutation(4)[:3]] = True
    return drawn(rated, rng)


def one_rater_a_text(rng: np.random.Generator) -> RatingTable:
    """Twelve evaluators share the texts of forty prompts out, one each."""
    rated = np.zeros((12, 40, 4), dtype=np.bool_)
    p, m = np.indices((40, 4))
    rated[rng.permutation(np.arange(160) % 12).reshape(40, 4), p, m] = True
    return drawn(rated, rng)


def three_raters(rng: np.random.Generator) -> RatingTable:
    """Three evaluators of everything."""
    return drawn(np.ones((3, 40, 4), dtype=np.bool_), rng)


def missing_prompts(rng: np.random.Generator) -> RatingTable:
    """Each method lacks a quarter of the prompts, and each evaluator rates half of what is there."""
    there = rng.random((1, 40, 4)) < 0.75
    return drawn(there & (rng.random((10, 40, 4)) < 0.5), rng)


def unequal_loads(rng: np.random.Generator) -> RatingTable:
    """A few evaluators did most of the work."""
    share = np.geomspace(0.9, 0.05, 12)[:, np.newaxis, np.newaxis]
    return drawn(rng.random((12, 40, 4)) < share, rng)


def strong_severity(rng: np.random.Generator) -> RatingTable:
    """Evaluators differ far more than texts do."""
    return drawn(rng.random((12, 40, 4)) < 0.3, rng, STRONG_SEVERITY)


NULLS: dict[str, Callable[[np.random.Generator], RatingTable]] = {
    "nested raters": nested_raters,
    "one rater a text": one_rater_a_text,
    "three raters, conditional": three_raters,
    "missing prompts": missing_prompts,
    "unequal loads": unequal_loads,
    "strong severity": strong_severity,
}
