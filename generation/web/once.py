"""One press, one effect: by its nonce a form that is sent twice is known again, and a call of the API by its key."""

from __future__ import annotations

import re
import secrets

from django import forms
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

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
