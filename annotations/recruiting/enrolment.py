"""How an evaluator comes into a study, which sub-tasks are theirs, and when these go to somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Greatest, Now
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.models import (
    Enrolment,
    EvaluatorGroup,
    OpenLink,
    Study,
    StudyRole,
)
from annotations.models.bounds import LAST_YEAR, MOST_DAYS, check_number
from annotations.recruiting.sharing_out import (
    EnrolmentRefused,
    assign_subtasks,
    assign_training,
    give_back,
    may_take_up,
)
from generation.refusals import Refused


@dataclass(frozen=True)
class CameBy:
    """How an evaluator came into a study: by an open link, and as whom a panel knows them."""

    open_link: OpenLink | None = None
    external_id: str = ""
    external_session: str = ""
    join_nonce: str = ""


@transaction.atomic
def enrol(
    study: Study,
    evaluator: User,
    *,
    pseudonym: str | None = None,
    source: Enrolment.Source = Enrolment.Source.QUESTIONNAIRE,
    group: EvaluatorGroup | None = None,
    came_by: CameBy | None = None,
) -> Enrolment:
    """Enrol an evaluator in a study, give them their sub-tasks and draw the order of every page of these.

    Where a training round must be passed first, its pages are all they get until then.

    Everybody gets all sub-tasks, or, where each is for a number of evaluators, those that the fewest have. Enrolling
    twice returns the first enrolment; one whose sub-tasks were all given back gets others. Raises `EnrolmentRefused`.

    The study's row is locked, because two enrolments at once must not take the same number in the balanced design,
    nor the same last place in a sub-task.
    """
    study = Study.objects.locked(study)
    existing = Enrolment.objects.filter(study=study, evaluator=evaluator).first()
    if existing and (
        not may_take_up(study, existing) or existing.assignments.exists() or existing.awaits_training()
    ):
        return existing
    if source == Enrolment.Source.QUESTIONNAIRE:
        refuse_to_enrol(study, evaluator)
        if study.is_shared_out():
            give_back(study)
    if existing:
        assign_subtasks(study, existing)
        return existing
    came_by = came_by or CameBy()
    highest = study.enrolments.aggregate(highest=Max("number"))["highest"]
    number = 0 if highest is None else highest + 1
    enrolment = Enrolment.objects.create(
        study=study,
        evaluator=evaluator,
        number=number,
        pseudonym=pseudonym or f"E{number + 1:03d}",
        source=source,
        deadline=Now() + timedelta(days=study.days_to_rate),
        group=group,
        **vars(came_by),
    )
    is_person = source == Enrolment.Source.QUESTIONNAIRE
    if not (is_person and assign_training(study, enrolment) and enrolment.awaits_training()):
        assign_subtasks(study, enrolment)
    return enrolment


def refuse_to_enrol(study: Study, evaluator: User) -> None:
    """Refuse a study that takes nobody, and people who would rate what they run."""
    if study.state == Study.State.DRAFT:
        raise EnrolmentRefused(_("This study has not been launched yet."))
    if study.state == Study.State.CLOSED:
        raise EnrolmentRefused(_("This study is closed."))
    if runs_study(study, evaluator):
        raise EnrolmentRefused(_("Whoever runs a study cannot rate it: they see which method wrote a text."))


def runs_study(study: Study, user: User) -> bool:
    """Whether a user is an administrator or has a role in a study."""
    return user.is_staff or user.is_superuser or StudyRole.objects.filter(study=study, user=user.pk).exists()


@transaction.atomic
def enrol_by_staff(
    study: Study, evaluator: User, *, by: User | None, group: EvaluatorGroup | None = None
) -> Enrolment:
    """Enrol a user who has an account, and log it; raise `EnrolmentRefused`."""
    was_in = Enrolment.objects.filter(study=study, evaluator=evaluator).exists()
    enrolment = enrol(study, evaluator, group=group)
    if not was_in:
        log_act(study, by, "people.enrolled", evaluator=enrolment.pseudonym)
    return enrolment


@transaction.atomic
def extend_deadline(enrolment: Enrolment, *, days: int, by: User | None) -> Enrolment:
    """Give an evaluator so many more days, from the deadline or, if it is past, from now; log it and return them.

    Raises ValidationError for more days than may be given at a time, `Refused` for a deadline after `LAST_YEAR`.
    """
    check_number("days", days, most=MOST_DAYS)
    # Before the enrolment, as everywhere, so that nobody waits for this while this waits for them.
    Study.objects.locked(enrolment.study_id)
    enrolment.refresh_from_db(fields=["deadline"])
    if enrolment.deadline.year >= LAST_YEAR:
        raise Refused(_("A deadline cannot be after the year %(year)d.") % {"year": LAST_YEAR})
    updated = Enrolment.objects.filter(
        pk=enrolment.pk, source=Enrolment.Source.QUESTIONNAIRE, withdrawn_at=None
    ).update(deadline=Greatest("deadline", Now()) + timedelta(days=days))
    if updated:
        log_act(enrolment.study, by, "people.deadline", evaluator=enrolment.pseudonym, days=days)
    return enrolment
