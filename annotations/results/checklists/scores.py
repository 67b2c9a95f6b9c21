"""Answers to the items of a checklist as scores of texts, so that every statistic of ratings holds for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from annotations.models import ChecklistAnswer, ChecklistItem, Page, PageCandidate, Study
from stats.checklists.items import DOES_NOT_APPLY, YES, weighted_shares
from stats.scores import Bools, Floats

# Of `answered_texts`: enrolment, candidate, weight of the items that hold, of those that apply, and answers.
COLUMNS = 5


def answered_texts(study: Study) -> QuerySet[ChecklistAnswer, tuple[Any, ...]]:
    """Return what each evaluator who has not withdrawn answered about each text, summed up (`COLUMNS`)."""
    return (
        ChecklistAnswer.objects.filter(enrolment__study=study, enrolment__withdrawn_at=None)
        .values("enrolment_id", "candidate_id")
        .annotate(
            yes=weight_of(Q(answer=YES)),
            applying=weight_of(~Q(answer=DOES_NOT_APPLY)),
            given=Count("pk"),
        )
        .values_list("enrolment_id", "candidate_id", "yes", "applying", "given")
    )


def weight_of(which: Q) -> Coalesce:
    return Coalesce(Sum("item__weight", filter=which), 0.0)


def share_scores(study: Study, texts: Floats) -> tuple[Floats, Bools]:
    """Return the scores (N,) of texts (N, `COLUMNS`), and which have one, with two queries.

    A text has a score where all items of its page are answered and one of them applies.
    """
    of_study = study.checklist_items.filter(page=None).count()
    asked = {
        candidate: of_study + of_page
        for candidate, of_page in PageCandidate.objects.filter(page__subtask__study=study)
        .annotate(items=Count("page__checklist_items"))
        .values_list("candidate_id", "items")
    }
    wanted = np.array([asked.get(int(candidate), -1) for candidate in texts[:, 1]])
    scores = weighted_shares(texts[:, 2], texts[:, 3])
    has_one: Bools = (texts[:, 4] == wanted) & ~np.isnan(scores)
    return scores, has_one


def items_in_order(study: Study) -> QuerySet[ChecklistItem]:
    """Return the items of a study: those for every prompt, then those of single ones by page."""
    counted = study.checklist_items.filter(Q(page=None) | Q(page__role=Page.Role.COUNTED))
    return counted.select_related("page__subtask").order_by(
        F("page__subtask__number").asc(nulls_first=True), "page__number", "number"
    )
