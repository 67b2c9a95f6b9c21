"""Who gets which sub-task: sharing out, giving back, and the candidates of each page."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
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
    PageCandidate,
    Placement,
    Study,
)
from annotations.models.pages import TRAINING_SUBTASK
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
    counted = (
        study.subtasks.filter(number__gt=TRAINING_SUBTASK)
        .order_by("number")
        .annotate(holders=Count("assignment", filter=people))
    )
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
        rows = dict.fromkeys(
            study.subtasks.filter(number__gt=TRAINING_SUBTASK).values_list("pk", flat=True), enrolment.number
        )
    Assignment.objects.bulk_create(Assignment(enrolment=enrolment, subtask_id=pk) for pk in rows)
    Placement.objects.bulk_create(drawn_placements(study, enrolment, rows), batch_size=2000)


def assign_training(study: Study, enrolment: Enrolment) -> bool:
    """Draw the training pages of a new enrolment, and return whether the study has any."""
    subtasks = list(study.subtasks.filter(number=TRAINING_SUBTASK).values_list("pk", flat=True))
    if subtasks:
        rows = dict.fromkeys(subtasks, enrolment.number)
        Placement.objects.bulk_create(drawn_placements(study, enrolment, rows))
    return bool(subtasks)


def drawn_placements(study: Study, enrolment: Enrolment, rows: Mapping[int, int]) -> list[Placement]:
    """Return the placements of the pages of some sub-tasks in balanced blocks and orders (not saved).

    :param rows: the evaluator's row of the balanced design for each of the sub-tasks, by primary key
    """
    pages = list(
        Page.objects.filter(subtask__study=study).prefetch_related(
            "page_candidates__study_method",
            *(["page_candidates__known_answers"] if study.candidates_per_page else []),
        )
    )
    counted = [page for page in pages if page.role == Page.Role.COUNTED]
    pages_of = Counter(page.subtask_id for page in counted)
    # The place of each page in its sub-task among those that count: the checks between them have no part in the blocks.
    place_of = {page.pk: number - 1 for page, number in zip(counted, running_numbers(counted), strict=True)}
    methods = study.study_methods.count() if study.candidates_per_page else 0
    placements: list[Placement] = []
    # The methods on the pages that were drawn already: a repeat has the texts of its first showing.
    drawn: dict[int, set[int]] = {}
    for page_number, page in enumerate(pages):
        if page.subtask_id not in rows:
            continue
        row = rows[page.subtask_id]
        by_method = sorted(page.page_candidates.all(), key=lambda shown: shown.study_method.number)
        if page.repeats_id:
            by_method = [shown for shown in by_method if shown.study_method_id in drawn[page.repeats_id]]
        elif page.role != Page.Role.COUNTED:
            by_method = with_known_answers(by_method, study, row)
        size = study.page_size(len(by_method))
        if size == len(by_method):
            order = balanced_order(
                seed=study.order_seed, evaluator=row, page=page_number, methods=len(by_method)
            )
        elif len(by_method) == methods and page.pk in place_of:
            order = block_order(
                seed=study.order_seed,
                of=f"sub-task {page.subtask_id}",
                place=row * pages_of[page.subtask_id] + place_of[page.pk],
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
        drawn[page.pk] = {by_method[method].study_method_id for method in order}
    return placements


def running_numbers(pages: Sequence[Page]) -> list[int]:
    """Number pages from 1 within their sub-tasks."""
    held: Counter[int] = Counter()
    numbers = []
    for page in pages:
        held[page.subtask_id] += 1
        numbers.append(held[page.subtask_id])
    return numbers


def with_known_answers(by_method: list[PageCandidate], study: Study, row: int) -> list[PageCandidate]:
    """Return as many texts of a page as share one, those with a known answer before others; which others is drawn."""
    size = study.page_size(len(by_method))
    if size == len(by_method):
        return by_method
    # A Mersenne twister is enough: the seed has 63 secret bits and only its choices are ever seen.
    rng = random.Random(f"{study.order_seed}/texts {by_method[0].page_id}/{row}")  # noqa: S311
    drawn = sorted(rng.sample(by_method, len(by_method)), key=lambda shown: not shown.known_answers.all())
    return sorted(drawn[:size], key=lambda shown: shown.study_method.number)


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
