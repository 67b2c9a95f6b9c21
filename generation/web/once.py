"""One press, one effect: by its nonce a form that is sent twice is known again, and a call of the API by its key."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from typing import TypeVar

from django import forms
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from generation.models import SentForm

Made = TypeVar("Made", bound=Model)

NONCE = re.compile(r"\A[A-Za-z0-9_-]{22}\Z")
KEY = re.compile(r"\A[A-Za-z0-9_-]{22,200}\Z")
HEADER = "Idempotency-Key"
IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": "^[A-Za-z0-9_-]{22,200}$"},
    OpenApiParameter.HEADER,
    description="A random text, such as a UUID: a call that is repeated with it makes nothing a second time.",
)


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


class NonceForm(forms.Form):
    """What every form that makes something brings with it (`{% nonce %}`)."""

    nonce = forms.RegexField(NONCE, required=False)

    def sent_nonce(self) -> str:
        """Return the nonce of the form; one that the site never made counts as none."""
        self.is_valid()
        return str(self.cleaned_data.get("nonce", ""))


def key_sent(request: Request) -> str:
    """Return the Idempotency-Key of a call, or nothing; raise `ValidationError` for one that could be guessed."""
    key = request.headers.get(HEADER, "")
    if key and not KEY.fullmatch(key):
        raise ValidationError(
            {HEADER: [_("Must be 22 to 200 letters, digits, hyphens or underscores, drawn at random.")]}
        )
    return key


@transaction.atomic
def make_once(nonce: str, sender: str, make: Callable[[], Made], made: QuerySet[Made]) -> Made:
    """Return what `make` makes; for a nonce that the sender has sent before what it made then, out of `made`.

    Of two forms at once the second one waits for the first. What `make` raises undoes all, so that the form can be
    sent again; without a nonce everything is made anew.
    """
    if not nonce:
        return make()
    key = hashlib.sha256(f"{sender}: {nonce}".encode()).hexdigest()
    form, is_new = SentForm.objects.get_or_create(key=key)
    if not is_new and (found := made.filter(pk=form.made).first()):
        return found
    result = make()
    SentForm.objects.filter(pk=form.pk).update(made=str(result.pk))
    return result
