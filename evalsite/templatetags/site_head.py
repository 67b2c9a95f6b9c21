"""The head of every page: rendered once for what a reader may go to, in each language."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from generation.web.frames import filled, place

register = template.Library()
# Some megabytes.
MOST_HEADS = 1024


@register.simple_tag(takes_context=True)
def site_head(context: Context) -> SafeString:
    """Return the name of the site, and the ways of its reader: to their work, to another language, and out."""
    request, user = context.get("request"), context.get("user")
    is_known = bool(user and user.is_authenticated)
    head = _head(
        get_language() or "en",
        user.get_username() if user and is_known else None,
        is_staff=bool(user and user.is_staff),
        languages=None
        if request is None
        else tuple(getattr(request, "offered_languages", None) or dict(settings.LANGUAGES)),
    )
    return filled(head, {"token": lambda: _token_field(context), "next": lambda: _next(request)})


@lru_cache(maxsize=MOST_HEADS)
def _head(language: str, username: str | None, *, is_staff: bool, languages: tuple[str, ...] | None) -> str:
    return render_to_string(
        "_site_head.html",
        {
            "language": language,
            "username": username,
            "is_known": username is not None,
            "is_staff": is_staff,
            "languages": languages,
            "token": place("token"),
            "next": place("next"),
        },
    )


def _token_field(context: Context) -> SafeString | str:
    token = context.get("csrf_token")
    # As Django's `csrf_token` tag has it.
    if not token or token == "NOTPROVIDED":  # noqa: S105 - none
        return ""
    return format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token)


def _next(request: Any) -> str:
    """Return where the choice of a language comes back to."""
    return str(request.headers.get("referer", "") if request.method == "POST" else request.get_full_path())
