"""One press, one effect: by its nonce a form that is sent twice is known again."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django import forms
from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Now

from generation.models import SentForm

Made = TypeVar("Made", bound=Model)

NONCE = re.compile(r"\A[A-Za-z0-9_-]{22}\Z")
# Longer than a page stays open.
KEPT = timedelta(days=30)


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


class NonceForm(forms.Form):
    """What every form that makes something brings with it (`{% nonce %}`)."""

    nonce = forms.RegexField(NONCE, required=False)

    def sent_nonce(self) -> str:
        """Return the nonce of the form; one that the site never made counts as none."""
        self.is_valid()
        return str(self.cleaned_data.get("nonce", ""))


def digest_of(sender: str, nonce: str) -> str:
    return hashlib.sha256(f"{sender}: {nonce}".encode()).hexdigest()


def was_made(nonce: str, sender: str) -> bool:
    """Whether this form has made something before."""
    return bool(nonce) and SentForm.objects.filter(key=digest_of(sender, nonce)).exists()


def forget_sent() -> None:
    """Delete what is known of forms that were sent so long ago that nobody sends them again."""
    SentForm.objects.filter(sent_at__lt=Now() - KEPT).delete()


@transaction.atomic
def make_once(nonce: str, sender: str, make: Callable[[], Made], made: QuerySet[Made]) -> Made:
    """Return what `make` makes; for a nonce that the sender has sent before what it made then, out of `made`.

    Of two forms at once the second one waits for the first. What `make` raises undoes all, so that the form can be
    sent again; without a nonce everything is made anew.
    """
    if not nonce:
        return make()
    form, is_new = SentForm.objects.get_or_create(key=digest_of(sender, nonce))
    if not is_new and (found := made.filter(pk=form.made).first()):
        return found
    result = make()
    SentForm.objects.filter(pk=form.pk).update(made=str(result.pk))
    return result
