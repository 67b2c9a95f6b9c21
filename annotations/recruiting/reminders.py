"""Reminding evaluators of their deadline, once for each of `DAYS_BEFORE`, however often it is looked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urljoin

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from annotations.access.log import log_act
from annotations.models import Enrolment, Invitation, Reminder, Study
from annotations.questionnaire.progress import progress_of
from annotations.recruiting.joining import may_open
from annotations.recruiting.mail import Letter, can_mail, send_letters, write_letter
from annotations.recruiting.tokens import join_address, make_return_link

# So many days before the deadline an evaluator with something left to answer is written to.
DAYS_BEFORE = (3, 1)
# Nobody is reminded of what they have only just begun.
FIRST_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Due:
    """A reminder that is to go out."""

    enrolment: Enrolment
    email: str
    missing: int
    days_before: int


def stage_of(deadline: datetime, now: datetime) -> int | None:
    """Return which of `DAYS_BEFORE` is due at this time: the last one that has come, or None."""
    due = [days for days in DAYS_BEFORE if now < deadline <= now + timedelta(days=days)]
    return min(due, default=None)


def due_reminders() -> list[Due]:
    """Return the reminders that are due in all open studies, in four queries."""
    now = timezone.now()
    near = (
        Enrolment.objects.with_time_left()
        .filter(
            study__state=Study.State.OPEN,
            source=Enrolment.Source.QUESTIONNAIRE,
            withdrawn_at=None,
            deadline__lte=Now() + timedelta(days=max(DAYS_BEFORE)),
            created_at__lte=Now() - FIRST_DAY,
        )
        .select_related("study", "evaluator")
        .order_by("study", "number")
    )
    invited = dict(Invitation.objects.filter(used_by__in=near).values_list("used_by", "email"))
    done = set(
        Reminder.objects.filter(enrolment__in=near).values_list("enrolment", "deadline", "days_before")
    )
    progress = progress_of(near)
    found = []
    for enrolment in near:
        email = invited.get(enrolment.pk) or enrolment.evaluator.email
        days = stage_of(enrolment.deadline, now)
        missing = progress[enrolment.pk].missing
        if email and days and missing and (enrolment.pk, enrolment.deadline, days) not in done:
            found.append(Due(enrolment, email, missing, days))
    return found


def send_reminders() -> int:
    """Remind everybody who is due, log it, and return how many letters the mail server took.

    A row claims each reminder before its letter goes out, so two at once send one; it is taken back where the mail
    server refused. Without a mail server nothing is done.
    """
    if not can_mail():
        return 0
    sent: dict[Study, int] = {}
    for due in due_reminders():
        reminder, is_new = Reminder.objects.get_or_create(
            enrolment=due.enrolment, deadline=due.enrolment.deadline, days_before=due.days_before
        )
        if not is_new:
            continue
        if send_letters([letter_of(due)]) == [True]:
            sent[due.enrolment.study] = sent.get(due.enrolment.study, 0) + 1
        else:
            reminder.delete()
    for study, letters in sent.items():
        with transaction.atomic():
            log_act(study, None, "people.reminded", letters=letters)
    return sum(sent.values())


def letter_of(due: Due) -> Letter:
    """Return the letter of a reminder, in both languages, with a link that works for this evaluator."""
    study = due.enrolment.study
    address = urljoin(settings.SITE_URL, reverse("annotations:study", args=[study.slug]))
    if may_open(due.enrolment.evaluator):
        address = join_address(make_return_link(due.enrolment))
    context = {"missing": due.missing, "deadline": due.enrolment.deadline, "address": address}
    return write_letter("reminder", due.email, study, context)
