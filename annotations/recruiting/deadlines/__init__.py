"""One new deadline for many evaluators, who are told by mail if that is asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.access.fixed import refuse_if_closed
from annotations.access.log import log_act
from annotations.models import Enrolment, Invitation, Study
from annotations.models.bounds import LAST_YEAR
from annotations.questionnaire.progress import progress_of
from annotations.recruiting.joining import may_open
from annotations.recruiting.mail import Letter, can_mail, send_letters, write_letter
from annotations.recruiting.people import evaluators
from annotations.recruiting.tokens import join_address, make_return_link
from generation.files.problems import listed
from generation.refusals import Refused


@dataclass(frozen=True)
class Moved:
    """Whose deadline was moved, and how many letters about it the mail server took."""

    enrolments: tuple[Enrolment, ...]
    letters: int


def with_deadlines(study: Study) -> QuerySet[Enrolment]:
    """Return the evaluators of a study whose deadline can be moved: those who have not withdrawn."""
    return evaluators(study).filter(withdrawn_at=None)


def unfinished(study: Study) -> list[str]:
    """Return the pseudonyms of those who have something left to answer, in a constant number of queries."""
    shown = list(with_deadlines(study))
    progress = progress_of(shown)
    return [one.pseudonym for one in shown if progress[one.pk].missing]


def set_deadlines(
    study: Study, pseudonyms: Collection[str], deadline: datetime, *, by: User | None, tell: bool = False
) -> Moved:
    """Give evaluators this deadline, all or none, log it and, where asked, tell those who have an address.

    Whose deadline it is already is left alone and not told again. Raises `Refused` for a closed study, nobody, somebody
    who is no evaluator or has withdrawn, a time that is past or too far, and letters without a mail server.
    """
    if tell and not can_mail():
        raise Refused(_("The site has no mail server, so nobody can be told by mail."))
    moved = _move(study, pseudonyms, deadline, by=by, tell=tell)
    return Moved(tuple(moved), sum(send_letters(_letters(moved))) if tell else 0)


@transaction.atomic
def _move(
    study: Study, pseudonyms: Collection[str], deadline: datetime, *, by: User | None, tell: bool
) -> list[Enrolment]:
    locked = Study.objects.locked(study)
    refuse_if_closed(locked)
    if not pseudonyms:
        raise Refused(_("Choose at least one evaluator."))
    if deadline <= timezone.now():
        raise Refused(_("The new deadline is past already."))
    if deadline.year > LAST_YEAR:
        raise Refused(_("A deadline cannot be after the year %(year)d.") % {"year": LAST_YEAR})
    found = list(with_deadlines(locked).filter(pseudonym__in=pseudonyms))
    if unknown := sorted(set(pseudonyms) - {one.pseudonym for one in found}):
        raise Refused(_("The study has no evaluator %(evaluators)s.") % {"evaluators": listed(unknown)})
    moved = [one for one in found if one.deadline != deadline]
    Enrolment.objects.filter(pk__in=[one.pk for one in moved]).update(deadline=deadline)
    for one in moved:
        one.deadline = deadline
    if moved:
        names = [one.pseudonym for one in moved]
        at = deadline.isoformat(timespec="minutes")
        log_act(study, by, "people.deadlines", evaluators=names, deadline=at, told=tell)
    return moved


def _letters(moved: Sequence[Enrolment]) -> list[Letter]:
    """Return the letters to those who have an address, each with a link that works for its reader."""
    invited = dict(Invitation.objects.filter(used_by__in=moved).values_list("used_by", "email"))
    letters = []
    for one in moved:
        if email := invited.get(one.pk) or one.evaluator.email:
            address = urljoin(settings.SITE_URL, reverse("annotations:study", args=[one.study.slug]))
            if may_open(one.evaluator):
                address = join_address(make_return_link(one))
            context = {"deadline": one.deadline, "address": address}
            letters.append(write_letter("deadline", email, one.study, context))
    return letters
