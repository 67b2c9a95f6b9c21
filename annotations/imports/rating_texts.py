"""Whose text a rating is of: by a table of texts, by an id such as `doc1__T5`, or by the words of a question (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from generation.files.problems import shown
from generation.refusals import Refused

# How the columns of a form say which prompt, method and criterion a question is of; the first that fits all counts.
QUESTIONS = (
    r"(?P<prompt>.+?)\s*\|\s*(?P<method>[^|]+?)\s*\|\s*(?P<criterion>[^|]+)",
    r"(?P<criterion>.+?)\s*\[(?P<prompt>[^\]]+?)\s*[|/,:]\s*(?P<method>[^\]]+?)\]",
    r"(?P<prompt>.+?)\s*\[(?P<method>[^\]]+)\]",
    r"(?P<prompt>[^_]+)_(?P<method>[^_]+)_(?P<criterion>[^_]+)",
    r"(?P<prompt>.+?)\s+-\s+(?P<method>.+)",
    r"(?P<prompt>[^_]+)_(?P<method>[^_]+)",
)
TEXT_ID = re.compile(r"(.+?)(?:__|\||::|/)(.+)")


@dataclass(frozen=True)
class Text:
    """What the table of texts says of one: whose it is and for which prompt."""

    prompt: str
    method: str
    criterion: str = ""
    text: str = ""
    prompt_text: str = ""


def text_of_id(name: str) -> Text | None:
    """Return prompt and method of an id such as `doc1__T5`."""
    match = TEXT_ID.fullmatch(name)
    return Text(match[1].strip(), match[2].strip()) if match else None


def texts_of_questions(columns: Sequence[str], texts: Mapping[str, Text]) -> dict[str, Text]:
    """Return what each question is about, by the table of texts or by the words of all of them."""
    if not columns:
        return {}
    if texts:
        if unknown := [column for column in columns if column not in texts]:
            raise Refused(
                _("The table of texts has no row whose id is the column %(column)s.")
                % {"column": shown(unknown[0])}
            )
        return {column: texts[column] for column in columns}
    for pattern in QUESTIONS:
        found = {column: re.fullmatch(pattern, column.strip()) for column in columns}
        if all(found.values()):
            parts = {column: match.groupdict() for column, match in found.items() if match}
            return {
                column: Text(
                    part["prompt"].strip(), part["method"].strip(), (part.get("criterion") or "").strip()
                )
                for column, part in parts.items()
            }
    raise Refused(
        _(
            "The names of the columns do not tell prompt and method of each question. Give a table of texts with the"
            " columns id (the name of the column), prompt, method and criterion."
        )
    )


def read_texts(rows: Iterable[Mapping[str, Any]]) -> dict[str, Text]:
    """Return the table of texts by id: rows with id, prompt, method and, if known, criterion, text and prompt_text."""
    found = {}
    for fields in rows:
        low = {str(name).strip().lower(): value for name, value in fields.items()}

        def said(*names: str, low: Mapping[str, Any] = low) -> str:
            return next((str(low[name]).strip() for name in names if low.get(name) not in (None, "")), "")

        key = said("id", "text_id", "column", "instance_id")
        prompt, method = said("prompt", "prompt_id", "item", "source_id"), said("method", "system", "model")
        if not (key and prompt and method):
            raise Refused(_("Every row of the table of texts needs id, prompt and method."))
        found[key] = Text(
            prompt, method, said("criterion"), said("text", "output"), said("prompt_text", "source")
        )
    return found
