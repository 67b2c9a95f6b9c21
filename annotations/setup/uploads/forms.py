"""What somebody says the columns of a file that waits are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotations.uploads.forms import FileForm
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
from generation.files.encoding import ENCODINGS
from generation.files.prompt_fields import PART, TAG
from generation.files.tables import Table, TableRow
from generation.texts.characters import UNSTORABLE

OF_THE_PROMPT = [
    ("prompt", _("Prompt")),
    ("description", _("Description of the prompt")),
    ("prompt_id", _("Id of the prompt")),
    ("source", _("Source")),
    ("context", _("Context")),
    ("reference", _("Reference text")),
    (PART, _("Part of the prompt, called as the column")),
    (TAG, _("Tag of the prompt, called as the column")),
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
# What cells of text cannot hold.
OF_THE_CANDIDATES_IN_JSON = [(PROVENANCE, _("How the text came about")), (NOTES, _("Notes"))]
FURTHER = [(NOTE, _("Note, kept but not shown to evaluators")), (IGNORED, _("Leave out"))]
LONGEST_SHOWN = 160


class MaterialForm(FileForm):
    """A file, or text, for the material of a study: it adds to what there is, or replaces it, which must be meant."""

    adds = forms.ChoiceField(
        required=False,
        label=_("What to do with it"),
        choices=[
            ("1", _("Add it to what the study has: texts by further methods, or further prompts")),
            ("", _("Replace what the study has")),
        ],
        initial="1",
        widget=forms.RadioSelect,
    )
    is_meant = forms.BooleanField(
        required=False,
        label=_("Replace the prompts and texts that the study has now. This cannot be undone."),
    )

    def __init__(self, *args: Any, has_material: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_material:
            del self.fields["adds"], self.fields["is_meant"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "is_meant" in self.fields and not (cleaned.get("adds") or cleaned.get("is_meant")):
            self.add_error("is_meant", gettext("Tick the box to replace what there is."))
        return cleaned

    @property
    def is_addition(self) -> bool:
        """Whether what a valid form holds is added to what the study has."""
        return bool(self.cleaned_data.get("adds"))


class ColumnsForm(MaterialForm):
    """What each column of a waiting file is, guessed before."""

    is_list = forms.BooleanField(
        required=False, label=_("The file has no columns: each of its lines is a prompt.")
    )
    encoding = forms.ChoiceField(
        required=False, choices=[("", ""), *ENCODINGS.items()], widget=forms.HiddenInput
    )
    sheet = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)

    def __init__(
        self,
        table: Table,
        rows: list[TableRow],
        guessed: GuessedColumns,
        *args: Any,
        of_prompts: bool,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault(
            "initial",
            {
                "encoding": table.encoding_said,
                "sheet": table.sheet,
                "is_list": guessed.is_list,
                "adds": "1",
            },
        )
        super().__init__(*args, **kwargs)
        self.table, self.rows = table, rows
        if not (of_prompts and table.kind == "csv"):
            del self.fields["is_list"]
        self.of_prompts = of_prompts
        in_json = table.is_json or table.kind == "parquet"
        of_candidates = [(_("Of the candidates"), OF_THE_CANDIDATES + OF_THE_CANDIDATES_IN_JSON * in_json)]
        choices = [
            (_("Of the prompt"), OF_THE_PROMPT),
            *([] if of_prompts else of_candidates),
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
            yield column, self[f"column-{number}"], [beginning(cell) for cell in cells]

    def said(self) -> dict[str, Any]:
        """Return what a valid form says of its file."""
        columns = {
            column: self.cleaned_data[f"column-{number}"] for number, column in enumerate(self.table.columns)
        }
        return (
            {"columns": columns}
            | ({"is_list": self.cleaned_data.get("is_list", False)} if self.of_prompts else {})
            | ({"adds": True} if self.is_addition else {})
        )


def beginning(cell: Any) -> str:
    """Return how a cell begins; what it nests as the file has it."""
    if cell is None:
        return ""
    is_nested = isinstance(cell, dict | list)
    written = json.dumps(cell, ensure_ascii=False, default=str) if is_nested else str(cell)
    cut = "…" if len(written) > LONGEST_SHOWN else ""
    return UNSTORABLE.sub("\ufffd", written[:LONGEST_SHOWN]) + cut


def chosen(role: str) -> str:
    """Return the choice of a role: parts and tags are called as their columns, and an id is one of the prompt."""
    return (
        "prompt_id" if role == "id" else next((kind for kind in (PART, TAG) if role.startswith(kind)), role)
    )
