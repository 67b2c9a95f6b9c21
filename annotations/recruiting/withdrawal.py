"""Leaving a study: everything that an evaluator answered goes, and so does whose it was."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.models import (
    AnswerChange,
    Enrolment,
    Invitation,
    Job,
    LinkAccount,
    PageEvent,
    Study,
    TrainingAttempt,
)
from annotations.models.protocols import ANSWERS
from generation.refusals import Refused


def may_withdraw(study: Study) -> bool:
    """Whether evaluators can withdraw by themselves: until the study is closed."""
    return study.state != Study.State.CLOSED


@transaction.atomic
def withdraw(enrolment: Enrolment, *, by_evaluator: bool = False, by: User | None = None) -> int:
    """Remove an evaluator's answers, their history and all that tells who it was; return how many answers went.

    What stays is a row without a person: the place in the balanced design, when, and the number of answers. Raises
    `Refused` for an evaluator after the study was closed; somebody who runs it still can. Withdrawing twice changes
    nothing.

    The enrolment is locked, after its study as everywhere: an answer being saved needs it to stay, so it is either
    removed here or refused.
    """
    study = Study.objects.locked(enrolment.study_id)
    enrolment = Enrolment.objects.select_for_update().get(pk=enrolment.pk)
    if enrolment.withdrawn_at or enrolment.source != Enrolment.Source.QUESTIONNAIRE:
        return 0
    if by_evaluator and not may_withdraw(study):
        raise Refused(
            _("This study is closed. Ask those who run it to remove your answers: %(contact)s")
            % {"contact": study.contact or "–"}
        )
    evaluator = enrolment.evaluator
    own = {"enrolment": enrolment}
    removed = sum(model._default_manager.filter(**own).delete()[0] for model in ANSWERS)
    AnswerChange.objects.filter(**own).delete()
    PageEvent.objects.filter(**own).delete()
    TrainingAttempt.objects.filter(**own).delete()
    Job.objects.filter(study=study).forget_answers()
    enrolment.placements.all().delete()
    enrolment.assignments.all().delete()
    enrolment.return_links.all().delete()
    enrolment.reminders.all().delete()
    # The invitation stays as one that was used, and tells nobody's name.
    Invitation.objects.filter(used_by=enrolment).update(email="", name="")
    Enrolment.objects.filter(pk=enrolment.pk).update(
        evaluator=nobody(study, enrolment.pseudonym),
        external_id="",
        external_session="",
        join_nonce="",
        consented_at=None,
        form_answers={},
        withdrawn_at=Now(),
        answers_removed=removed,
    )
    if LinkAccount.objects.filter(user=evaluator).exists() and not evaluator.enrolments.exists():
        # It was made for this study alone. Without it nobody can come back by a session that is still open.
        User.objects.filter(pk=evaluator.pk).update(is_active=False)
    # In the log the evaluator has no name either, so no actor is named where they did it themselves.
    log_act(study, by, "people.withdrawn", evaluator=enrolment.pseudonym, by_evaluator=by_evaluator)
    return removed


def nobody(study: Study, pseudonym: str) -> User:
    """Return an account that nobody can use, to stand where a person stood."""
    # No name that somebody chooses for an account can hold a slash.
    user = User(username=f"{study.slug}/{pseudonym}", is_active=False)
    user.set_unusable_password()
    user.save()
    return user
