"""Rubrics: the criteria of a study and the words of its questionnaire, ready-made or from a file.

A rubric is a JSON object. The ready-made ones, the files in `fixtures/rubrics/`, are examples of it:

- `genre`: the kind of text, `poem`, `qa`, `summary` or `text` (`generation.genres`)
- `title`: what it is called where one is chosen; optional
- `instructions`: what evaluators read first; optional
- `instructions_without_picks`: what they read where no best text is asked for; optional
- `criteria`: in the order of the page, each an object with
    - `key`: a slug, once in the rubric
    - `label`: its name
    - `question`, and the words at both ends of the scale `low`, `high`; optional
    - `minimum` (1 if left out) and `maximum` (5 if left out), whole numbers, the first below the second
    - `is_overall`: true for at most one criterion, by which the pick of the best is checked
    - `lower_is_better`: true where the lowest score is the best
    - `rates_turns`: true where each turn of a text that is a dialogue is rated as well
    - `is_slider`: true where it is rated with a slider, as on 0 to 100, instead of a button for each point
    - `derived`: what its scores are reckoned from instead of being given: `penalty` or `penalty_per_100`
- `protocol`: what a page asks (`annotations.protocols.table`); the study's own if left out
- `severities` and `error_categories`: by which errors are marked (`annotations.setup.error_categories.rows`)

A text is an object with the codes of languages of the interface, such as `{"en": "Wit", "zh-hans": "机智"}`. Each may
stand alone as well: `label_en`, `label_zh`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from annotations.models import Criterion
from annotations.models.texts_by_language import (
    TextsByLanguage,
    gathered,
    language_codes,
    longest_text,
    unknown_language,
)
from annotations.protocols.table import PROTOCOLS, derived_choices
from annotations.setup.error_categories.rows import KINDS, RubricCategory, RubricSeverity, check_weights
from generation.files.json_tables import json_reason
from generation.files.problems import FileRefused, Problems, listed, shown
from generation.genres import GENRES
from generation.texts.characters import CONTROL

RUBRICS = settings.BASE_DIR / "fixtures" / "rubrics"
READY_MADE = tuple(sorted(path.stem for path in RUBRICS.glob("*.json")))
# What commands say of an option that takes a rubric.
RUBRIC_HELP = f"{', '.join(READY_MADE)}, or a JSON file (annotations/setup/rubrics.py)"
SLUG = re.compile(r"[-a-zA-Z0-9_]+")
# What a page can show in a row.
LOWEST_SCORE, HIGHEST_SCORE = -100, 100
MOST_CRITERIA = 20
LONGEST_KEY = 40
# The texts of a rubric and of a criterion, and the most characters of each.
TEXTS = {"title": 100, "instructions": 20_000, "instructions_without_picks": 20_000}
CRITERION_TEXTS = {name: longest_text(Criterion, name) for name in ("label", "question", "low", "high")}


@dataclass(frozen=True)
class RubricCriterion:
    """One criterion, with the names of the fields of `Criterion`."""

    key: str
    label: TextsByLanguage = field(default_factory=TextsByLanguage)
    question: TextsByLanguage = field(default_factory=TextsByLanguage)
    low: TextsByLanguage = field(default_factory=TextsByLanguage)
    high: TextsByLanguage = field(default_factory=TextsByLanguage)
    minimum: float = 1
    maximum: float = 5
    is_overall: bool = False
    lower_is_better: bool = False
    rates_turns: bool = False
    is_slider: bool = False
    derived: str = ""


@dataclass(frozen=True)
class Rubric:
    """The criteria of a study, for texts of one genre."""

    genre: str
    criteria: tuple[RubricCriterion, ...]
    title: TextsByLanguage = field(default_factory=TextsByLanguage)
    instructions: TextsByLanguage = field(default_factory=TextsByLanguage)
    instructions_without_picks: TextsByLanguage = field(default_factory=TextsByLanguage)
    protocol: str = ""
    severities: tuple[RubricSeverity, ...] = ()
    error_categories: tuple[RubricCategory, ...] = ()


def fitting_instructions(instructions: TextsByLanguage, *, has_picks: bool) -> TextsByLanguage:
    """Return instructions that speak of the pick of the best text or do not, where they are those of a rubric here."""
    for name in READY_MADE:
        rubric = load_rubric(name)
        both = rubric.instructions, rubric.instructions_without_picks
        others, fitting = both[::-1] if has_picks else both
        instructions = TextsByLanguage(
            (code, fitting[code] if text == others.get(code) and code in fitting else text)
            for code, text in instructions.items()
        )
    return instructions


def ask_for_ratings(instructions: TextsByLanguage) -> bool:
    """Whether instructions, in any language, are those of a rubric here by which every text is rated."""
    rated = [rubric for rubric in map(load_rubric, READY_MADE) if not rubric.protocol]
    ready = {
        text
        for one in rated
        for said in (one.instructions, one.instructions_without_picks)
        for text in said.values()
    }
    return not ready.isdisjoint(instructions.values())


def rubric_document(rubric: Rubric) -> dict[str, Any]:
    """Return a rubric as its file: what is as usual is left out."""
    document: dict[str, Any] = {"genre": rubric.genre}
    if rubric.protocol:
        document["protocol"] = rubric.protocol
    for name in TEXTS:
        if text := getattr(rubric, name):
            document[name] = dict(text)
    document["criteria"] = [_as_file(one, RubricCriterion(key="")) for one in rubric.criteria]
    for name, (kind, _texts_of) in KINDS.items():
        if rows := getattr(rubric, name):
            document[name] = [_as_file(one, kind(key="")) for one in rows]
    return document


def _as_file(row: Any, usual: Any) -> dict[str, Any]:
    """Return what of a row is not as usual."""
    return {
        one.name: dict(value) if isinstance(value, Mapping) else value
        for one in fields(row)
        if (value := getattr(row, one.name)) != getattr(usual, one.name)
    }


def load_rubric(name: str) -> Rubric:
    """Return a ready-made rubric by its name or one from a file; raise `FileRefused` with everything wrong in it."""
    path = RUBRICS / f"{name}.json" if name in READY_MADE else Path(name)
    try:
        content = path.read_bytes()
    except OSError as error:
        problems = Problems(path.name)
        ready_made = listed(READY_MADE)
        problems.add(
            0,
            "",
            _("cannot be read: %(reason)s; give %(ready_made)s or a file with a rubric"),
            reason=error.strerror,
            ready_made=ready_made,
        )
        raise FileRefused(problems) from error
    return read_rubric(content, path.name)


def read_rubric(content: bytes, name: str) -> Rubric:
    """Return the rubric in the content of a file; raise `FileRefused` with everything wrong in it."""
    problems = Problems(name)
    try:
        rubric = json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        column = _("column %(number)d") % {"number": error.colno}
        problems.add(error.lineno, column, _("is not JSON: %(reason)s"), reason=json_reason(error))
    except UnicodeDecodeError as error:
        problems.add(
            0,
            "",
            _("byte 0x%(byte)02x at offset %(offset)d is not %(encoding)s"),
            byte=error.object[error.start],
            offset=error.start,
            encoding="UTF-8",
        )
    except (ValueError, RecursionError):
        problems.add(
            0, "", _("is not JSON that can be read: it is nested too deeply, or has too long a number")
        )
    else:
        return checked_rubric(rubric, problems)
    raise FileRefused(problems)


def checked_rubric(rubric: Any, problems: Problems) -> Rubric:
    """Return the rubric that plain data describe; raise `FileRefused` with everything wrong in them."""
    found = gathered(rubric, TEXTS) if isinstance(rubric, dict) else rubric
    for name, (_kind, texts) in ROWS.items():
        if isinstance(found, dict) and isinstance(found.get(name), list):
            found[name] = [gathered(one, texts) if isinstance(one, dict) else one for one in found[name]]
    _check_rubric(found, problems)
    if problems:
        raise FileRefused(problems)
    rows = {
        name: tuple(kind(**row | _texts(row, texts)) for row in found.get(name, ()))
        for name, (kind, texts) in ROWS.items()
    }
    return Rubric(**found | _texts(found, TEXTS) | rows)


# The lists of a rubric: what a row of each is, and its texts.
ROWS: dict[str, tuple[type[Any], Mapping[str, int]]] = {
    "criteria": (RubricCriterion, CRITERION_TEXTS),
    **KINDS,
}


def _texts(found: Mapping[str, Any], names: Iterable[str]) -> dict[str, TextsByLanguage]:
    return {name: TextsByLanguage(found[name]) for name in names if name in found}


def _check_rubric(rubric: object, problems: Problems) -> None:
    if not isinstance(rubric, dict):
        problems.add(0, "", _("must be a JSON object with genre and criteria"))
        return
    _check_names(rubric, Rubric, "", problems)
    if not isinstance(rubric.get("genre"), str) or rubric["genre"] not in GENRES:
        problems.add(0, "genre", _("must be one of %(names)s"), names=listed(GENRES))
    for name, longest in TEXTS.items():
        _check_texts(rubric, name, longest, name, problems)
    if rubric.get("protocol", "") not in ("", *PROTOCOLS):
        problems.add(0, "protocol", _("must be one of %(names)s"), names=listed(PROTOCOLS))
    check_weights(rubric, problems)
    for name, (kind, texts) in KINDS.items():
        for number, row in enumerate(rubric.get(name, ()) if isinstance(rubric.get(name, ()), list) else ()):
            if isinstance(row, dict):
                _check_names(row, kind, f"{name}[{number}].", problems)
                for text, longest in texts.items():
                    _check_texts(row, text, longest, f"{name}[{number}].{text}", problems)
    criteria = rubric.get("criteria")
    if not isinstance(criteria, list) or not 1 <= len(criteria) <= MOST_CRITERIA:
        problems.add(0, "criteria", _("must be a list of 1 to %(most)d criteria"), most=MOST_CRITERIA)
        return
    objects = [criterion if isinstance(criterion, dict) else {} for criterion in criteria]
    for number, criterion in enumerate(criteria):
        _check_criterion(criterion, f"criteria[{number}]", problems)
        if (key := objects[number].get("key")) in [
            earlier.get("key") for earlier in objects[:number]
        ] and key:
            problems.add(0, f"criteria[{number}].key", _("%(key)s stands twice"), key=shown(str(key)))
    overall = sum(criterion.get("is_overall") is True for criterion in objects)
    if overall > 1:
        problems.add(
            0,
            "criteria",
            _("at most one criterion can have is_overall set to true, not %(number)d"),
            number=overall,
        )


def _check_criterion(criterion: object, path: str, problems: Problems) -> None:
    if not isinstance(criterion, dict):
        problems.add(0, path, _("must be a JSON object"))
        return
    _check_names(criterion, RubricCriterion, f"{path}.", problems)
    _check_text(criterion.get("key", ""), LONGEST_KEY, f"{path}.key", problems)
    for name, longest in CRITERION_TEXTS.items():
        _check_texts(criterion, name, longest, f"{path}.{name}", problems)
    key = criterion.get("key")
    if not isinstance(key, str) or not SLUG.fullmatch(key):
        problems.add(0, f"{path}.key", _("must be given, and hold only English letters, digits, - and _"))
    label = criterion.get("label", {})
    if isinstance(label, dict) and not any(label.values()):
        problems.add(0, f"{path}.label", _("must be given in a language"))
    for name in ("is_overall", "lower_is_better", "is_slider", "rates_turns"):
        if not isinstance(criterion.get(name, False), bool):
            problems.add(0, f"{path}.{name}", _("must be true or false"))
    derived = dict(derived_choices())
    if criterion.get("derived", "") not in ("", *derived):
        problems.add(0, f"{path}.derived", _("must be one of %(names)s"), names=listed(derived))
    _check_scale(criterion, path, problems)


def _check_scale(criterion: Mapping[str, Any], path: str, problems: Problems) -> None:
    ends = {"minimum": criterion.get("minimum", 1), "maximum": criterion.get("maximum", 5)}
    wrong = [
        name for name, end in ends.items() if type(end) is not int or not LOWEST_SCORE <= end <= HIGHEST_SCORE
    ]
    for name in wrong:
        problems.add(
            0,
            f"{path}.{name}",
            _("must be a whole number from %(lowest)d to %(highest)d"),
            lowest=LOWEST_SCORE,
            highest=HIGHEST_SCORE,
        )
    if not wrong and ends["minimum"] >= ends["maximum"]:
        problems.add(0, f"{path}.minimum", _("must be below the maximum"))


def _check_names(found: Mapping[str, Any], wanted: type, path: str, problems: Problems) -> None:
    known = [field.name for field in fields(wanted)]
    for name in found:
        if name not in known:
            problems.add(0, f"{path}{shown(name)}", _("is none of %(names)s"), names=listed(known))


def _check_texts(found: Mapping[str, Any], name: str, longest: int, path: str, problems: Problems) -> None:
    texts = found.get(name, {})
    if not isinstance(texts, dict):
        problems.add(0, path, _('must be a text by language, such as {"en": "Wit"}'))
        return
    for code, text in texts.items():
        if code in language_codes():
            _check_text(text, longest, f"{path}.{code}", problems)
        else:
            problems.add(0, path, unknown_language(shown(code)))


def _check_text(value: object, longest: int, path: str, problems: Problems) -> None:
    if not isinstance(value, str):
        problems.add(0, path, _("must be a text"))
    elif len(value) > longest:
        problems.add(
            0,
            path,
            _("is %(length)s characters long; at most %(most)s are allowed"),
            length=f"{len(value):,}",
            most=f"{longest:,}",
        )
    elif CONTROL.search(value):
        problems.add(0, path, _("holds a control character"))
