"""Ratings of turns as scores of texts: the mean over the turns of a text stands beside the score of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from annotations.models import Criterion, Study, TurnRating
from annotations.results.copying import copied_numbers
from stats.scores import Floats


def turn_criteria(study: Study, criteria: Sequence[Criterion]) -> list[Criterion]:
    """Return the criteria of a study by which turns are rated; none where its pages ask something else."""
    if study.asks.answer is not None or study.asks.texts is not None:
        return []
    return [one for one in criteria if one.rates_turns and not one.derived]


def mean_key(criterion: Criterion) -> str:
    """Return what the mean over turns is called in a table of ratings; no criterion has a key with a colon."""
    return f"{criterion.key}:turns"


def mean_label(criterion: Criterion) -> str:
    return _("%(criterion)s, mean of the turns") % {"criterion": criterion.label}


def mean_scores(given: Mapping[str, Any], criteria: Sequence[Criterion]) -> Floats:
    """Return the means over turns: enrolment, candidate, the negative of the criterion's primary key, and score (N, 4).

    `given` says whose ratings are read; with one query, none where no criterion rates turns.
    """
    if not criteria:
        return np.empty((0, 4))
    stored = TurnRating.objects.filter(**given, criterion__in=criteria)
    ratings = copied_numbers(
        stored.values_list("enrolment_id", "candidate_id", "criterion_id", "score"), columns=4
    )
    texts, place = np.unique(ratings[:, :3], axis=0, return_inverse=True)
    place = place.reshape(-1)
    count = np.bincount(place, minlength=len(texts))
    means = np.bincount(place, ratings[:, 3], len(texts)) / np.maximum(count, 1)
    return np.column_stack([texts[:, 0], texts[:, 1], -texts[:, 2], means])
