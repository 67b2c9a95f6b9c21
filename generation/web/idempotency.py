"""One call, one effect: by its key a call of the API that is repeated is known again."""

from __future__ import annotations

import hashlib
import json
import re

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from generation.models import SentForm
from generation.refusals import Refused
from generation.web.once import digest_of

KEY = re.compile(r"\A[A-Za-z0-9_-]{22,200}\Z")
HEADER = "Idempotency-Key"
IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": "^[A-Za-z0-9_-]{22,200}$"},
    OpenApiParameter.HEADER,
    description="A random text, such as a UUID: a call that is repeated with it makes nothing a second time,"
    " and another call with it is refused.",
)


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
