"""Style sheets that stand in the page itself, so that it is drawn with the first answer of the site."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.template.context import Context
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag(takes_context=True)
def style_in_page(context: Context, *names: str) -> SafeString:
    """Return style sheets as an element, and have the policy of the answer allow these by their hash."""
    paths = tuple(found(name) for name in names)
    element, source = read(paths, tuple(path.stat().st_mtime_ns for path in paths))
    context["request"].style_hash = source
    return element


@lru_cache
def found(name: str) -> Path:
    return Path(str(finders.find(name)))


@lru_cache
def read(paths: tuple[Path, ...], changed: tuple[int, ...]) -> tuple[SafeString, str]:
    """Return style sheets as an element, and their hash as a source of a Content Security Policy."""
    css = "".join(path.read_text() for path in paths)
    source = f"'sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}'"
    return mark_safe(f"<style>{css}</style>"), source  # noqa: S308 - our own files
