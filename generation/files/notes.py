"""Notes: what a file says beside prompts and texts, kept with them as it stands there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from generation.files.problems import Place, Problems
from generation.texts.characters import UNSTORABLE

LONGEST_NOTE = 50_000
# In a JSON field PostgreSQL takes neither.
NO_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000|[\ud800-\udfff]")


def checked_notes(place: Place, notes: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """Return notes as they can be stored: what JSON does not know, such as a date, as text."""
    if not any(map(_needs_json, (*notes, *notes.values()))):
        return dict(notes)
    for name, value in notes.items():
        if why := why_unstorable({name: value}):
            problems.add(place, UNSTORABLE.sub("\ufffd", name), why)
            continue
        written = json.dumps(value, default=str, ensure_ascii=False)
        if len(written) > LONGEST_NOTE:
            problems.add(
                place, name, _("is %(length)s characters long; at most %(most)s are allowed"),
                length=f"{len(written):,}", most=f"{LONGEST_NOTE:,}",
            )  # fmt: skip
    stored: dict[str, Any] = json.loads(json.dumps(dict(notes), default=str)) if notes else {}
    return stored


def why_unstorable(value: object) -> str:
    """Return why a value cannot be stored in a JSON field, or ""."""
    try:
        written = json.dumps(value, default=str, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return _("holds a number that is infinite, or none")
    return _("holds a control character") if NO_JSON.search(written) else ""


def _needs_json(value: object) -> bool:
    """Whether it takes writing a note as JSON to know that it can be stored: not for a text of a usual length."""
    # No character has more than six in JSON.
    is_text = isinstance(value, str) and len(value) < LONGEST_NOTE // 6
    return not is_text or UNSTORABLE.search(str(value)) is not None
