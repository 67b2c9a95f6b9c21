"""Tables of marked errors, as offsets or as tags in the text, with everything wrong in them by its place (pure).

A row is one error that an evaluator marked in a text, or a text in which they marked none. The columns are those of
`export_spans`, or go by the names that files of MQM have:

- `evaluator` (rater), `method` (system), and `prompt` (source) or `prompt_id`
- `tagged` (target): the text with <v> and </v> around the error; or `text`, the text alone
- `start` and `end`: offsets in code points of the text; may be left out where there are tags
- `category`, `severity`: empty, or `no-error`, where nothing is marked
- `penalty`: what the error costs; may be left out where a rubric says so
- `note`, `position`, `is_done`, `group`: optional
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from annotations.models.protocols.spans import LARGEST_WEIGHT, LONGEST_NOTE, MOST_MARKS
from annotations.models.texts_by_language import named_by
from annotations.setup.error_categories.rows import KEY, RubricCategory, RubricSeverity
from generation.files.candidates import LONGEST
from generation.files.problems import Place, Problems, listed, listed_shortly, shown
from generation.files.prompt_fields import LONGEST_ID, LONGEST_PROMPT
from generation.files.tables import Table
from generation.texts.alignment import whole_graphemes
from generation.texts.characters import CONTROL, UNSTORABLE

NAMES: Mapping[str, tuple[str, ...]] = {
    "evaluator": ("evaluator", "rater", "annotator"),
    "prompt": ("prompt", "source"),
    "prompt_id": ("prompt_id",),
    "method": ("method", "system", "model"),
    "text": ("text",),
    "tagged": ("tagged", "target"),
    "start": ("start",),
    "end": ("end",),
    "category": ("category",),
    "severity": ("severity",),
    "penalty": ("penalty",),
    "note": ("note", "comment"),
    "position": ("position",),
    "is_done": ("is_done",),
    "group": ("group",),
}
# What files of MQM write where a text has no error.
NO_ERROR = frozenset({"", "no-error", "noerror", "no error", "neutral"})
TAG = re.compile(r"</?v>")
LONGEST_PERSON = 150
TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True)
class FoundMark:
    """An error: keys of its kind, and where it stands in the text as it was written; nowhere without a start."""

    category: str
    severity: str
    start: int | None
    end: int | None
    note: str = ""


@dataclass(frozen=True)
class TextKey:
    """A text: which prompt, by its id or else its words, and which method."""

    prompt: str
    method: str


@dataclass
class FoundText:
    """A text with its prompt, and where the file has it first."""

    prompt: str
    prompt_id: str
    text: str
    place: Place


@dataclass
class FoundMarking:
    """What an evaluator marked in a text, whether that is all, and the text's place on the page, from 1."""

    marks: list[FoundMark] = field(default_factory=list)
    is_done: bool = True
    position: int | None = None


