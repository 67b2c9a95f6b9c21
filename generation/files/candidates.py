"""Reading and checking a file of candidates, one row a text, before anything is written (pure).

A file is CSV (comma, semicolon or tab) with a header, or JSON Lines, in UTF-8 or GB18030. Columns:

- `prompt` and all else that belongs to a prompt: `generation.files.prompt_fields`
- `method`: a slug of at most 50 characters, such as `human` or `inverse_prompting`
- `text`: what the method wrote, at most 20,000 characters
- `form`: of a poem, optional. Where a method wrote a prompt's poem in several forms, as Jiuge does, each has a row,
  and one is drawn at random
- `title`, `author`, `origin`: notes that stay in the file and are shown to nobody; optional
- `provenance`, in JSON Lines: how a method of ours wrote the text, an object with any of `PROVENANCE`; optional

Every prompt needs one text by every method. Texts and prompts are kept as they were written; a study's rule decides how
they are shown (`generation.texts.normalising`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from generation.engines.jiuge import draw
from generation.files.encoding import sniff_encoding
from generation.files.problems import FileRefused, Problems, shown
from generation.files.prompt_fields import (
    PROMPT_COLUMNS,
    PROMPT_PREFIXES,
    differing_fields,
    prompt_of,
)
from generation.files.read_rows import Columns, raw_rows
from generation.prompts import PromptContent
from generation.texts.characters import CONTROL
from generation.texts.normalising import is_blank

COLUMNS = Columns(
    read=(*PROMPT_COLUMNS, "method", "text", "form"),
    required=("prompt", "method", "text"),
    notes=("title", "author", "origin", "provenance"),
    prefixes=PROMPT_PREFIXES,
)
# The fields of `generation.models.Provenance`, and what they are where nothing is said.
PROVENANCE: dict[str, Any] = {
    "score": 0.0, "terms": {}, "sentences": [], "runners_up": [], "unknown": "", "seconds": 0.0, "facts": {}
}  # fmt: skip
STRIPPED = frozenset({"method", "form"})
REQUIRED = ("method", "text")
LONGEST = {"method": 50, "text": 50_000, "form": 50}
# Candidates on a page are lettered.
MOST_METHODS = 26

METHOD_KEY = re.compile(r"[-a-zA-Z0-9_]+")


def shuffled(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file to write, the texts of each prompt by their digests.

    So the order is always the same, whatever it was before, and tells nothing of the methods.
    """
    for _, of_prompt in groupby(rows, key=lambda row: [row.get(name) for name in PROMPT_COLUMNS]):
        yield from sorted(of_prompt, key=lambda row: hashlib.sha256(row["text"].encode()).digest())


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate as it will be stored, and the line on which its row begins."""

    line: int
    prompt: PromptContent
    method: str
    text: str
    form: str = ""
    provenance: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class CandidateFile:
    """A checked file: each of its prompts has one text by each of its methods."""

    name: str
    sha256: str
    genre: str
    rows: tuple[Row, ...]

    @property
    def prompts(self) -> list[PromptContent]:
        """Prompts in order of first appearance."""
        return list(dict.fromkeys(row.prompt for row in self.rows))

    @property
    def methods(self) -> list[str]:
        """Keys of the methods, in order of first appearance."""
        return list(dict.fromkeys(row.method for row in self.rows))


def read_candidates(path: Path, genre: str, *, seed: int = 0, name: str = "") -> CandidateFile:
    """Read a file of candidates, its texts as they were written; raise `FileRefused` with everything wrong in it.

    The seed decides, with each prompt and nothing else, which of several forms is drawn. `name` is what its owner
    calls an upload.
    """
    problems = Problems(name or path.name)
    try:
        encoding = sniff_encoding(path, problems)
        rows = _drawn(list(_checked_rows(path, encoding, problems)), seed)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        problems.add(0, "", f"cannot be read: {error.strerror}")
        raise FileRefused(problems) from error
    _check_whole(rows, problems)
    if problems:
        raise FileRefused(problems)
    # Parts that stand in another order in another row are the same: each prompt is as its first row has it.
    prompt_by = {row.prompt.known_by: row.prompt for row in reversed(rows)}
    alike = (replace(row, prompt=prompt_by[row.prompt.known_by]) for row in rows)
    return CandidateFile(problems.file, sha256, genre, tuple(alike))


def _checked_rows(path: Path, encoding: str, problems: Problems) -> Iterator[Row]:
    for line, fields in raw_rows(path, encoding, COLUMNS, problems):
        prompt = prompt_of(line, fields, problems)
        texts = {}
        for name in LONGEST:
            raw = _checked_field(line, name, fields.get(name), problems)
            texts[name] = (raw or "").strip() if name in STRIPPED else raw or ""
            if raw is not None and is_blank(raw) and name in REQUIRED:
                problems.add(line, name, "is empty")
        method = texts["method"]
        is_key = METHOD_KEY.fullmatch(method) is not None
        if method and not is_key:
            problems.add(line, "method", f"{shown(method)} may only hold English letters, digits, - and _")
        provenance = fields.get("provenance")
        if why := wrong_provenance(provenance):
            problems.add(line, "provenance", why)
        # A row whose text alone is wrong still counts when the coverage is checked.
        if prompt is not None and is_key:
            yield Row(line, prompt, **texts, provenance=provenance)


def wrong_provenance(provenance: object) -> str:
    """Return what is wrong with the provenance of a text, or "".

    >>> wrong_provenance({"score": "high"}), wrong_provenance({"score": 1, "terms": {"forward": 1.0}})
    ('score must be of the kind float', '')
    """
    if provenance is None:
        return ""
    if not isinstance(provenance, dict) or provenance.keys() - PROVENANCE.keys():
        return f"must be an object with {', '.join(PROVENANCE)}"
    for name, value in provenance.items():
        kind = type(PROVENANCE[name])
        if not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool):
            return f"{name} must be of the kind {kind.__name__}"
    return ""


def _drawn(rows: list[Row], seed: int) -> list[Row]:
    """Return the rows with one of those in which a method wrote for a prompt in a form of its own each."""
    by_form: dict[tuple[object, str], dict[str, Row]] = {}
    kept = []
    for row in rows:
        forms = by_form.setdefault((row.prompt.known_by, row.method), {})
        if row.form and row.form not in forms:
            forms[row.form] = row
        else:
            kept.append(row)
    for forms in by_form.values():
        if forms:
            title = next(iter(forms.values())).prompt.heading
            kept.append(forms[draw(forms, title=title, seed=seed)])
    return sorted(kept, key=lambda row: row.line)


def _checked_field(line: int, name: str, value: object, problems: Problems) -> str | None:
    """Return a field's text, or None where it is none that could be stored, which is noted."""
    if value is None and name not in REQUIRED:
        return ""
    if value is None:
        problem = "is missing"
    elif not isinstance(value, str):
        problem = f"must be a text, not {shown(json.dumps(value))}"
    elif len(value) > LONGEST[name]:
        problem = f"is {len(value):,} characters long; at most {LONGEST[name]:,} are allowed"
    elif control := CONTROL.search(value):
        problem = f"holds the control character U+{ord(control[0]):04X}"
    else:
        return value
    problems.add(line, name, problem)
    return None


