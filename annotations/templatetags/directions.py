"""What people wrote, on a page of others: nothing in it turns the direction of the page round unseen."""

from __future__ import annotations

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from stats.reports.directions import DIRECTIONS

register = template.Library()


@register.filter
def seen_directions(text: str) -> SafeString:
    """Return a text in which each character that turns the direction of writing round is named in its place."""
    pieces = DIRECTIONS.split(text)
    found = [
        format_html('<span class="unseen">U+{}</span>', f"{ord(one):04X}") for one in DIRECTIONS.findall(text)
    ]
    # Escaped piece by piece.
    return mark_safe(  # noqa: S308
        "".join(conditional_escape(piece) + name for piece, name in zip(pieces, [*found, ""], strict=True))
    )
