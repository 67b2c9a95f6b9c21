"""What a browser may send of the marks in a text: all of them as JSON, or words that are quoted in a form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.models.protocols.spans import LONGEST_NOTE
from annotations.questionnaire.marking.marks import Mark
from annotations.questionnaire.marking.questions import MarkingQuestion
from annotations.questionnaire.marking.saving import SentMarking

if TYPE_CHECKING:
    from typing_extensions import TypeIs

# Under the 64 KiB that a browser still sends while its page is closed.
MAX_MARKING_BYTES = 60_000
DIGEST = re.compile(r"[0-9a-f]{16}")
# A key is looked up among those of the study; longer ones are none.
LONGEST_KEY = 40
MOST_CODE_POINTS = 10_000_000


def mark_of(fields: Any) -> Mark | None:
    """Return the mark in plain data, or None for what is none."""
    if not isinstance(fields, dict) or not fields.keys() <= {"category", "severity", "start", "end", "note"}:
        return None
    category, severity, note = fields.get("category"), fields.get("severity"), fields.get("note", "")
    if not (is_key(category) and is_key(severity) and isinstance(note, str)):
        return None
    places = fields.get("start"), fields.get("end")
    return Mark(category, severity, *places, note) if all(map(is_place, places)) else None


def is_key(value: Any) -> TypeIs[str]:
    return isinstance(value, str) and len(value) <= LONGEST_KEY


def is_place(value: Any) -> bool:
    # JSON's true is an int to Python.
    return value is None or (type(value) is int and abs(value) <= MOST_CODE_POINTS)


def marks_of(fields: Any) -> tuple[Mark, ...] | None:
    """Return the marks in plain data, or None for what is no list of them, however many."""
    if not isinstance(fields, list):
        return None
    marks = tuple(mark_of(one) for one in fields)
    return None if None in marks else marks  # type: ignore[return-value]


def marking_fields(question: MarkingQuestion) -> dict[str, forms.Field]:
    """Return the fields of a text's marks by their names: which go, some new ones by their words, and whether all are.

    Where there is no JavaScript, new marks are quoted.
    """
    name, scheme = question.name, question.scheme
    fields: dict[str, forms.Field] = {f"{name}.done": forms.BooleanField(required=False)}
    for number in range(1, len(question.marks) + 1):
        fields[f"{name}.out.{number}"] = forms.BooleanField(required=False)
    for number in question.blank_rows:
        fields[f"{name}.words.{number}"] = forms.CharField(required=False, strip=False)
        for kind, keys in (("category", scheme.categories), ("severity", scheme.severities)):
            fields[f"{name}.{kind}.{number}"] = forms.ChoiceField(
                required=False, choices=[("", "–"), *((one.key, str(one.label)) for one in keys)]
            )
        fields[f"{name}.note.{number}"] = forms.CharField(required=False, max_length=LONGEST_NOTE)
    return fields


def quoted_marking(question: MarkingQuestion, cleaned: Mapping[str, Any], order: int) -> SentMarking | None:
    """Return what a form says of the marks of a text, or None where that is what is stored.

    Raises ValidationError, by field, for words that are not in the text or there more than once.
    """
    name = question.name
    kept = [
        one for number, one in enumerate(question.marks, start=1) if not cleaned.get(f"{name}.out.{number}")
    ]
    wrong: dict[str, str] = {}
    for number in question.blank_rows:
        words, category, severity, note = (
            cleaned.get(f"{name}.{kind}.{number}") or "" for kind in ("words", "category", "severity", "note")
        )
        if not (words or category or note):
            continue
        try:
            kept.append(quoted_mark(question, words, category, severity, note))
        except ValidationError as error:
            wrong[f"{name}.words.{number}"] = error.messages[0]
    if wrong:
        raise ValidationError(wrong)
    is_done = bool(cleaned.get(f"{name}.done"))
    if (tuple(kept), is_done) == (question.marks, question.is_done):
        return None
    return SentMarking(question.token, order, tuple(kept), is_done, digest=question.text.digest)


def quoted_mark(question: MarkingQuestion, words: str, category: str, severity: str, note: str) -> Mark:
    """Return the mark of words that stand in a text once; of something missing, the place before them."""
    if category not in question.scheme.category or severity not in question.scheme.severity:
        raise ValidationError(_("Choose a category and a severity."))
    is_missing = question.scheme.category[category].is_missing
    if not words and is_missing:
        return Mark(category, severity, note=note)
    # A form sends line ends as two characters.
    words = words.replace("\r\n", "\n")
    times = question.text.shown.count(words) if words else 0
    if not times:
        raise ValidationError(_("Copy the words from the text: these are not in it."))
    if times > 1:
        said = ngettext(
            "These words stand in the text %(times)d time: copy some more around them.",
            "These words stand in the text %(times)d times: copy some more around them.",
            times,
        )
        raise ValidationError(said % {"times": times})
    start = question.text.shown.index(words)
    return Mark(category, severity, start, start if is_missing else start + len(words), note)
