"""Errors that simulated evaluators mark: the less a text is worth to them, the more they find in it."""

from __future__ import annotations

import re

import numpy as np

from annotations.models import Enrolment, Marking, PageCandidate, Span, Study
from annotations.questionnaire.marking.marks import Mark, marked_text
from annotations.questionnaire.marking.scheme import Scheme, scheme_of
from stats.scores import Floats

WORD = re.compile(r"\w+|[^\w\s]")
# Errors a text for each point that it lies below the best, on a scale from 1 to 10, and at most.
ERRORS_A_POINT, MOST_ERRORS = 0.5, 12
GRAVE = 0.25
BATCH = 5_000

# The marks of each text by evaluator, page and method (as places), in the text as it is shown.
SimulatedMarks = dict[tuple[int, int, int], tuple[Mark, ...]]


def simulated_marks(
    study: Study, rng: np.random.Generator, candidates: list[dict[int, int]], latent: Floats
) -> SimulatedMarks:
    """Return what evaluators to whom the texts are worth so much (E, P, M) mark in them; nothing where none do."""
    if not study.asks.marks_errors:
        return {}
    scheme = scheme_of(study.pk)
    written = dict(
        PageCandidate.objects.filter(page__subtask__study=study).values_list(
            "candidate_id", "candidate__text"
        )
    )
    words = {
        pk: [
            found.span() for found in WORD.finditer(marked_text(text, study.normalisation, study.genre).shown)
        ]
        for pk, text in written.items()
    }
    number = np.minimum(rng.poisson(np.maximum(10 - latent, 0.2) * ERRORS_A_POINT), MOST_ERRORS)
    return {
        (evaluator, page, method): drawn_marks(rng, scheme, words[pk], int(number[evaluator, page, method]))
        for evaluator in range(len(latent))
        for page, of_page in enumerate(candidates)
        for method, pk in of_page.items()
    }


def drawn_marks(
    rng: np.random.Generator, scheme: Scheme, words: list[tuple[int, int]], number: int
) -> tuple[Mark, ...]:
    """Draw so many marks of words, at most one each, with a note on none."""
    marks = []
    for place in sorted(rng.permutation(len(words))[:number].tolist()):
        category = scheme.categories[int(rng.integers(len(scheme.categories)))]
        grave = rng.random() < GRAVE and len(scheme.severities) > 1
        start, end = words[place]
        severity = scheme.severities[1 if grave else 0]
        marks.append(Mark(category.key, severity.key, start, start if category.is_missing else end))
    return tuple(marks)


def store_marks(study: Study, enrolment: Enrolment, marks: dict[int, tuple[Mark, ...]]) -> None:
    """Store the marks of an evaluator in texts (primary keys), all of them done."""
    scheme = scheme_of(study.pk)
    texts = {
        placed.candidate_id: marked_text(placed.candidate.text, study.normalisation, study.genre)
        for placed in enrolment.placements.select_related("candidate")
    }
    Marking.objects.bulk_create(
        (Marking(enrolment=enrolment, candidate_id=candidate, is_done=True) for candidate in marks),
        batch_size=BATCH,
    )
    Span.objects.bulk_create(
        (
            Span(
                enrolment=enrolment,
                candidate_id=candidate,
                number=number,
                start=span.start,
                end=span.end,
                category=scheme.category[span.category],
                severity=scheme.severity[span.severity],
            )
            for candidate, of_text in marks.items()
            for number, span in enumerate(texts[candidate].to_written(one) for one in of_text)
        ),
        batch_size=BATCH,
    )
