"""What the row of a file says of its prompt.

- `prompt`: the question, the title or the instruction; may be missing where there are parts or turns
- `description`: what the question says further
- `prompt_id` or `id`: how the owner calls the prompt, a text: `007` stays `007`
- `source`, `context`, `reference` and `part:NAME`: a named part of the prompt; `parts` in JSON, an object of
  texts by name or a list of `{"name": ..., "text": ...}`
- `turns`, in JSON: what was said before, a list of `{"role": ..., "text": ...}`, or of `{"role": ..., "content": ...}`
- `tag:NAME`: a word by which the report can group prompts, as in `tag:domain`; `tags` in JSON, an object

A prompt is known by its id, else by its text, description, parts and turns: one instruction with two contexts is two
prompts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from generation.files.problems import Place, Problems, shown
from generation.prompts import Pairs, PromptContent, listed
from generation.texts.characters import CONTROL
from generation.texts.normalising import is_blank

LONGEST_PROMPT = 50_000
LONGEST_ID, LONGEST_NAME, LONGEST_TAG = 200, 50, 200
MOST_PARTS, MOST_TURNS, MOST_TAGS = 20, 200, 20
USUAL_PARTS = ("source", "context", "reference")
PROMPT_COLUMNS = ("prompt", "description", "prompt_id", "id", *USUAL_PARTS, "parts", "turns", "tags")
PART, TAG = "part:", "tag:"
PROMPT_PREFIXES = (PART, TAG)


def field_name(column: str) -> str:
    """Return the name of a field as it is read, whatever the case of its column.

    >>> field_name("Prompt_ID"), field_name("Part:Style guide")
    ('prompt_id', 'part:Style guide')
    """
    prefix = next((prefix for prefix in PROMPT_PREFIXES if column.lower().startswith(prefix)), "")
    return prefix + column[len(prefix) :].strip() if prefix else column.lower()


def prompt_of(place: Place, fields: Mapping[str, Any], problems: Problems) -> PromptContent | None:
    """Return the prompt of a row; None where it has none that could be stored, which is noted."""
    before = len(problems)
    reader = _Reader(place, problems)
    parts = reader.parts(fields)
    turns = reader.turns(fields.get("turns"))
    text = reader.text("prompt", fields.get("prompt"), LONGEST_PROMPT)
    content = PromptContent(
        text,
        reader.text("description", fields.get("description"), LONGEST_PROMPT),
        reader.external_id(fields),
        parts,
        turns,
        reader.tags(fields),
    )
    if len(problems) > before:
        return None
    if is_blank(text) and not (parts or turns):
        problems.add(place, "prompt", _("is empty") if "prompt" in fields else _("is missing"))
        return None
    return content


def prompt_fields(prompt: PromptContent) -> dict[str, Any]:
    """Return a prompt as a row of JSON has it, which `prompt_of` reads again; what it has not is left out."""
    more = {
        "id": prompt.external_id,
        "parts": listed(prompt.parts, "name"),
        "turns": listed(prompt.turns, "role"),
        "tags": dict(prompt.tags),
    }
    return {
        "prompt": prompt.text,
        "description": prompt.description,
        **{name: value for name, value in more.items() if value},
    }


def differing_fields(one: PromptContent, other: PromptContent) -> list[str]:
    """Return what differs in two rows of one prompt; the order of parts makes no difference."""
    compared = {
        "prompt": (one.text, other.text),
        "description": (one.description, other.description),
        "parts": (sorted(one.parts), sorted(other.parts)),
        "turns": (one.turns, other.turns),
        "tags": (one.tags, other.tags),
    }
    return [name for name, (first, second) in compared.items() if first != second]


class _Reader:
    """Reads what one row says of its prompt, and notes what is wrong with it."""

    def __init__(self, place: Place, problems: Problems) -> None:
        self.place = place
        self.problems = problems

    def refuse(self, name: str, problem: str, /, **values: Any) -> None:
        self.problems.add(self.place, name, problem, **values)

    def text(self, name: str, value: object, longest: int) -> str:
        """Return a text as it was written, or "" for one that cannot be stored."""
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(name, _("must be a text, not %(value)s"), value=shown(json.dumps(value, default=str)))
        elif len(value) > longest:
            self.refuse(
                name,
                _("is %(length)s characters long; at most %(most)s are allowed"),
                length=f"{len(value):,}",
                most=f"{longest:,}",
            )
        elif control := CONTROL.search(value):
            self.refuse(name, _("holds the control character U+%(code)s"), code=f"{ord(control[0]):04X}")
        else:
            return value
        return ""

    def external_id(self, fields: Mapping[str, Any]) -> str:
        name = "prompt_id" if fields.get("prompt_id") not in (None, "") else "id"
        value = fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        return self.text(name, value, LONGEST_ID).strip()

    def parts(self, fields: Mapping[str, Any]) -> Pairs:
        columns = [(name, fields.get(name)) for name in USUAL_PARTS]
        columns += [(name.removeprefix(PART), fields[name]) for name in fields if name.startswith(PART)]
        given = [(name, text) for name, text in columns if text not in (None, "")]
        return self.pairs(
            "parts", [*given, *self.named("parts", fields.get("parts"))], LONGEST_PROMPT, MOST_PARTS
        )

    def tags(self, fields: Mapping[str, Any]) -> Pairs:
        columns = [(name.removeprefix(TAG), fields[name]) for name in fields if name.startswith(TAG)]
        tags = self.from_json("tags", fields.get("tags"))
        if not isinstance(tags, dict):
            if tags not in (None, ""):
                self.refuse("tags", _("must be an object such as %(example)s"), example='{"domain": "news"}')
            tags = {}
        given = [
            (name.strip(), str(value) if isinstance(value, int | float) else value)
            for name, value in (*columns, *tags.items())
            if value not in (None, "")
        ]
        return tuple(sorted(self.pairs("tags", given, LONGEST_TAG, MOST_TAGS)))

    def from_json(self, name: str, value: object) -> object:
        """Return what the JSON in a cell of text says, as exports have it; None where it is broken, which is noted."""
        if not isinstance(value, str) or value.strip()[:1] not in ("[", "{"):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            self.refuse(name, _("is not JSON: %(reason)s"), reason=str(error)[:200])
            return None

    def turns(self, value: object) -> Pairs:
        value = self.from_json("turns", value)
        if value in (None, ""):
            return ()
        if not isinstance(value, list) or not all(isinstance(turn, dict) for turn in value):
            self.refuse(
                "turns", _("must be a list such as %(example)s"), example='[{"role": "user", "text": ...}]'
            )
            return ()
        given = [(turn.get("role", ""), turn.get("text", turn.get("content"))) for turn in value]
        return self.pairs("turns", given, LONGEST_PROMPT, MOST_TURNS, may_repeat=True)

    def named(self, name: str, value: object) -> list[tuple[Any, Any]]:
        """Return the parts of JSON: an object of texts, or a list of names and texts."""
        value = self.from_json(name, value)
        if isinstance(value, dict):
            return list(value.items())
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            return [(one.get("name"), one.get("text")) for one in value]
        if value not in (None, ""):
            self.refuse(name, _("must be an object such as %(example)s"), example='{"source": ...}')
        return []

    def pairs(
        self,
        name: str,
        given: Iterable[tuple[Any, Any]],
        longest: int,
        most: int,
        *,
        may_repeat: bool = False,
    ) -> Pairs:
        """Return what was given as it will be stored; `name` is where it stands in the row."""
        found: list[tuple[str, str]] = []
        for first, text in given:
            if not isinstance(first, str) or is_blank(first):
                self.refuse(name, _("has one without a name"))
                continue
            if not may_repeat and first in dict(found):
                self.refuse(name, _("has two that are called %(name)s"), name=shown(first))
            where = f"{name}, {shown(first)}"
            self.text(where, first, LONGEST_NAME)
            if text is None:
                self.refuse(where, _("has no text"))
            found.append((first, self.text(where, text, longest)))
        if len(found) > most:
            self.refuse(name, _("has %(found)d; at most %(most)d are allowed"), found=len(found), most=most)
        return tuple(found)
