"""Who gets which sub-task: sharing out, giving back, and the candidates of each page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.models import (
    AnswerChange,
    Assignment,
    Enrolment,
    Page,
    Placement,
    Study,
)
from annotations.models.protocols import OF_PAGES, OF_TEXTS
from annotations.questionnaire.blocks import block_order
from annotations.questionnaire.order import balanced_order
from generation.refusals import Refused


class EnrolmentRefused(Refused):
    """Somebody who was not enrolled, with a message for people."""


def may_take_up(study: Study, enrolment: Enrolment) -> bool:
    """Whether an evaluator whose sub-tasks were given back still has time for others."""
    return study.is_shared_out() and study.state == Study.State.OPEN and not enrolment.is_over


def holders(study: Study) -> dict[int, int]:
    """Return how many evaluators have each sub-task of a study (by primary key, in order), with one query."""
    people = Q(assignment__enrolment__source=Enrolment.Source.QUESTIONNAIRE)
    counted = study.subtasks.order_by("number").annotate(holders=Count("assignment", filter=people))
    return dict(counted.values_list("pk", "holders"))


def assign_subtasks(study: Study, enrolment: Enrolment) -> None:
    """Give an enrolment its sub-tasks and draw the order of their pages; raise `EnrolmentRefused`.

    Where sub-tasks are shared out, an evaluator's row of the balanced design is the number of those who have the
    sub-task already, so that the orders of each page are as balanced as those of a study that everybody rates.
    """
    rows: dict[int, int]
    if study.is_shared_out() and enrolment.source == Enrolment.Source.QUESTIONNAIRE:
        free = {pk: held for pk, held in holders(study).items() if held < (study.evaluators_per_subtask or 0)}
        if not free:
            raise EnrolmentRefused(_("This study has all the evaluators that it needs."))
        fewest = sorted(free, key=free.__getitem__)[: study.subtasks_per_evaluator]
        rows = {pk: free[pk] for pk in fewest}
    else:
        rows = dict.fromkeys(study.subtasks.values_list("pk", flat=True), enrolment.number)
    Assignment.objects.bulk_create(Assignment(enrolment=enrolment, subtask_id=pk) for pk in rows)
    Placement.objects.bulk_create(drawn_placements(study, enrolment, rows), batch_size=2000)


def drawn_placements(study: Study, enrolment: Enrolment, rows: Mapping[int, int]) -> list[Placement]:
    """Return the placements of the pages of some sub-tasks in balanced blocks and orders (not saved).

    :param rows: the evaluator's row of the balanced design for each of the sub-tasks, by primary key
    """
    pages = list(Page.objects.filter(subtask__study=study).prefetch_related("page_candidates__study_method"))
    pages_of = Counter(page.subtask_id for page in pages)
    methods = study.study_methods.count() if study.candidates_per_page else 0
    placements = []
    for page_number, page in enumerate(pages):
        if page.subtask_id not in rows:
            continue
        row = rows[page.subtask_id]
        by_method = sorted(page.page_candidates.all(), key=lambda shown: shown.study_method.number)
        size = study.page_size(len(by_method))
        if size == len(by_method):
            order = balanced_order(
                seed=study.order_seed, evaluator=row, page=page_number, methods=len(by_method)
            )
        elif len(by_method) == methods:
            order = block_order(
                seed=study.order_seed,
                of=f"sub-task {page.subtask_id}",
                place=row * pages_of[page.subtask_id] + page.number - 1,
                methods=methods,
                size=size,
            )
        else:
            # A prompt that lacks texts has blocks of those there are, balanced over its evaluators.
            order = block_order(
                seed=study.order_seed, of=f"page {page_number}", place=row, methods=len(by_method), size=size
            )
        placements += [
            Placement(
                enrolment=enrolment, page=page, candidate_id=by_method[method].candidate_id, position=position
            )
            for position, method in enumerate(order)
        ]
    return placements


def abandoned(study: Study) -> QuerySet[Assignment]:
    """Return the sub-tasks of evaluators who have not answered anything in them, nor lately anything elsewhere.

    Lately is within the study's hours after which a sub-task is given back. Whoever works through their other
    sub-tasks keeps those that they have not come to yet.
    """
    own = {"enrolment": OuterRef("enrolment")}
    here = {**own, "page__subtask": OuterRef("subtask")}
    last = AnswerChange.objects.filter(**own).order_by("-changed_at").values("changed_at")[:1]
    return (
        Assignment.objects.filter(
            *(~Exists(model._default_manager.filter(**here)) for model in OF_PAGES),
            *(
                ~Exists(
                    model._default_manager.filter(
                        **own,
                        candidate__placement__enrolment=OuterRef("enrolment"),
                        candidate__placement__page__subtask=OuterRef("subtask"),
                    )
                )
                for model in OF_TEXTS
            ),
            enrolment__study=study,
            enrolment__source=Enrolment.Source.QUESTIONNAIRE,
        )
        .annotate(active_at=Greatest("created_at", Coalesce(last, F("created_at"))))
        .filter(active_at__lt=Now() - timedelta(hours=study.hours_to_give_back))
    )


@transaction.atomic
def give_back(study: Study, *, by: User | None = None) -> int:
    """Take sub-tasks that were abandoned from their evaluators, log it, and return how many.

    Only a study that is open and shares its sub-tasks out has any. The enrolments are locked before it is looked
    again: an answer being saved needs its enrolment to stay, so it is either seen here or refused.
    """
    study = Study.objects.locked(study)
    if not study.is_shared_out() or study.state != Study.State.OPEN:
        return 0
    of = set(abandoned(study).values_list("enrolment", flat=True))
    if not of:
        return 0
    list(Enrolment.objects.filter(pk__in=of).order_by("pk").select_for_update().values_list("pk"))
    found = list(abandoned(study).filter(enrolment__in=of).select_related("enrolment", "subtask"))
    for assignment in found:
        Placement.objects.filter(enrolment=assignment.enrolment, page__subtask=assignment.subtask).delete()
        assignment.delete()
    if found:
        log_act(
            study,
            by,
            "people.given_back",
            subtasks=[{"evaluator": one.enrolment.pseudonym, "subtask": one.subtask.number} for one in found],
        )
    return len(found)


def give_back_everywhere() -> int:
    """Take abandoned sub-tasks back in every open study that shares them out, and return how many."""
    shared = Study.objects.filter(state=Study.State.OPEN, evaluators_per_subtask__isnull=False)
    return sum(give_back(study) for study in shared)
