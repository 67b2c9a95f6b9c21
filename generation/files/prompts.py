"""Reading and checking a list of prompts that methods are still to write for.

A list is plain text with one prompt a line, or any file that `generation.files.tables` reads with the columns of
`generation.files.prompt_fields`. Text is a table where its first row has a column that is called `prompt`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from generation.files.problems import Place, Problems, shown
from generation.files.prompt_fields import field_name, prompt_of
from generation.files.tables import Table, read_table, text_of
from generation.prompts import PromptContent


@dataclass(frozen=True)
class PromptFile:
    """A checked list: each prompt once, in its order."""

    name: str
    sha256: str
    genre: str
    prompts: tuple[PromptContent, ...]


def read_prompts(
    path: Path, genre: str, *, name: str = "", encoding: str = "", sheet: str = ""
) -> PromptFile:
    """Read a list of prompts as they were written; raise `FileRefused` with everything wrong in it.

    `name` is what its owner calls an upload; `encoding` and `sheet` are those of `read_table`.
    """
    table = read_table(path, name, encoding=encoding, sheet=sheet)
    is_list = table.kind == "csv" and "prompt" not in table.by_lower_name
    problems = Problems(table.name) if is_list else table.problems
    rows = _lines(path, table.encoding) if is_list else _fields(table)
    prompts = list(_checked_prompts(rows, problems))
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if not prompts and not problems:
        problems.add(0, "", _("holds no prompts"))
    problems.refuse_if_any()
    return PromptFile(problems.file, sha256, genre, tuple(prompts))


def _lines(path: Path, encoding: str) -> Iterator[tuple[Place, dict[str, Any]]]:
    with path.open(encoding=encoding) as file:
        for number, text in enumerate(file, start=1):
            if prompt := text.strip("\ufeff").strip():
                yield Place(number), {"prompt": prompt}


def _fields(table: Table) -> Iterator[tuple[Place, dict[str, Any]]]:
    for place, cells in table:
        yield place, {field_name(name): text_of(value, table) for name, value in cells.items()}


def _checked_prompts(
    rows: Iterator[tuple[Place, dict[str, Any]]], problems: Problems
) -> Iterator[PromptContent]:
    first: dict[object, Place] = {}
    for place, fields in rows:
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
            yield prompt
