"""Reading and checking a list of prompts that methods are still to write for (pure).

A list is plain text with one prompt a line, or CSV or JSON Lines with the columns `prompt` and `description`
(optional), in UTF-8 or GB18030. It is CSV where its first line has a column that is called `prompt`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.files.candidates import CONTROL, LONGEST
from generation.files.encoding import sniff_encoding
from generation.files.problems import FileRefused, Problems, shown
from generation.files.read_rows import Columns, header_names, raw_rows
from generation.texts.normalising import is_blank

COLUMNS = Columns(read=("prompt", "description"), required=("prompt",))


@dataclass(frozen=True)
class PromptFile:
    """A checked list: each prompt (text, description) once, in its order."""

    name: str
    sha256: str
    genre: str
    prompts: tuple[tuple[str, str], ...]


def read_prompts(path: Path, genre: str, *, name: str = "") -> PromptFile:
    """Read a list of prompts as they were written; raise `FileRefused` with everything wrong in it.

    `name` is what its owner calls an upload.
    """
    problems = Problems(name or path.name)
    try:
        encoding = sniff_encoding(path, problems)
        prompts = list(_checked_prompts(_fields(path, encoding, problems), problems))
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        problems.add(0, "", f"cannot be read: {error.strerror}")
        raise FileRefused(problems) from error
    if not prompts and not problems:
        problems.add(0, "", "holds no prompts")
    if problems:
        raise FileRefused(problems)
    return PromptFile(problems.file, sha256, genre, tuple(prompts))


def _fields(path: Path, encoding: str, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and the fields of every row, whatever kind of list it is."""
    with path.open(encoding=encoding) as file:
        first = file.readline()
        if first.lstrip("\ufeff \t")[:1] == "{" or "prompt" in header_names(first, COLUMNS):
            yield from raw_rows(path, encoding, COLUMNS, problems)
            return
        file.seek(0)
        for line, text in enumerate(file, start=1):
            if prompt := text.strip("\ufeff").strip():
                yield line, {"prompt": prompt}


def _checked_prompts(
    rows: Iterator[tuple[int, dict[str, Any]]], problems: Problems
) -> Iterator[tuple[str, str]]:
    first_line: dict[str, int] = {}
    for line, fields in rows:
        prompt, description = (
            _checked_text(line, name, fields.get(name, ""), problems) for name in COLUMNS.read
        )
        if prompt is None:
            continue
        if is_blank(prompt):
            problems.add(line, "prompt", "is empty")
        elif prompt in first_line:
            problems.add(line, "prompt", f"{shown(prompt)} stands on line {first_line[prompt]} already")
        else:
            first_line[prompt] = line
            yield prompt, description or ""


def _checked_text(line: int, name: str, value: object, problems: Problems) -> str | None:
    """Return a field's text as it will be stored, or None where it is none that could be, which is noted."""
    if not isinstance(value, str):
        problems.add(line, name, "must be a text")
    elif len(value) > LONGEST[name]:
        problems.add(line, name, f"is {len(value):,} characters long; at most {LONGEST[name]:,} are allowed")
    elif control := CONTROL.search(value):
        problems.add(line, name, f"holds the control character U+{ord(control[0]):04X}")
    else:
        return value
    return None
