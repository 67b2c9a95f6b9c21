"""What somebody says of a file that waits: its encoding, its sheet, and what its columns are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from annotations.setup.forms import FileForm
from generation.files.columns import (
    FORM,
    IGNORED,
    METHOD,
    NOTE,
    NOTES,
    PROVENANCE,
    TEXT,
    TEXTS_OF,
    GuessedColumns,
)
from generation.files.encoding import ENCODINGS, EncodingUnconfirmed
from generation.files.problems import FileRefused
from generation.files.prompt_fields import PART, TAG
from generation.files.tables import Table, TableRow
from generation.texts.characters import UNSTORABLE
from generation.web.encodings import EncodingField

OF_THE_PROMPT = [
    ("prompt", _("Prompt")),
    ("description", _("Description of the prompt")),
    ("prompt_id", _("Id of the prompt")),
    ("source", _("Source")),
    ("context", _("Context")),
    ("reference", _("Reference text")),
    (PART, _("Part of the prompt, called as the column")),
    (TAG, _("Tag of the prompt, called as the column")),
]
# What cells of text cannot hold.
OF_THE_PROMPT_IN_JSON = [
    ("turns", _("Turns of a dialogue")),
    ("parts", _("Parts of the prompt")),
    ("tags", _("Tags of the prompt")),
]
OF_THE_CANDIDATES = [
    (METHOD, _("Method")),
    (TEXT, _("Text by the method of the row")),
    (TEXTS_OF, _("Texts by the method of this name")),
    (FORM, _("Form of the poem")),
]
OF_THE_CANDIDATES_IN_JSON = [(PROVENANCE, _("How the text came about")), (NOTES, _("Notes"))]
FURTHER = [(NOTE, _("Note, kept with the candidates")), (IGNORED, _("Leave out"))]
LONGEST_SHOWN = 160


class FileOptionsForm(forms.Form):
    """How a waiting file is read: which encoding, which sheet."""

    encoding = EncodingField()
    sheet = forms.CharField(required=False, max_length=100, label=_("Sheet"))

    def offer(self, refused: FileRefused) -> None:
        """Offer what a file may be that was refused for its encoding."""
        encoding = self.fields["encoding"]
        if isinstance(refused, EncodingUnconfirmed) and isinstance(encoding, EncodingField):
            encoding.offer(refused)


class ColumnsForm(FileForm):
    """What each column of a waiting file is, guessed before; where there is material already, that must be meant."""

    encoding = forms.ChoiceField(
        required=False, choices=[("", ""), *ENCODINGS.items()], widget=forms.HiddenInput
    )
    sheet = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)
    is_meant = forms.BooleanField(
        label=_("Replace the prompts and texts that the study has now. This cannot be undone."),
        error_messages={"required": _("Tick the box to replace what there is.")},
    )

    def __init__(
        self,
        table: Table,
        rows: list[TableRow],
        guessed: GuessedColumns,
        *args: Any,
        replaces: bool,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("initial", {"encoding": table.encoding_said, "sheet": table.sheet})
        super().__init__(*args, **kwargs)
        self.table, self.rows = table, rows
        if not replaces:
            del self.fields["is_meant"]
        in_json = table.is_json or table.kind == "parquet"
        choices = [
            (_("Of the prompt"), OF_THE_PROMPT + OF_THE_PROMPT_IN_JSON * in_json),
            (_("Of the candidates"), OF_THE_CANDIDATES + OF_THE_CANDIDATES_IN_JSON * in_json),
            (_("Neither"), FURTHER),
        ]
        for number, column in enumerate(table.columns):
            self.fields[f"column-{number}"] = forms.ChoiceField(
                choices=choices, initial=chosen(guessed.roles[column]), label=column
            )

    def columns(self) -> Iterator[tuple[str, BoundField, list[str]]]:
        """Yield each column with its field and how its first cells begin."""
        for number, column in enumerate(self.table.columns):
            cells = [row.fields.get(column) for row in self.rows]
            yield (
                column,
                self[f"column-{number}"],
                [
                    "" if cell is None else UNSTORABLE.sub("\ufffd", str(cell)[:LONGEST_SHOWN])
                    for cell in cells
                ],
            )

    def roles(self) -> dict[str, str]:
        """Return what the columns of a valid form are."""
        return {
            column: self.cleaned_data[f"column-{number}"] for number, column in enumerate(self.table.columns)
        }


def chosen(role: str) -> str:
    """Return the choice of a role: parts and tags are called as their columns, and an id is one of the prompt."""
    return (
        "prompt_id" if role == "id" else next((kind for kind in (PART, TAG) if role.startswith(kind)), role)
    )
