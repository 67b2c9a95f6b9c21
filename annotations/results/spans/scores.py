"""Marks as scores of texts, so that every statistic of ratings holds for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from django.db.models import Value
from django.db.models.functions import Coalesce, Length

from annotations.models import Criterion, Marking, PageCandidate, Span, Study
from annotations.protocols.spans import PENALTY_PER_100
from annotations.results.copying import Integers, copied_integers, places
from stats.scores import Floats


def done_markings(study: Study) -> Integers:
    """Return who has marked all errors of which text, as primary keys (K, 2)."""
    done = Marking.objects.filter(enrolment__study=study, is_done=True)
    return copied_integers(done.values_list("enrolment_id", "candidate_id"), columns=2)


def marked_spans(study: Study) -> Integers:
    """Return enrolment, candidate, category and severity (primary keys), start and end (-1 without) of marks (N, 6)."""
    spans = Span.objects.filter(enrolment__study=study).values_list(
        "enrolment_id",
        "candidate_id",
        "category_id",
        "severity_id",
        Coalesce("start", Value(-1)),
        Coalesce("end", Value(-1)),
    )
    return copied_integers(spans, columns=6)


def penalties_of(study: Study, spans: Integers) -> Floats:
    """Return what each of N marks costs, with two queries."""
    categories, severities = list(study.error_categories.all()), list(study.severities.all())
    table = np.array([[one.penalty(grade) for grade in severities] for one in categories]).reshape(
        len(categories), len(severities)
    )
    if not len(spans):
        return np.empty(0)
    found: Floats = table[
        places([one.pk for one in categories], spans[:, 2]),
        places([one.pk for one in severities], spans[:, 3]),
    ]
    return found


def text_lengths(study: Study) -> dict[int, int]:
    """Return how many characters each text of a study has, by primary key."""
    lengths = PageCandidate.objects.filter(page__subtask__study=study)
    return dict(lengths.values_list("candidate_id", Length("candidate__text")))


def derived_scores(study: Study, criteria: Sequence[Criterion]) -> Floats:
    """Return the scores that are reckoned from marks: enrolment, candidate, criterion (primary keys) and score (N, 4).

    A text has one where its evaluator has said that all errors are marked.
    """
    done, spans = done_markings(study), marked_spans(study)
    most = int(max(done[:, 1].max(initial=0), spans[:, 1].max(initial=0))) + 1
    keys, place = np.unique(done[:, 0] * most + done[:, 1], return_inverse=True)
    of_span = np.searchsorted(keys, spans[:, 0] * most + spans[:, 1])
    is_done = np.isin(spans[:, 0] * most + spans[:, 1], keys)
    sums = np.bincount(of_span[is_done], penalties_of(study, spans)[is_done], len(keys))[place]
    lengths = text_lengths(study)
    length = np.array(
        [max(lengths.get(candidate, 0), 1) for candidate in done[:, 1].tolist()], dtype=np.float64
    )
    columns = [
        np.column_stack([done, np.full(len(done), one.pk), scores])
        for one in criteria
        if one.derived
        for scores in [sums * 100 / length if one.derived == PENALTY_PER_100 else sums]
    ]
    return np.concatenate(columns) if columns else np.empty((0, 4))
