"""What a report says of the checklist of a study: the items that split evaluators, and the consensus."""

from __future__ import annotations

import numpy as np

from annotations.models import ChecklistAnswer, ChecklistItem, PageCandidate, Study
from annotations.results.checklists.scores import items_in_order
from annotations.results.copying import copied_integers, places
from stats.checklists.items import ChecklistFacts, ItemAnswers, checklist_facts
from stats.ratings.table import RatingTable


def study_checklist(study: Study, table: RatingTable) -> ChecklistFacts | None:
    """Return the facts of a study's checklist by the evaluators of a table, with four queries; None without one."""
    if study.asks.texts is None:
        return None
    items = list(items_in_order(study))
    enrolments = dict(study.enrolments.filter(withdrawn_at=None).values_list("pk", "pseudonym"))
    at = {pseudonym: number for number, pseudonym in enumerate(table.evaluators)}
    shown = dict(
        PageCandidate.objects.filter(page__subtask__study=study).values_list(
            "candidate_id", "study_method__method__key"
        )
    )
    stored = copied_integers(
        ChecklistAnswer.objects.filter(enrolment__study=study, enrolment__withdrawn_at=None)
        .exclude(candidate__in=PageCandidate.objects.beside_results(study))
        .values_list("enrolment_id", "candidate_id", "item_id", "answer"),
        columns=4,
    )
    evaluator_of = np.array([at.get(pseudonym, -1) for pseudonym in enrolments.values()], dtype=np.int64)
    if not len(stored) or not len(evaluator_of):
        return None
    evaluator = evaluator_of[places(list(enrolments), stored[:, 0])]
    counts = evaluator >= 0
    if not counts.any():
        return None
    stored = stored[counts]
    candidates = list(shown)
    return checklist_facts(
        ItemAnswers(
            evaluator=evaluator[counts],
            item=places([item.pk for item in items], stored[:, 2]),
            text=places(candidates, stored[:, 1]),
            answer=stored[:, 3],
            weight=np.array([item.weight for item in items]),
            method=np.array([table.methods.index(method) for method in shown.values()], dtype=np.int64),
        ),
        [(item.key, page_name(item), str(item.text)) for item in items],
        table.methods,
    )


def page_name(item: ChecklistItem) -> str | None:
    """Return the name of the page of an item as a table of ratings has it; None where it is asked on all."""
    page = item.page
    return None if page is None else f"{page.subtask.number}/{page.number}"
