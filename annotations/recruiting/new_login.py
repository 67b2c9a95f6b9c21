"""A new log-in for an evaluator who has lost theirs, made by whoever runs the study; what they had before ends."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from annotations.access.accounts import only_rates
from annotations.access.log import log_act
from annotations.access.permissions import Right, rights
from annotations.models import Enrolment, Invitation, ReturnLink
from annotations.recruiting.joining import may_open
from annotations.recruiting.tokens import make_return_link, token_digest, token_from
from generation.refusals import Refused


@dataclass(frozen=True)
class NewLogin:
    """A personal link, or a name with a password, to be shown once."""

    token: str = ""
    password: str = ""


@transaction.atomic
def make_new_login(enrolment: Enrolment, *, by: User, nonce: str = "") -> NewLogin:
    """Return a new personal link of a guest, or a new password of an account that only rates, and log it.

    Earlier links, sessions and tokens of the API end; a second call with the same nonce returns the same and ends
    nothing. With it one can answer as the evaluator, so an account that does more than rate, or that rates a study
    which `by` does not run, is refused with `Refused`.
    """
    evaluator = User.objects.select_for_update().get(pk=enrolment.evaluator_id)
    if enrolment.withdrawn_at or not evaluator.is_active:
        raise Refused(_("This evaluator has no account any more."))
    rated = [one.study for one in evaluator.enrolments.select_related("study")]
    if not only_rates(evaluator) or not all(Right.RUN in rights(by, study) for study in rated):
        raise Refused(
            _("This account does more than rate your studies: only an administrator can change its password.")
        )
    is_guest = may_open(evaluator)
    made = new_link(enrolment, nonce) if is_guest else new_password(evaluator, nonce)
    if made.is_new:
        if hasattr(evaluator, "api_token"):
            evaluator.api_token.delete()
        # With another password, usable or not, every session ends.
        evaluator.set_password(made.login.password or None)
        evaluator.save(update_fields=["password"])
        log_act(enrolment.study, by, "people.login", evaluator=enrolment.pseudonym)
    return made.login


@dataclass(frozen=True)
class Made:
    """A log-in, and whether this call made it."""

    login: NewLogin
    is_new: bool


def new_link(enrolment: Enrolment, nonce: str) -> Made:
    """Make a guest's only link: the earlier ones, and the invitation that they came by, open nothing any more."""
    earlier = set(enrolment.return_links.values_list("token_hash", flat=True))
    token = make_return_link(enrolment, nonce)
    if token_digest(token) in earlier:
        return Made(NewLogin(token=token), is_new=False)
    keys = ReturnLink.objects.filter(enrolment__evaluator=enrolment.evaluator_id)
    keys.exclude(token_hash=token_digest(token)).delete()
    used = Invitation.objects.filter(used_by__evaluator=enrolment.evaluator_id, revoked_at=None)
    used.update(revoked_at=Now())
    return Made(NewLogin(token=token), is_new=True)


def new_password(evaluator: User, nonce: str) -> Made:
    purpose = f"password of {evaluator.pk}"
    password = token_from(nonce, purpose).text if nonce else secrets.token_urlsafe(12)
    return Made(NewLogin(password=password), is_new=not evaluator.check_password(password))
