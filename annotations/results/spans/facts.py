"""What a report says of the errors that were marked in a study."""

from __future__ import annotations

import numpy as np

from annotations.models import PageCandidate, Study
from annotations.protocols.spans import PENALTY, PENALTY_PER_100
from annotations.results.copying import places
from annotations.results.spans.scores import done_markings, marked_spans, text_lengths
from stats.ratings.table import RatingTable
from stats.spans.agreement import Marks
from stats.spans.facts import KindNames, SpanFacts, span_facts


def study_spans(study: Study, table: RatingTable, seed: int) -> SpanFacts | None:
    """Return the facts of the marks by the evaluators of a table, with eight queries; None where none are made."""
    if not study.asks.marks_errors:
        return None
    at = {pseudonym: number for number, pseudonym in enumerate(table.evaluators)}
    enrolments = dict(study.enrolments.values_list("pk", "pseudonym"))
    evaluator_of = np.array([at.get(pseudonym, -1) for pseudonym in enrolments.values()], dtype=np.int64)
    shown = {
        candidate: (table.prompts.index(f"{subtask}/{page}"), table.methods.index(method))
        for candidate, subtask, page, method in PageCandidate.objects.counted(study).values_list(
            "candidate_id", "page__subtask__number", "page__number", "study_method__method__key"
        )
    }
    # Those on pages that count.
    done, spans = (
        marks[np.isin(marks[:, 1], list(shown))] for marks in (done_markings(study), marked_spans(study))
    )
    categories, severities = list(study.error_categories.all()), list(study.severities.all())
    if not (len(done) and len(categories) and len(evaluator_of)):
        return None
    pks, candidates, lengths = list(enrolments), list(shown), text_lengths(study)
    done_by = evaluator_of[places(pks, done[:, 0])]
    done, done_by = done[done_by >= 0], done_by[done_by >= 0]
    counts = np.isin(
        spans[:, 0] * (max(candidates) + 1) + spans[:, 1], done[:, 0] * (max(candidates) + 1) + done[:, 1]
    )
    spans = spans[counts]
    criteria = {one.derived: one.key for one in study.criteria.all() if one.derived}
    return span_facts(
        Marks(
            evaluator=evaluator_of[places(pks, spans[:, 0])],
            text=places(candidates, spans[:, 1]),
            start=spans[:, 4],
            end=spans[:, 5],
            done_evaluator=done_by,
            done_text=places(candidates, done[:, 1]),
            length=np.array([lengths[candidate] for candidate in candidates], dtype=np.int64),
            prompt=np.array([prompt for prompt, _ in shown.values()], dtype=np.int64),
        ),
        category=places([one.pk for one in categories], spans[:, 2]),
        severity=places([one.pk for one in severities], spans[:, 3]),
        method=np.array([method for _, method in shown.values()], dtype=np.int64),
        methods=table.methods,
        categories=KindNames(
            [one.key for one in categories],
            [str(one.label) for one in categories],
            [{grade.key: one.penalty(grade) for grade in severities} for one in categories],
        ),
        severities=KindNames([one.key for one in severities], [str(one.label) for one in severities]),
        criteria=(criteria.get(PENALTY), criteria.get(PENALTY_PER_100)),
        seed=seed,
    )
