"""Tokens of the API: made, taken back, and known again by their digest."""

from __future__ import annotations

import base64
import hashlib
import secrets

from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from evalsite.models import ApiToken


def digest_of(token: str) -> str:
    # A token is 256 random bits: nothing could be guessed that a slow digest would have to protect.
    return hashlib.sha256(token.encode()).hexdigest()


def make_token(user: User, nonce: str = "") -> str:
    """Return a new token of a user, to be shown once; the one before is void from now on.

    The same nonce gives the same token.
    """
    token = token_from(user, nonce) if nonce else secrets.token_urlsafe(32)
    ApiToken.objects.bulk_create(
        [ApiToken(user=user, digest=digest_of(token), created_at=Now())],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["digest", "created_at"],
    )
    return token


def token_from(user: User, nonce: str) -> str:
    code = salted_hmac("evalsite.tokens", f"{user.pk}:{nonce}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(code).decode().rstrip("=")


def replaces_token(user: User, nonce: str = "") -> bool:
    """Whether a new token makes another one void; a form that is sent twice only shows its own again."""
    stored = ApiToken.objects.filter(user=user)
    return (stored.exclude(digest=digest_of(token_from(user, nonce))) if nonce else stored).exists()


def take_back_token(user: User) -> bool:
    """Make the token of a user void, and return whether there was one."""
    return ApiToken.objects.filter(user=user).delete()[0] > 0


class HashedTokenAuthentication(TokenAuthentication):
    """`Authorization: Bearer TOKEN`."""

    keyword = "Bearer"

    def authenticate_credentials(self, key: str) -> tuple[User, ApiToken]:
        """Return the user whose token this is, and the token, with one query."""
        token = ApiToken.objects.select_related("user").filter(digest=digest_of(key)).first()
        if token is None or not token.user.is_active:
            raise AuthenticationFailed("This token is not valid.")
        return token.user, token
