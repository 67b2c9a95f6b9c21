"""What the row of a file says of its prompt's checklist: `checklist`, the items asked about every text for the prompt.

In JSON it is a list of texts, or of objects with

- `text`: a text, or texts by language, such as `{"en": "It rhymes.", "zh-hans": "押韵。"}`
- `weight`: how much the item counts, above 0 (1 if left out)
- `may_not_apply`: whether it may be answered with ‘does not apply’ (true if left out)

A cell of text holds such a list as JSON, or one item a line. Rows of one prompt say the same, or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from generation.files.problems import Place, Problems, shown
from generation.texts.characters import CONTROL
from generation.texts.languages import language_of
from generation.texts.normalising import is_blank

CHECKLIST = "checklist"
MOST_ITEMS = 30
LONGEST_ITEM = 500
SMALLEST_WEIGHT, LARGEST_WEIGHT = 0.001, 1_000.0
FIELDS = ("text", "weight", "may_not_apply")


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """An item as it will be stored: its text by the languages of the interface."""

    text: tuple[tuple[str, str], ...]
    weight: float = 1.0
    may_not_apply: bool = True


Checklist = tuple[ItemEntry, ...]


def taken_checklist(
    place: Place, notes: Mapping[str, Any], problems: Problems
) -> tuple[Checklist, dict[str, Any]]:
    """Return the checklist among the notes of a row, whatever the case of its name, and the other notes."""
    column = next((name for name in notes if name.strip().lower() == CHECKLIST), None)
    if column is None:
        return (), dict(notes)
    others = {name: value for name, value in notes.items() if name != column}
    return checked_checklist(place, notes[column], problems), others


def checked_checklist(place: Place | int, value: object, problems: Problems) -> Checklist:
    """Return the items that a value says; what is wrong with it is noted, and then there are none."""
    before = len(problems)
    found = _listed(place, value, problems)
    items = tuple(_checked_item(place, number, one, problems) for number, one in enumerate(found, start=1))
    if len(items) > MOST_ITEMS:
        problems.add(
            place, CHECKLIST, _("has %(found)d; at most %(most)d are allowed"), found=len(items), most=MOST_ITEMS
        )  # fmt: skip
    return items if len(problems) == before else ()


def _listed(place: Place | int, value: object, problems: Problems) -> list[Any]:
    if value in (None, ""):
        return []
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            problems.add(place, CHECKLIST, _("is not JSON: %(reason)s"), reason=str(error)[:200])
            return []
    if isinstance(value, str):
        return [line.strip() for line in value.splitlines() if not is_blank(line)]
    if not isinstance(value, list):
        problems.add(
            place, CHECKLIST, _("must be a list such as %(example)s"), example='[{"text": "…", "weight": 2}]'
        )  # fmt: skip
        return []
    return value


def _checked_item(place: Place | int, number: int, value: object, problems: Problems) -> ItemEntry:
    path = f"{CHECKLIST}[{number}]"
    given = {"text": value} if isinstance(value, str) else value
    if not isinstance(given, dict) or given.keys() - set(FIELDS) or "text" not in given:
        problems.add(
            place, path, _("must be a text, or an object with text and, if need be, weight and may_not_apply")
        )
        return ItemEntry(())
    weight, may_not_apply = given.get("weight", 1), given.get("may_not_apply", True)
    is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not is_number or not SMALLEST_WEIGHT <= weight <= LARGEST_WEIGHT:
        problems.add(
            place, f"{path}.weight", _("must be a number from %(least)s to %(most)s"),
            least=SMALLEST_WEIGHT, most=f"{LARGEST_WEIGHT:.0f}",
        )  # fmt: skip
        weight = 1
    if not isinstance(may_not_apply, bool):
        problems.add(place, f"{path}.may_not_apply", _("must be true or false"))
    texts = _checked_texts(place, f"{path}.text", given["text"], problems)
    return ItemEntry(texts, float(weight), bool(may_not_apply))


def _checked_texts(
    place: Place | int, path: str, value: object, problems: Problems
) -> tuple[tuple[str, str], ...]:
    """Return a text by language; one without is taken to be in that which its letters are of."""
    codes = [code for code, _name in settings.LANGUAGES]
    if isinstance(value, str):
        tag = language_of(value)
        value = {next((code for code in codes if code.partition("-")[0] == tag), codes[0]): value}
    if not isinstance(value, dict) or not value:
        problems.add(place, path, _('must be a text by language, such as {"en": "Wit"}'))
        return ()
    for code, text in value.items():
        if code not in codes:
            problems.add(
                place, path, _("%(code)s is none of the languages of the interface: %(codes)s."),
                code=shown(str(code)), codes=", ".join(codes),
            )  # fmt: skip
        elif not isinstance(text, str) or is_blank(text):
            problems.add(place, path, _("is empty"))
        elif len(text) > LONGEST_ITEM:
            problems.add(
                place, path, _("is %(length)s characters long; at most %(most)s are allowed"),
                length=f"{len(text):,}", most=f"{LONGEST_ITEM:,}",
            )  # fmt: skip
        elif CONTROL.search(text):
            problems.add(place, path, _("holds a control character"))
    return tuple((str(code), str(text)) for code, text in _sorted(value.items(), codes))


def _sorted(texts: Iterable[tuple[Any, Any]], codes: list[str]) -> list[tuple[Any, Any]]:
    return sorted(texts, key=lambda one: codes.index(one[0]) if one[0] in codes else len(codes))
