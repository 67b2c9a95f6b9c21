"""A new log-in for an evaluator who has lost theirs, made by whoever runs the study."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from annotations.access.accounts import only_rates
from annotations.access.log import log_act
from annotations.access.permissions import Right, rights
from annotations.models import Enrolment
from annotations.recruiting.joining import make_return_link, may_open


class NewLoginRefused(Exception):
    """An account that whoever runs this study cannot give a new log-in to, with a message for people."""


@dataclass(frozen=True)
class NewLogin:
    """A personal link, or a name with a password, to be shown once."""

    token: str = ""
    password: str = ""


@transaction.atomic
def make_new_login(enrolment: Enrolment, *, by: User, nonce: str = "") -> NewLogin:
    """Return a new personal link of a guest, or a new password of an account that only rates, and log it.

    With it one can answer as the evaluator, so an account that does more than rate, or that rates a study which `by`
    does not run, is refused with `NewLoginRefused`.
    """
    evaluator = User.objects.select_for_update().get(pk=enrolment.evaluator_id)
    if enrolment.withdrawn_at or not evaluator.is_active:
        raise NewLoginRefused(_("This evaluator has no account any more."))
    if may_open(evaluator):
        made = NewLogin(token=make_return_link(enrolment, nonce))
    else:
        elsewhere = [one.study for one in evaluator.enrolments.select_related("study")]
        if not only_rates(evaluator) or not all(Right.RUN in rights(by, study) for study in elsewhere):
            raise NewLoginRefused(
                _(
                    "This account does more than rate your studies: only an administrator can change its password."
                )
            )
        made = NewLogin(password=secrets.token_urlsafe(12))
        evaluator.set_password(made.password)
        evaluator.save(update_fields=["password"])
    log_act(enrolment.study, by, "people.login", evaluator=enrolment.pseudonym)
    return made
