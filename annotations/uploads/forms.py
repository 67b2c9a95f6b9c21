"""What every form with a file has: problems by line and field, and what is said of its encoding and sheet."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms.utils import ErrorDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generation.files.encoding import EncodingUnconfirmed
from generation.files.problems import FileRefused, Problem
from generation.refusals import Refused
from generation.web.encodings import EncodingField

PROBLEMS_SHOWN = 100


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


class FileForm(forms.Form):
    """A form with a file, whose problems are told by line and field."""

    problems: list[Problem]
    # How many problems there are beside those shown.
    more_problems: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.problems, self.more_problems = [], 0

    def refuse_whole(self, refused: Refused) -> None:
        """Note what is wrong with files that came before this form."""
        if self.is_bound:
            self.full_clean()
        else:
            self._errors = ErrorDict(renderer=self.renderer)
            self.cleaned_data = {}
        if isinstance(refused, FileRefused):
            self.refuse(NON_FIELD_ERRORS, refused)
        else:
            self.add_error(None, list(refused.reasons))

    def refuse(self, field: str | None, refused: Refused) -> None:
        """Note what is wrong with the file that came in a field."""
        if not isinstance(refused, FileRefused):
            self.add_error(field, str(refused))
            return
        encoding = self.fields.get("encoding")
        if isinstance(refused, EncodingUnconfirmed) and isinstance(encoding, EncodingField):
            encoding.offer(refused)
        self.problems = refused.found[:PROBLEMS_SHOWN]
        self.more_problems = len(refused.found) - len(self.problems)
        self.add_error(field, gettext("The file has problems; a table on this page lists them."))
