"""Parts of pages that are rendered once and differ between pages by the words in their places alone.

A frame knows nothing of a page but what it was rendered for. A place in it is a name between two characters that
PostgreSQL keeps in no text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

MARK = "\0"


def place(name: str) -> SafeString:
    """Return what stands for a word in a frame."""
    return mark_safe(f"{MARK}{name}{MARK}")  # noqa: S308 - a name of our own


def filled(frame: str, words: Mapping[str, Callable[[], Any]]) -> SafeString:
    """Return a frame with its places filled by their names, escaped as a template does; others are not asked."""
    parts = frame.split(MARK)
    known: dict[str, str] = {}
    for number in range(1, len(parts), 2):
        name = parts[number]
        if name not in known:
            known[name] = conditional_escape(words[name]())
        parts[number] = known[name]
    return mark_safe("".join(parts))  # noqa: S308 - a template's, and escaped words
