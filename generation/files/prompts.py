"""Reading and checking a list of prompts that methods are still to write for (pure).

A list is plain text with one prompt a line, or CSV or JSON Lines with the columns of
`generation.files.prompt_fields`, in UTF-8 or GB18030. It is CSV where its first line has a column called `prompt`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.files.encoding import sniff_encoding
from generation.files.problems import FileRefused, Problems, shown
from generation.files.prompt_fields import PROMPT_COLUMNS, PROMPT_PREFIXES, prompt_of
from generation.files.read_rows import Columns, header_names, raw_rows
from generation.prompts import PromptContent

COLUMNS = Columns(read=PROMPT_COLUMNS, required=("prompt",), prefixes=PROMPT_PREFIXES)


@dataclass(frozen=True)
class PromptFile:
    """A checked list: each prompt once, in its order."""

    name: str
    sha256: str
    genre: str
    prompts: tuple[PromptContent, ...]


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
) -> Iterator[PromptContent]:
    first_line: dict[object, int] = {}
    for line, fields in rows:
        prompt = prompt_of(line, fields, problems)
        if prompt is None:
            continue
        if prompt.known_by in first_line:
            name = shown(prompt.external_id or prompt.heading)
            problems.add(line, "prompt", f"{name} stands on line {first_line[prompt.known_by]} already")
        else:
            first_line[prompt.known_by] = line
            yield prompt
