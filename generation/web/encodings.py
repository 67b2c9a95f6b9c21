"""The field of a form by which somebody says what encoding a file is in."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from generation.files.encoding import ENCODINGS, EncodingUnconfirmed
from generation.files.problems import shown


class EncodingField(forms.ChoiceField):
    """An encoding, or nothing where the file itself tells it."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            choices=[("", _("UTF-8 or UTF-16")), *ENCODINGS.items()],
            label=_("Encoding of the file"),
            help_text=_("Choose the one in which the words are right."),
        )

    def offer(self, refused: EncodingUnconfirmed) -> None:
        """Offer what a refused file may be, with how its first line reads then."""
        self.choices = [
            ("", _("UTF-8 or UTF-16")),
            *((one.encoding, f"{one.label}: {shown(one.line)}") for one in refused.readings),
        ]
