"""What somebody says of any file that waits: its encoding and its sheet."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from generation.files.encoding import EncodingUnconfirmed
from generation.files.problems import FileRefused
from generation.web.encodings import EncodingField


class FileOptionsForm(forms.Form):
    """How a waiting file is read: which encoding, which sheet."""

    encoding = EncodingField()
    sheet = forms.CharField(required=False, max_length=100, label=_("Sheet"))

    def offer(self, refused: FileRefused) -> None:
        """Offer what a file may be that was refused for its encoding."""
        encoding = self.fields["encoding"]
        if isinstance(refused, EncodingUnconfirmed) and isinstance(encoding, EncodingField):
            encoding.offer(refused)

    def said(self) -> dict[str, str]:
        """Return what was said, "" for what was not or is none."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in ("encoding", "sheet")}
