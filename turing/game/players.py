"""Who is playing: the token in the visitor's cookie, and the account if there is one."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from turing.models import Player

# The prefix binds the cookie to this host and to HTTPS, where there is HTTPS.
COOKIE = "__Host-player" if settings.SESSION_COOKIE_SECURE else "player"
COOKIE_AGE = 365 * 24 * 3600
SALT = "turing.players"


@dataclass(frozen=True)
class Visitor:
    """Whoever sent a request; has neither token nor account before the first game."""

    token_hash: str | None
    user: User | None

    def owns(self, player: str) -> Q:
        """Return the condition that the player found by the path `player` is this visitor."""
        own = Q(**{f"{player}__token_hash": self.token_hash}) if self.token_hash else Q(pk__in=[])
        return own | Q(**{f"{player}__user": self.user}) if self.user else own

    def player(self) -> Player | None:
        """Return the player of the cookie, otherwise the first one of the account."""
        by_cookie = Player.objects.filter(token_hash=self.token_hash).first() if self.token_hash else None
        if by_cookie or not self.user:
            return by_cookie
        return Player.objects.filter(user=self.user).order_by("pk").first()


def visitor_of(request: HttpRequest) -> Visitor:
    token = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=COOKIE_AGE)
    user = request.user if isinstance(request.user, User) else None
    return Visitor(hash_of(token) if token else None, user)


def hash_of(token: str) -> str:
    """Return what is stored of a token: it is long and random, so a plain digest hides it."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_player(user: User | None, nonce: str = "") -> tuple[Player, str]:
    """Store a new player and return it with its token, which only the cookie keeps; a nonce makes one player."""
    token = secrets.token_urlsafe(24)
    if nonce:
        token = salted_hmac("turing.players.nonce", nonce, algorithm="sha256").hexdigest()
    return Player.objects.get_or_create(token_hash=hash_of(token), defaults={"user": user})[0], token


def remember(response: HttpResponse, token: str) -> None:
    """Give the token to the visitor's browser, where no script can read it."""
    response.set_signed_cookie(
        COOKIE,
        token,
        salt=SALT,
        max_age=COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def keep_record(visitor: Visitor) -> bool:
    """Put the record of the visitor's cookie under their account, unless it is under one already."""
    if not (visitor.token_hash and visitor.user):
        return False
    unowned = Player.objects.filter(token_hash=visitor.token_hash, user=None)
    return unowned.update(user=visitor.user) == 1
