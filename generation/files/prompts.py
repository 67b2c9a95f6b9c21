"""Reading and checking a list of prompts that methods are still to write for.

A list is plain text with one prompt a line, or any file that `generation.files.tables` reads with the columns of
`generation.files.prompt_fields`; further columns are notes. Text is a table where its first row names a prompt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from generation.files.checklists import Checklist, taken_checklist
from generation.files.columns import checked_prompt_roles, has_lines_alone, prompt_fields_and_notes
from generation.files.notes import checked_notes
from generation.files.problems import Place, Problems, shown
from generation.files.prompt_fields import prompt_of
from generation.files.tables import Table, read_table
from generation.prompts import PromptContent


@dataclass(frozen=True)
class PromptFile:
    """A checked list: each prompt once, in its order, and the notes beside each."""

    name: str
    sha256: str
    genre: str
    prompts: tuple[PromptContent, ...]
    notes: tuple[Mapping[str, Any], ...] = ()
    # The checklists of the prompts that have one (`generation.files.checklists`).
    checklists: Mapping[PromptContent, Checklist] = field(default_factory=dict)


class PromptRow(NamedTuple):
    """What a row says of a prompt, by field, and what it says beside."""

    place: Place
    fields: dict[str, Any]
    notes: dict[str, Any]
    checklist: Checklist = ()


def read_prompts(
    path: Path,
    genre: str,
    *,
    name: str = "",
    encoding: str = "",
    sheet: str = "",
    columns: Mapping[str, str] | None = None,
    is_list: bool | None = None,
    report_rows: Callable[[int], None] | None = None,
) -> PromptFile:
    """Read a list of prompts as they were written; raise `FileRefused` with everything wrong in it.

    `name` is what its owner calls it; `encoding` and `sheet` are those of `read_table`. `columns` says what the columns
    are, and `is_list` that there are none, but a prompt a line; without them it goes by the names of the columns.
    `report_rows` is called now and then with how many rows are read.
    """
    table = read_table(path, name, encoding=encoding, sheet=sheet)
    table.report_rows = report_rows
    if is_list is None:
        is_list = columns is None and has_lines_alone(table)
    problems = Problems(table.name) if is_list else table.problems
    rows = _lines(path, table.encoding) if is_list else _rows(table, columns)
    found = list(_checked_prompts(rows, problems))
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if not found and not problems:
        problems.add(0, "", _("holds no prompts"))
    problems.refuse_if_any()
    prompts, notes, checklists = zip(*found, strict=True)
    listed = {prompt: items for prompt, items in zip(prompts, checklists, strict=True) if items}
    return PromptFile(problems.file, sha256, genre, prompts, notes, listed)


def _lines(path: Path, encoding: str) -> Iterator[PromptRow]:
    with path.open(encoding=encoding) as file:
        for number, text in enumerate(file, start=1):
            if prompt := text.strip("\ufeff").strip():
                yield PromptRow(Place(number), {"prompt": prompt}, {})


def _rows(table: Table, columns: Mapping[str, str] | None) -> Iterator[PromptRow]:
    roles = checked_prompt_roles(table, columns) if table.columns else {}
    for row in table:
        fields, notes = prompt_fields_and_notes(row, table, roles)
        checklist, further = taken_checklist(row.place, notes, table.problems)
        yield PromptRow(row.place, fields, checked_notes(row.place, further, table.problems), checklist)


def _checked_prompts(
    rows: Iterator[PromptRow], problems: Problems
) -> Iterator[tuple[PromptContent, dict[str, Any], Checklist]]:
    first: dict[object, Place] = {}
    for place, fields, notes, checklist in rows:
        prompt = prompt_of(place, fields, problems)
        if prompt is None:
            continue
        if prompt.known_by in first:
            problems.add(
                place, "prompt", _("%(prompt)s stands in %(place)s already"),
                prompt=shown(prompt.external_id or prompt.heading), place=first[prompt.known_by],
            )  # fmt: skip
        else:
            first[prompt.known_by] = place
            yield prompt, notes, checklist
