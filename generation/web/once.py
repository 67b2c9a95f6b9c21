"""One press, one effect: by its nonce a form that is sent twice is known again, and a call of the API by its key."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django import forms
from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from generation.models import SentForm
from generation.refusals import Refused

Made = TypeVar("Made", bound=Model)

NONCE = re.compile(r"\A[A-Za-z0-9_-]{22}\Z")
KEY = re.compile(r"\A[A-Za-z0-9_-]{22,200}\Z")
HEADER = "Idempotency-Key"
# Longer than a page stays open.
KEPT = timedelta(days=30)
IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": "^[A-Za-z0-9_-]{22,200}$"},
    OpenApiParameter.HEADER,
    description="A random text, such as a UUID: a call that is repeated with it makes nothing a second time,"
    " and another call with it is refused.",
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
    """Return the Idempotency-Key of a call, or nothing.

    Raises `ValidationError` for one that could be guessed, `Refused` for one that came with something else before.
    """
    key = request.headers.get(HEADER, "")
    if key and not KEY.fullmatch(key):
        raise ValidationError(
            {HEADER: [_("Must be 22 to 200 letters, digits, hyphens or underscores, drawn at random.")]}
        )
    if key:
        call = json.dumps([request.method, request.path, request.data], sort_keys=True, default=str)
        said = hashlib.sha256(call.encode()).hexdigest()
        form, _is_new = SentForm.objects.get_or_create(
            key=digest_of(f"call by {request.user.pk}", key), defaults={"said": said}
        )
        if form.said != said:
            raise Refused(_("This Idempotency-Key came with another call before: send another one."))
    return key


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
