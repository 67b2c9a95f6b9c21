"""The hidden field by which a form that is sent twice is known again."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from generation.web.once import new_nonce

register = template.Library()


@register.simple_tag
def nonce() -> SafeString:
    """Return the field; a browser must not keep its value for the next time the page is loaded."""
    return format_html('<input type="hidden" name="nonce" value="{}" autocomplete="off">', new_nonce())
