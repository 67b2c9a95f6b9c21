"""How far evaluators agree while they answer, where scores of texts are made of what they answered.

Ratings are summed up by the database (`annotations.monitoring.dashboard`). Judgements of pages, answers to checklists
and marked errors become scores first, as for the report.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotations.models import Study
from annotations.results.rating_table import rating_table
from stats.agreement import item_alphas
from stats.quality import leave_one_out_correlations
from stats.ratings.table import RatingTable


@dataclass(frozen=True)
class ScoreAgreement:
    """Krippendorff's alpha of the scores by one criterion over the texts that have two or more."""

    texts: int
    ordinal: float | None
    interval: float | None


@dataclass(frozen=True)
class Agreements:
    """By the keys of criteria, and on one criterion by pseudonym: the correlation with the mean of the others."""

    alphas: dict[str, ScoreAgreement]
    correlations: dict[str, float | None]


def agreements_so_far(study: Study, criterion: str | None) -> Agreements:
    """Return the agreement of everybody who has answered, finished or not; `criterion` is that of correlations."""
    table = rating_table(study)
    correlations: dict[str, float | None] = {}
    if criterion is not None:
        scores = table.for_criterion(criterion).first_ratings()
        found = leave_one_out_correlations(scores.evaluator, scores.text, scores.score, len(table.evaluators))
        correlations = dict(zip(table.evaluators, found, strict=True))
    return Agreements({one.key: score_agreement(table, one.key) for one in table.criteria}, correlations)


def score_agreement(table: RatingTable, criterion: str) -> ScoreAgreement:
    """Return the agreement on one criterion."""
    scores = table.for_criterion(criterion).first_ratings()
    _texts, text, times = np.unique(scores.text, return_inverse=True, return_counts=True)
    alphas = item_alphas(scores.score, text)
    return ScoreAgreement(int((times >= 2).sum()), alphas["ordinal"], alphas["interval"])
