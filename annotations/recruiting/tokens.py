"""The tokens of links: who has one may come in, and only its digest is kept."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from urllib.parse import urljoin
from uuid import UUID, uuid4

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from annotations.models import Enrolment, ReturnLink

# 128 bits, as 22 letters that an address can hold.
TOKEN_BYTES = 16
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class NewToken:
    """A token as it goes into a link, to be shown or sent once, and its digest, to be stored."""

    text: str
    digest: str


def new_token() -> NewToken:
    text = secrets.token_urlsafe(TOKEN_BYTES)
    return NewToken(text, token_digest(text))


def token_from(nonce: str, purpose: str) -> NewToken:
    """Return the token that the nonce of a form stands for: sent twice, the form makes one link and shows it twice."""
    code = salted_hmac("annotations.recruiting.tokens", f"{purpose}:{nonce}", algorithm="sha256").digest()
    text = base64.urlsafe_b64encode(code[:TOKEN_BYTES]).decode().rstrip("=")
    return NewToken(text, token_digest(text))


def uuid_from(nonce: str, purpose: str) -> UUID:
    """Return the id that the nonce of a form stands for, which nobody can guess; a new one without a nonce."""
    if not nonce:
        return uuid4()
    code = salted_hmac("annotations.recruiting.tokens", f"id {purpose}:{nonce}", algorithm="sha256").digest()
    return UUID(bytes=code[:TOKEN_BYTES], version=4)


def token_of(link: UUID) -> NewToken:
    """Return the token of the invitation or open link of this id, so that its link can be shown again."""
    return token_from(str(link), "link of an id")


def token_digest(text: str) -> str:
    """Return the SHA-256 of a token; it needs no salt, because nobody can try 2^128 of them."""
    return hashlib.sha256(text.encode()).hexdigest()


def join_address(token: str, site: str = "") -> str:
    """Return the whole address of a link, on `site` (as in https://example.org/) or the one in the settings."""
    return urljoin(site or settings.SITE_URL, reverse("annotations:join", args=[token]))


def first_return_link(enrolment: Enrolment, nonce: str) -> str:
    """Return the return link of somebody who came by a link that is not theirs alone; nothing for anybody else."""
    if enrolment.open_link is None:
        return ""
    return make_return_link(enrolment, nonce)


def make_return_link(enrolment: Enrolment, nonce: str = "") -> str:
    """Return the token of a link by which an evaluator without a password comes back; earlier ones stay good.

    The same nonce gives the same link.
    """
    token = token_from(nonce, f"return link of {enrolment.pk}") if nonce else new_token()
    ReturnLink.objects.get_or_create(enrolment=enrolment, token_hash=token.digest)
    return token.text
