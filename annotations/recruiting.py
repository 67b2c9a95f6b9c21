"""How an evaluator comes into a study."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from annotations.models import Assignment, Enrolment, Page, Placement, Study
from annotations.subtasks import balanced_order


@transaction.atomic
def enrol(
    study: Study,
    evaluator: User,
    *,
    pseudonym: str | None = None,
    source: Enrolment.Source = Enrolment.Source.QUESTIONNAIRE,
) -> Enrolment:
    """Enrol an evaluator in all sub-tasks of a study and draw the order of every page.

    Enrolling twice returns the first enrolment. The study's row is locked, because two enrolments at once must
    not take the same number in the balanced design.
    """
    Study.objects.select_for_update().get(pk=study.pk)
    if existing := Enrolment.objects.filter(study=study, evaluator=evaluator).first():
        return existing
    highest = study.enrolments.aggregate(highest=Max("number"))["highest"]
    number = 0 if highest is None else highest + 1
    enrolment = Enrolment.objects.create(
        study=study,
        evaluator=evaluator,
        number=number,
        pseudonym=pseudonym or f"E{number + 1:03d}",
        source=source,
        deadline=Now() + timedelta(days=study.days_to_rate),
    )
    Assignment.objects.bulk_create(
        Assignment(enrolment=enrolment, subtask=subtask) for subtask in study.subtasks.all()
    )
    Placement.objects.bulk_create(drawn_placements(study, enrolment), batch_size=2000)
    return enrolment


def drawn_placements(study: Study, enrolment: Enrolment) -> list[Placement]:
    """Return the placements of every page of the study in this enrolment's balanced orders (not saved)."""
    pages = Page.objects.filter(subtask__study=study).prefetch_related("page_candidates__study_method")
    placements = []
    for page_number, page in enumerate(pages):
        by_method = sorted(page.page_candidates.all(), key=lambda shown: shown.study_method.number)
        order = balanced_order(
            seed=study.order_seed, evaluator=enrolment.number, page=page_number, methods=len(by_method)
        )
        placements += [
            Placement(
                enrolment=enrolment, page=page, candidate_id=by_method[method].candidate_id, position=position
            )
            for position, method in enumerate(order)
        ]
    return placements
