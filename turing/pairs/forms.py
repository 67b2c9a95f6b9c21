"""What staff may have the workers write for the game."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from turing.pairs.pairing import MOST_AT_ONCE


class ConversationsForm(forms.Form):
    """A file of finished conversations."""

    file = forms.FileField(
        label=_("File of conversations"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # In the language of the request: a lazy text is put together where it is filled in.
        self.fields["file"].help_text = _("JSON, JSON Lines, CSV or another table, at most %(most)d MB.") % {
            "most": settings.UPLOAD_MEGABYTES
        }

    def clean_file(self) -> UploadedFile[bytes]:
        upload: UploadedFile[bytes] = self.cleaned_data["file"]
        if (upload.size or 0) > settings.UPLOAD_MEGABYTES * 1_000_000:
            raise forms.ValidationError(_("This file is too large."))
        return upload


class WriteForm(forms.Form):
    """How many texts, and whether the machine writes them whole or goes on from a human beginning."""

    boundary = forms.TypedChoiceField(
        label=_("What is written"),
        choices=[("no", _("whole poems, for two texts and one text")), ("yes", _("the end of human poems"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        initial="no",
    )
    count = forms.IntegerField(label=_("How many"), min_value=1, max_value=MOST_AT_ONCE, initial=20)
    seed = forms.IntegerField(label=_("Seed of the draw"), min_value=0, max_value=2**31 - 1, initial=0)
