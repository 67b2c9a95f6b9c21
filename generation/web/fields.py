"""Fields that forms of the whole site share."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class KeyField(forms.SlugField):
    """What names something in addresses and files, refused in words that need no jargon."""

    default_error_messages = {"invalid": _("Only English letters, digits, - and _ are possible.")}
