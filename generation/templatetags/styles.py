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
    paths = [Path(str(finders.find(name))) for name in names]
    css = "".join(read(path, path.stat().st_mtime_ns) for path in paths)
    context["request"].style_hash = sha256_source(css)
    return mark_safe(f"<style>{css}</style>")  # noqa: S308 - our own files


@lru_cache
def read(path: Path, changed: int) -> str:
    return path.read_text()


@lru_cache
def sha256_source(css: str) -> str:
    """Return a style sheet as a source of a Content Security Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}'"