@dataclass
class SpanRecords:
    """What a table of marked errors holds: texts, and by evaluator what they marked in which."""

    texts: dict[TextKey, FoundText] = field(default_factory=dict)
    markings: dict[str, dict[TextKey, FoundMarking]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    # By category and severity, what an error costs, where the file says it.
    penalties: dict[tuple[str, str], float] = field(default_factory=dict)
    severities: tuple[RubricSeverity, ...] = ()
    categories: tuple[RubricCategory, ...] = ()

    @property
    def methods(self) -> list[str]:
        return list(dict.fromkeys(key.method for key in self.texts))

    @property
    def prompts(self) -> list[str]:
        return list(dict.fromkeys(key.prompt for key in self.texts))

    @property
    def marks(self) -> int:
        return sum(len(one.marks) for of in self.markings.values() for one in of.values())


class _Bad(Exception):
    """What is wrong with a row: the field, and a message with its values."""

    def __init__(self, name: str, message: str, /, **values: Any) -> None:
        super().__init__(name, message, values)


def read_spans(
    table: Table,
    severities: Sequence[RubricSeverity] = (),
    categories: Sequence[RubricCategory] = (),
) -> SpanRecords:
    """Read a table; its kinds of errors are those given, or those of the file with the penalties that it says.

    Raises `FileRefused` with everything wrong by its place.
    """
    records = SpanRecords(severities=tuple(severities), categories=tuple(categories))
    columns = _columns(table)
    reader = _Reader(
        records, columns, is_own_csv=table.kind == "csv" and "method_label" in table.by_lower_name
    )
    if not table.problems:
        for row in table:
            try:
                reader.add(row.place, row.fields)
            except _Bad as bad:
                name, message, values = bad.args
                table.problems.add(row.place, columns.get(name, name), message, **values)
    if not (table.problems or records.markings):
        table.problems.add(0, "", _("has no row with a marked text"))
    if not (table.problems or categories):
        _kinds_of_file(records, table.problems)
    table.problems.refuse_if_any()
    return records


def _columns(table: Table) -> dict[str, str]:
    """Return the column of each field that there is; add to the problems what is missing."""
    found = {
        name: table.by_lower_name[alias]
        for name, aliases in NAMES.items()
        for alias in reversed(aliases)
        if alias in table.by_lower_name
    }
    missing = [name for name in ("evaluator", "method", "category", "severity") if name not in found]
    either = (("prompt", "prompt_id"), ("tagged", "text"))
    missing += [" / ".join(pair) for pair in either if not found.keys() & set(pair)]
    if "tagged" not in found and not {"start", "end"} <= found.keys():
        missing += ["start", "end"]
    if missing:
        table.problems.add(
            0, "", _("lacks the columns %(missing)s; it has %(columns)s"),
            missing=listed(missing), columns=table.columns_shortly,
        )  # fmt: skip
    return found


class _Reader:
    def __init__(self, records: SpanRecords, columns: Mapping[str, str], *, is_own_csv: bool) -> None:
        self.records = records
        self.columns = columns
        # An export in CSV has an apostrophe before what a spreadsheet would make something else of.
        self.is_own_csv = is_own_csv
        self.category_keys = {one.key: one for one in records.categories}
        self.severity_keys = [one.key for one in records.severities]
        self.prompt_of: dict[str, str] = {}

    def add(self, place: Place, fields: Mapping[str, Any]) -> None:
        """Take a row in; raise `_Bad` for what cannot be."""
        said = {name: self._said(fields.get(column)) for name, column in self.columns.items()}
        evaluator = self._name(said, "evaluator", LONGEST_PERSON)
        method = self._name(said, "method", LONGEST["method"])
        prompt = TAG.sub("", said.get("prompt", ""))
        prompt_id = said.get("prompt_id", "")
        if not (prompt.strip() or prompt_id):
            raise _Bad("prompt" if "prompt" in self.columns else "prompt_id", _("is empty"))
        for name, value, most in (("prompt", prompt, LONGEST_PROMPT), ("prompt_id", prompt_id, LONGEST_ID)):
            self._refuse_text(name, value, most)
        text, tags = self._text(said)
        key = TextKey(prompt_id or prompt, method)
        if (other := self.prompt_of.setdefault(key.prompt, prompt)) != prompt:
            raise _Bad(
                "prompt", _("is another prompt than %(other)s, by the same prompt_id"), other=shown(other)
            )
        known = self.records.texts.setdefault(key, FoundText(prompt or prompt_id, prompt_id, text, place))
        if known.text != text:
            raise _Bad(
                "tagged" if "tagged" in self.columns else "text",
                _("is another text by %(method)s for this prompt than in %(place)s"),
                method=shown(method),
                place=known.place,
            )
        marking = self.records.markings.setdefault(evaluator, {}).setdefault(key, FoundMarking())
        if said.get("is_done"):
            if said["is_done"].lower() not in TRUTH:
                raise _Bad("is_done", _("must be true or false"))
            marking.is_done = TRUTH[said["is_done"].lower()]
        if said.get("position"):
            marking.position = self._whole(said, "position")
        if said.get("group"):
            self.records.groups[evaluator] = said["group"]
        if said.get("category", "").lower() in NO_ERROR and said.get("severity", "").lower() in NO_ERROR:
            return
        self._add_mark(said, text, tags, marking)

    def _add_mark(
        self, said: Mapping[str, str], text: str, tags: tuple[int, int] | None, marking: FoundMarking
    ) -> None:
        category, severity = self._kind(said, "category"), self._kind(said, "severity")
        start, end = self._place(said, text, tags)
        rubric = self.category_keys.get(category)
        if rubric is not None:
            if rubric.is_missing and start != end:
                raise _Bad("end", _("what is missing has a place and no words: begin and end are the same"))
            if not rubric.is_missing and start == end:
                raise _Bad("start", _("marks no character, and the category is not of what is missing"))
        note = said.get("note", "")
        self._refuse_text("note", note, LONGEST_NOTE)
        if CONTROL.search(note):
            raise _Bad("note", _("holds a character that is none"))
        if said.get("penalty"):
            penalty = self._penalty(said)
            if self.records.penalties.setdefault((category, severity), penalty) != penalty:
                raise _Bad(
                    "penalty",
                    _("is %(penalty)s, and %(other)s on another line for the same category and severity"),
                    penalty=f"{penalty:g}",
                    other=f"{self.records.penalties[category, severity]:g}",
                )
        elif rubric is None:
            raise _Bad("penalty", _("is empty; give it, or a rubric with the weights"))
        if start is not None and any(
            (one.start, one.end, one.category) == (start, end, category) for one in marking.marks
        ):
            raise _Bad("start", _("marks the same words in this category a second time"))
        if len(marking.marks) == MOST_MARKS:
            raise _Bad(
                "start", _("is one more than the %(most)d marks that a text can have"), most=MOST_MARKS
            )
        marking.marks.append(FoundMark(category, severity, start, end, note))

    def _said(self, value: Any) -> str:
        """Return a cell as text."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        said = str(value)
        return said[1:] if self.is_own_csv and said.startswith("'") else said

    def _name(self, said: Mapping[str, str], name: str, most: int) -> str:
        value = said[name].strip()
        if not value:
            raise _Bad(name, _("is empty"))
        self._refuse_text(name, value, most)
        return value

    def _refuse_text(self, name: str, value: str, most: int) -> None:
        if len(value) > most:
            raise _Bad(name, _("is longer than %(most)d characters"), most=most)
        if UNSTORABLE.search(value):
            raise _Bad(name, _("holds a character that is none"))

    def _text(self, said: Mapping[str, str]) -> tuple[str, tuple[int, int] | None]:
        """Return the text, and where tags in it mark something."""
        text, tagged = said.get("text", ""), said.get("tagged", "")
        place = None
        if tagged:
            opened, closed = tagged.find("<v>"), tagged.find("</v>")
            # Tags that offsets say nothing of can be words of the text itself.
            if said.get("start") or (said.get("category", "").lower() not in NO_ERROR and opened >= 0):
                start = self._whole(said, "start") if said.get("start") else opened
                end = self._whole(said, "end") if said.get("end") else closed - len("<v>")
                if (
                    not 0 <= start <= end
                    or tagged[start : start + 3] != "<v>"
                    or tagged[end + 3 : end + 7] != "</v>"
                ):
                    raise _Bad(
                        "tagged", _("has no <v> and </v> around the characters that start and end name")
                    )
                tagged = tagged[:start] + tagged[start + 3 : end + 3] + tagged[end + 7 :]
                place = start, end
            if text and text != tagged:
                raise _Bad("tagged", _("is not the text with tags in it"))
            text = tagged
        if not text.strip():
            raise _Bad("tagged" if "tagged" in self.columns else "text", _("is empty"))
        self._refuse_text("tagged" if "tagged" in self.columns else "text", text, LONGEST["text"])
        return text, place

    def _place(
        self, said: Mapping[str, str], text: str, tags: tuple[int, int] | None
    ) -> tuple[int | None, int | None]:
        """Return where a mark begins and ends; nowhere where nothing says it."""
        if tags is None:
            if not said.get("start") and not said.get("end"):
                return None, None
            start, end = self._whole(said, "start"), self._whole(said, "end")
        else:
            start, end = tags
        if not start <= end <= len(text):
            raise _Bad(
                "end",
                _("must be at least start and at most %(length)d, the length of the text"),
                length=len(text),
            )
        if (whole := whole_graphemes(text, start, end)) != (start, end):
            raise _Bad(
                "start", _("cuts a character in two; the whole ones are %(start)d to %(end)d"),
                start=whole[0], end=whole[1],
            )  # fmt: skip
        return start, end

    def _whole(self, said: Mapping[str, str], name: str) -> int:
        value = said.get(name, "").strip()
        if not value.isascii() or not value.isdigit() or len(value) > 9:
            raise _Bad(name, _("must be a whole number, 0 or more"))
        return int(value)

    def _penalty(self, said: Mapping[str, str]) -> float:
        try:
            penalty = float(said["penalty"])
        except ValueError:
            penalty = -1
        if not 0 <= penalty <= LARGEST_WEIGHT:
            raise _Bad("penalty", _("must be a number from 0 to %(most)d"), most=LARGEST_WEIGHT)
        return penalty

    def _kind(self, said: Mapping[str, str], name: str) -> str:
        """Return the key of a category or severity; of `Accuracy/Mistranslation` the first part where that is one."""
        value = said[name].strip()
        known = list(self.category_keys) if name == "category" else self.severity_keys
        whole = "-".join(re.findall(r"[a-z0-9_]+", value.lower()))
        first = "-".join(re.findall(r"[a-z0-9_]+", value.lower().split("/")[0]))
        if not known:
            key = value if KEY.fullmatch(value) else whole
            if not KEY.fullmatch(key):
                raise _Bad(name, _("must hold English letters or digits, at most 40, to be a key"))
            return key
        for key in (value, whole, first):
            if key in known:
                return key
        raise _Bad(name, _("%(key)s is none of %(keys)s"), key=shown(value), keys=listed_shortly(known, 30))


def _kinds_of_file(records: SpanRecords, problems: Problems) -> None:
    """Give the records the categories and severities of the file, with its penalties."""
    severities = list(dict.fromkeys(severity for _category, severity in records.penalties))
    categories = list(dict.fromkeys(category for category, _severity in records.penalties))
    # From the lightest on, as far as one category has several.
    severities.sort(key=lambda key: min(cost for (_one, of), cost in records.penalties.items() if of == key))
    marks = [mark for of in records.markings.values() for one in of.values() for mark in one.marks]
    empty = {mark.category for mark in marks if mark.start == mark.end}
    for category in sorted(empty & {mark.category for mark in marks if mark.start != mark.end}):
        problems.add(
            0, "category", _("%(key)s marks words in some rows and none in others; what is missing is a category"),
            key=shown(category),
        )  # fmt: skip
    records.severities = tuple(RubricSeverity(key, named_by(key)) for key in severities)
    records.categories = tuple(
        RubricCategory(
            key,
            named_by(key),
            penalties={of: cost for (one, of), cost in records.penalties.items() if one == key},
            is_missing=key in empty,
        )
        for key in categories
    )
