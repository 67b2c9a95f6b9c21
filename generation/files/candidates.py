"""Reading and checking a file of candidates, one row a text, before anything is written.

A file is any that `generation.files.tables` reads, with one row a candidate or one column a method
(`generation.files.columns`). Fields of a row:

- `prompt` and all else that belongs to a prompt: `generation.files.prompt_fields`
- `method`: what the method is called, at most 100 characters; its key is derived from that (`method_key`)
- `text`: what the method wrote, at most 50,000 characters; in JSON also the turns of a dialogue
  (`generation.texts.dialogues`)
- `form`: of a poem, optional. Where a method wrote a prompt's poem in several forms, as Jiuge does, each has a row,
  and one is drawn at random
- `provenance`, in JSON: how a method of ours wrote the text, an object with any of `PROVENANCE`; optional
- `checklist`: items that are asked about every text for the prompt; optional (`generation.files.checklists`)
- anything else is a note, kept with the candidate and shown to nobody who rates; in JSON also `notes`, an object

Every prompt needs one text by every method. Texts and prompts are kept as they were written; a study's rule decides how
they are shown (`generation.texts.normalising`).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from generation.engines.jiuge import draw
from generation.files.checklists import CHECKLIST, Checklist, taken_checklist
from generation.files.columns import checked_roles, mapped_rows
from generation.files.notes import checked_notes, why_unstorable
from generation.files.problems import Place, Problems, listed_shortly, shown
from generation.files.prompt_fields import (
    PROMPT_COLUMNS,
    differing_fields,
    prompt_of,
)
from generation.files.tables import Table, read_table
from generation.methods import LABELS
from generation.prompts import PromptContent
from generation.texts.characters import CONTROL
from generation.texts.dialogues import turns_of
from generation.texts.normalising import is_blank

# The fields of `generation.models.Provenance`, and what they are where nothing is said.
PROVENANCE: dict[str, Any] = {
    "score": 0.0, "terms": {}, "sentences": [], "runners_up": [], "unknown": "", "seconds": 0.0, "facts": {}
}  # fmt: skip
STRIPPED = frozenset({"method", "form"})
REQUIRED = ("method", "text")
OF_A_CANDIDATE = frozenset({"method", "text", "form", "sample", "provenance"})
LONGEST = {"method": 100, "text": 50_000, "form": 50}
# Candidates on a page are lettered.
FEWEST_METHODS, MOST_METHODS = 2, 26
MOST_SAMPLES = 50

METHOD_KEY = re.compile(r"[-a-zA-Z0-9_]{1,50}")
NO_KEY = re.compile(r"[^a-z0-9]+")


@cache
def method_key(label: str) -> str:
    """Return the key of the method of this label: the label where it can be one, or what is derived from it.

    >>> method_key("gpt-4"), method_key("Human"), method_key("GPT-4 (t=0.7)")
    ('gpt-4', 'human', 'gpt-4-t-0-7-b4304f7a')
    """
    known = {name: key for key, name in LABELS.items()}
    if label in known:
        return known[label]
    if METHOD_KEY.fullmatch(label):
        return label
    plain = NO_KEY.sub("-", unicodedata.normalize("NFKD", label).lower()).strip("-")[:41].strip("-")
    # Two labels can make one plain name.
    return f"{plain or 'method'}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def shuffled(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file to write, the texts of each prompt by their digests.

    So the order is always the same, whatever it was before, and tells nothing of the methods.
    """
    for _prompt, of_prompt in groupby(rows, key=lambda row: [row.get(name) for name in PROMPT_COLUMNS]):
        yield from sorted(of_prompt, key=lambda row: hashlib.sha256(row["text"].encode()).digest())


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate as it will be stored, and where its row stands."""

    place: Place
    prompt: PromptContent
    method: str
    text: str
    form: str = ""
    provenance: Mapping[str, Any] | None = None
    notes: Mapping[str, Any] = field(default_factory=dict, compare=False)
    # Which of several texts by the method for the prompt.
    sample: int = 1
    checklist: Checklist = field(default=(), compare=False)

    @property
    def page(self) -> tuple[object, int]:
        """The prompt and the sample: a page has one text by each method."""
        return self.prompt.known_by, self.sample


@dataclass(frozen=True)
class CandidateFile:
    """A checked file: each of its prompts has one text by each of its methods, whose labels are known by key."""

    name: str
    sha256: str
    genre: str
    rows: tuple[Row, ...]
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def prompts(self) -> list[PromptContent]:
        """Prompts in order of first appearance."""
        return list(dict.fromkeys(row.prompt for row in self.rows))

    @property
    def checklists(self) -> dict[PromptContent, Checklist]:
        """The checklists of the prompts that have one."""
        return {row.prompt: row.checklist for row in self.rows if row.checklist}

    @property
    def methods(self) -> list[str]:
        """Keys of the methods, in order of first appearance."""
        return list(dict.fromkeys(row.method for row in self.rows))


def read_candidates(
    path: Path,
    genre: str,
    *,
    seed: int = 0,
    name: str = "",
    encoding: str = "",
    sheet: str = "",
    columns: Mapping[str, str] | None = None,
    may_lack_texts: bool = False,
    fewest_methods: int = FEWEST_METHODS,
    is_addition: bool = False,
    report_rows: Callable[[int], None] | None = None,
) -> CandidateFile:
    """Read a file of candidates, its texts as they were written; raise `FileRefused` with everything wrong in it.

    The seed decides, with each prompt and nothing else, which of several forms is drawn. `name` is what its owner
    calls an upload; `encoding` and `sheet` are those of `generation.files.tables.read_table`, and `columns` says what
    the columns are (`generation.files.columns`). Without it they must be called as they are read, or
    `ColumnsUnconfirmed` is raised. Where methods `may_lack_texts`, a prompt needs texts by two of them. A file
    with texts of one method is read where others are to follow (`fewest_methods`), and what `is_addition` to texts
    that are there may lack any. `report_rows` is called now and then with how many rows are read.
    """
    table = read_table(path, name, encoding=encoding, sheet=sheet)
    table.report_rows = report_rows
    problems = table.problems
    roles = checked_roles(table, columns)
    labels: dict[str, str] = {}
    rows = _drawn(list(_checked_rows(table, roles, labels)), seed)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    fewest = 1 if is_addition else fewest_methods
    _check_whole(rows, labels, problems, fewest, is_addition=is_addition, may_lack_texts=may_lack_texts)
    problems.refuse_if_any()
    # Parts that stand in another order in another row are the same: each prompt is as its first row has it.
    prompt_by = {row.prompt.known_by: row.prompt for row in reversed(rows)}
    alike = []
    for row in rows:
        first = prompt_by[row.prompt.known_by]
        alike.append(row if row.prompt is first else replace(row, prompt=first))
    return CandidateFile(problems.file, sha256, genre, tuple(alike), labels)


def _checked_rows(table: Table, roles: Mapping[str, str], labels: dict[str, str]) -> Iterator[Row]:
    """Yield the candidates of a table, and note the labels of their methods by key."""
    problems = table.problems
    prompt: PromptContent | None = None
    said_before: dict[str, Any] = {}
    for mapped in mapped_rows(table, roles):
        place, fields = mapped.row.place, mapped.fields
        said = {name: value for name, value in fields.items() if name not in OF_A_CANDIDATE}
        # The rows of a prompt stand together as a rule, and it is checked once.
        if prompt is None or said != said_before:
            prompt, said_before = prompt_of(place, fields, problems), said
        texts = {}
        for name in LONGEST:
            column = mapped.named.get(name, name)
            value = fields.get(name)
            if name == "text" and isinstance(value, list) and turns_of(written := as_text(value)):
                value = written
            raw = _checked_field(place, name, column, value, problems)
            texts[name] = (raw or "").strip() if name in STRIPPED else raw or ""
            if raw is not None and is_blank(raw) and name in REQUIRED:
                problems.add(place, column, _("is empty"))
        provenance = fields.get("provenance")
        if why := wrong_provenance(provenance):
            problems.add(place, "provenance", why)
        checklist, further = taken_checklist(place, mapped.notes, problems)
        notes = checked_notes(place, further, problems)
        label = texts.pop("method")
        if not label.isprintable():
            problems.add(
                place, mapped.named.get("method", "method"), _("%(label)s holds a character that does not print"),
                label=shown(label),
            )  # fmt: skip
        # A row whose text alone is wrong still counts when the coverage is checked.
        if prompt is not None and not is_blank(label):
            key = method_key(label)
            labels.setdefault(key, LABELS.get(key, label))
            sample = _checked_sample(place, fields.get("sample"), problems)
            yield Row(
                place, prompt, key, **texts, provenance=provenance, notes=notes, sample=sample, checklist=checklist
            )  # fmt: skip


def as_text(turns: list[Any]) -> str:
    """Return the turns of a dialogue, as JSON has them, as the text that is stored."""
    return json.dumps(turns, ensure_ascii=False)


def _checked_sample(place: Place, value: object, problems: Problems) -> int:
    """Return the number of a sample, 1 where none is given."""
    if value in (None, ""):
        return 1
    number = re.fullmatch(r"\s*0*([1-9][0-9]?)(?:\.0+)?\s*", str(value))
    if number is None or int(number[1]) > MOST_SAMPLES:
        problems.add(place, "sample", _("must be a whole number from 1 to %(most)d"), most=MOST_SAMPLES)
        return 1
    return int(number[1])


def wrong_provenance(provenance: object) -> str:
    """Return what is wrong with the provenance of a text, or "".

    >>> wrong_provenance({"score": "high"}), wrong_provenance({"score": 1, "terms": {"forward": 1.0}})
    ('score must be of the kind float', '')
    """
    if provenance is None:
        return ""
    if not isinstance(provenance, dict) or provenance.keys() - PROVENANCE.keys():
        return _("must be an object with %(names)s") % {"names": ", ".join(PROVENANCE)}
    for name, value in provenance.items():
        kind = type(PROVENANCE[name])
        if not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool):
            return _("%(name)s must be of the kind %(kind)s") % {"name": name, "kind": kind.__name__}
        if kind is float and not abs(value) <= sys.float_info.max:
            return _("holds a number that is infinite, or none")
    return why_unstorable(provenance)


def _drawn(rows: list[Row], seed: int) -> list[Row]:
    """Return the rows with one of those in which a method wrote for a prompt in a form of its own each."""
    by_form: dict[tuple[object, int, str], dict[str, Row]] = {}
    kept = []
    for row in rows:
        forms = by_form.setdefault((*row.page, row.method), {})
        if row.form and row.form not in forms:
            forms[row.form] = row
        else:
            kept.append(row)
    for forms in by_form.values():
        if forms:
            title = next(iter(forms.values())).prompt.heading
            kept.append(forms[draw(forms, title=title, seed=seed)])
    return sorted(kept, key=lambda row: row.place.number)


def _checked_field(place: Place, name: str, column: str, value: object, problems: Problems) -> str | None:
    """Return the text of a field in a column, or None where it is none that could be stored, which is noted."""
    if value is None and name not in REQUIRED:
        return ""
    if value is None:
        problems.add(place, column, _("is missing"))
    elif not isinstance(value, str):
        problems.add(
            place, column, _("must be a text, not %(value)s"), value=shown(json.dumps(value, default=str))
        )
    elif len(value) > LONGEST[name]:
        problems.add(
            place, column, _("is %(length)s characters long; at most %(most)s are allowed"),
            length=f"{len(value):,}", most=f"{LONGEST[name]:,}",
        )  # fmt: skip
    elif control := CONTROL.search(value):
        problems.add(
            place, column, _("holds the control character U+%(code)s"), code=f"{ord(control[0]):04X}"
        )
    else:
        return value
    return None


def _check_whole(
    rows: list[Row],
    labels: Mapping[str, str],
    problems: Problems,
    fewest: int,
    *,
    is_addition: bool,
    may_lack_texts: bool,
) -> None:
    """Check what no row shows by itself: doubles, and that each prompt has a text by each method, or by two."""
    if not rows:
        if not problems:
            problems.add(0, "", _("holds no candidates"))
        return
    _check_doubles(rows, labels, problems)
    methods = list(dict.fromkeys(row.method for row in rows))
    if not fewest <= len(methods) <= MOST_METHODS:
        problems.add(
            0, "method", _("there must be %(fewest)d to %(most)d methods, not %(methods)d (%(some)s)"),
            fewest=fewest, most=MOST_METHODS, methods=len(methods),
            some=listed_shortly([labels[method] for method in methods], 5),
        )  # fmt: skip
        return
    if is_addition:
        return
    written: dict[object, set[str]] = {}
    first: dict[object, Row] = {}
    for row in rows:
        written.setdefault(row.page, set()).add(row.method)
        first.setdefault(row.page, row)
    for prompt, by in written.items():
        if may_lack_texts and len(by) >= min(FEWEST_METHODS, len(methods)):
            continue
        for method in methods:
            if method not in by:
                name = shown(first[prompt].prompt.external_id or first[prompt].prompt.heading)
                problems.add(
                    first[prompt].place, "method", _("prompt %(prompt)s has no text by %(method)s"),
                    prompt=name, method=labels[method],
                )  # fmt: skip


def _check_doubles(rows: list[Row], labels: Mapping[str, str], problems: Problems) -> None:
    prompts: dict[object, Row] = {}
    checklists: dict[object, Row] = {}
    written: dict[tuple[object, int, str], Place] = {}
    for row in rows:
        first = prompts.setdefault(row.prompt.known_by, row)
        for name in differing_fields(row.prompt, first.prompt) if row.prompt is not first.prompt else ():
            problems.add(
                row.place, name, _("differs from that of the same prompt in %(place)s"), place=first.place
            )
        listed = checklists.setdefault(row.prompt.known_by, row) if row.checklist else row
        if row.checklist != listed.checklist:
            problems.add(
                row.place,
                CHECKLIST,
                _("differs from that of the same prompt in %(place)s"),
                place=listed.place,
            )
        place = written.setdefault((*row.page, row.method), row.place)
        if place != row.place:
            problems.add(
                row.place, "method", _("%(method)s has a text for this prompt in %(place)s already"),
                method=labels[row.method], place=place,
            )  # fmt: skip