def _check_whole(rows: list[Row], problems: Problems) -> None:
    """Check what no row shows by itself: doubles, and that each prompt has a text by each method."""
    if not rows:
        if not problems:
            problems.add(0, "", "holds no candidates")
        return
    _check_doubles(rows, problems)
    methods = list(dict.fromkeys(row.method for row in rows))
    if not 2 <= len(methods) <= MOST_METHODS:
        some = ", ".join(methods[:5]) + (", ..." if len(methods) > 5 else "")
        problems.add(0, "method", f"there must be 2 to {MOST_METHODS} methods, not {len(methods)} ({some})")
        return
    written: dict[object, set[str]] = {}
    first: dict[object, Row] = {}
    for row in rows:
        written.setdefault(row.prompt.known_by, set()).add(row.method)
        first.setdefault(row.prompt.known_by, row)
    for prompt, by in written.items():
        for method in methods:
            if method not in by:
                name = shown(first[prompt].prompt.external_id or first[prompt].prompt.heading)
                problems.add(first[prompt].line, "method", f"prompt {name} has no text by {method}")


def _check_doubles(rows: list[Row], problems: Problems) -> None:
    prompts: dict[object, Row] = {}
    written: dict[tuple[object, str], int] = {}
    for row in rows:
        first = prompts.setdefault(row.prompt.known_by, row)
        for field in differing_fields(row.prompt, first.prompt):
            problems.add(row.line, field, f"differs from that of the same prompt on line {first.line}")
        line = written.setdefault((row.prompt.known_by, row.method), row.line)
        if line != row.line:
            problems.add(
                row.line, "method", f"{row.method} has a text for this prompt on line {line} already"
            )
