"""What belongs to accounts and to no app: sessions, and the tokens by which scripts call the API."""

from __future__ import annotations

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from evalsite.sessions import SessionStore


class Session(AbstractBaseSession):
    """A session of the site; with somebody logged in it names them, so that both are read at once."""

    # Without a key in the database: the store takes a row that it refuses for a name that is taken, and tries for ever.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, db_constraint=False, related_name="+"
    )

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore


class ApiToken(models.Model):
    """The one token of a user. Only its digest is kept, so that nobody who reads the database can use it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_token")
    # SHA-256 of the token, in hexadecimal digits.
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(digest__regex="^[0-9a-f]{64}$"), name="token_is_hashed"),
        ]

    def __str__(self) -> str:
        return f"token of user {self.user_id}"
