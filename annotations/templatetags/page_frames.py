"""What stands below the texts of a page to rate: rendered once a language, and filled with numbers and ways."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote

from django import template
from django.template.context import Context
from django.template.defaultfilters import date
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import get_language

from annotations.protocols.table import PROTOCOLS
from annotations.questionnaire.page import RatingPage
from generation.web.frames import filled, place

register = template.Library()
WORDS: dict[str, Callable[[RatingPage], Any]] = {
    "number": lambda page: page.address.page,
    "pages": lambda page: page.pages,
    "answered": lambda page: page.answered,
    "total": lambda page: page.total,
    "saved_at": lambda page: date(localtime(page.saved_at), "c") if page.saved_at else "",
    "saved_time": lambda page: date(localtime(page.saved_at), "H:i") if page.saved_at else "",
    "url": lambda page: quote(page.url),
    "back_url": lambda page: page.back_url,
    "next_url": lambda page: page.next_url,
}


@register.simple_tag(takes_context=True)
def foot_facts(context: Context) -> SafeString:
    """Return which page it is, how much of it is answered, and whether that is saved."""
    return _filled("_foot_facts", context)


@register.simple_tag(takes_context=True)
def foot_ways(context: Context) -> SafeString:
    """Return the ways to the pages before and after."""
    return _filled("_foot_ways", context)


@register.simple_tag
def keys_of(page: RatingPage) -> SafeString:
    """Return the keys that work on a page."""
    return _keys(
        get_language() or "",
        page.study.protocol,
        has_best_picks=page.study.has_best_picks,
        has_passages=bool(page.passages),
        may_write=page.may_write,
    )


def _filled(name: str, context: Context) -> SafeString:
    page: RatingPage = context["rating_page"]
    frame = _frame(
        name,
        get_language() or "",
        is_open=bool(context["enrolment"].is_open),
        is_preview=bool(context.get("is_preview")),
        is_saved=page.saved_at is not None,
    )
    return filled(frame, {word: partial(tell, page) for word, tell in WORDS.items()})


@lru_cache
def _frame(name: str, language: str, *, is_open: bool, is_preview: bool, is_saved: bool) -> str:
    return render_to_string(
        f"annotations/questionnaire/{name}.html",
        {
            "is_open": is_open,
            "is_preview": is_preview,
            "is_saved": is_saved,
            **{word: place(word) for word in WORDS},
        },
    )


@lru_cache
def _keys(
    language: str, protocol: str, *, has_best_picks: bool, has_passages: bool, may_write: tuple[bool, bool]
) -> SafeString:
    asks = PROTOCOLS[protocol]
    has_reasons, has_corrections = may_write
    html = render_to_string(
        "annotations/questionnaire/_keys.html",
        {
            "keys": asks.keys,
            "has_markings": asks.marks_errors,
            "has_best_picks": has_best_picks,
            "has_passages": has_passages,
            "has_reasons": has_reasons,
            "has_corrections": has_corrections,
        },
    )
    return mark_safe(html)  # noqa: S308 - a template's
