"""Rubrics: the criteria of a study and the words of its questionnaire, ready-made or from a file.

A rubric is a JSON object. The ready-made ones, the files in `fixtures/rubrics/`, are examples of it:

- `genre`: the kind of text, `poem`, `qa`, `summary` or `text` (`generation.genres`)
- `title_en`, `title_zh`: what it is called where one is chosen; optional
- `instructions_en`, `instructions_zh`: what evaluators read first; optional
- `criteria`: in the order of the page, each an object with
    - `key`: a slug, once in the rubric
    - `label_en`, `label_zh`: at least one of them
    - `question_en`, `question_zh`, and the words at both ends of the scale `low_en`, `low_zh`, `high_en`, `high_zh`;
      optional
    - `minimum` (1 if left out) and `maximum` (5 if left out), whole numbers, the first below the second
    - `is_overall`: true for at most one criterion, by which the pick of the best is checked
    - `lower_is_better`: true where the lowest score is the best
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.db import models

from annotations.models import Criterion
from generation.files.problems import FileRefused, Problems, shown
from generation.genres import GENRES
from generation.texts.characters import CONTROL

RUBRICS = settings.BASE_DIR / "fixtures" / "rubrics"
READY_MADE = tuple(sorted(path.stem for path in RUBRICS.glob("*.json")))
SLUG = re.compile(r"[-a-zA-Z0-9_]+")
# What a page can show in a row.
LOWEST_SCORE, HIGHEST_SCORE = -100, 100
MOST_CRITERIA = 20
# The texts of a rubric and the most characters of each.
TEXTS = {"title_en": 100, "title_zh": 100, "instructions_en": 20_000, "instructions_zh": 20_000}


@dataclass(frozen=True)
class RubricCriterion:
    """One criterion, with the names of the fields of `Criterion`."""

    key: str
    label_en: str = ""
    label_zh: str = ""
    question_en: str = ""
    question_zh: str = ""
    low_en: str = ""
    low_zh: str = ""
    high_en: str = ""
    high_zh: str = ""
    minimum: float = 1
    maximum: float = 5
    is_overall: bool = False
    lower_is_better: bool = False


@dataclass(frozen=True)
class Rubric:
    """The criteria of a study, for texts of one genre."""

    genre: str
    criteria: tuple[RubricCriterion, ...]
    title_en: str = ""
    title_zh: str = ""
    instructions_en: str = ""
    instructions_zh: str = ""


def load_rubric(name: str) -> Rubric:
    """Return a ready-made rubric by its name or one from a file; raise `FileRefused` with everything wrong in it."""
    path = RUBRICS / f"{name}.json" if name in READY_MADE else Path(name)
    try:
        content = path.read_bytes()
    except OSError as error:
        problems = Problems(path.name)
        ready_made = ", ".join(READY_MADE)
        problems.add(0, "", f"cannot be read: {error.strerror}; give {ready_made} or a file with a rubric")
        raise FileRefused(problems) from error
    return read_rubric(content, path.name)


def read_rubric(content: bytes, name: str) -> Rubric:
    """Return the rubric in the content of a file; raise `FileRefused` with everything wrong in it."""
    problems = Problems(name)
    try:
        rubric = json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        problems.add(error.lineno, f"column {error.colno}", f"is not JSON: {error.msg}")
    except UnicodeDecodeError as error:
        problems.add(0, "", f"byte 0x{error.object[error.start]:02x} at offset {error.start:,} is not UTF-8")
    except (ValueError, RecursionError) as error:
        problems.add(0, "", f"is not JSON: {error}")
    else:
        return checked_rubric(rubric, problems)
    raise FileRefused(problems)


def checked_rubric(rubric: Any, problems: Problems) -> Rubric:
    """Return the rubric that plain data describe; raise `FileRefused` with everything wrong in them."""
    _check_rubric(rubric, problems)
    if problems:
        raise FileRefused(problems)
    criteria = tuple(RubricCriterion(**criterion) for criterion in rubric["criteria"])
    return Rubric(**{**rubric, "criteria": criteria})


def _check_rubric(rubric: object, problems: Problems) -> None:
    if not isinstance(rubric, dict):
        problems.add(0, "", "must be a JSON object with genre and criteria")
        return
    _check_names(rubric, Rubric, "", problems)
    if rubric.get("genre") not in GENRES:
        problems.add(0, "genre", f"must be one of {', '.join(GENRES)}")
    for name, longest in TEXTS.items():
        _check_text(rubric, name, longest, name, problems)
    criteria = rubric.get("criteria")
    if not isinstance(criteria, list) or not 1 <= len(criteria) <= MOST_CRITERIA:
        problems.add(0, "criteria", f"must be a list of 1 to {MOST_CRITERIA} criteria")
        return
    objects = [criterion if isinstance(criterion, dict) else {} for criterion in criteria]
    for number, criterion in enumerate(criteria):
        _check_criterion(criterion, f"criteria[{number}]", problems)
        if (key := objects[number].get("key")) in [
            earlier.get("key") for earlier in objects[:number]
        ] and key:
            problems.add(0, f"criteria[{number}].key", f"{shown(str(key))} stands twice")
    overall = sum(criterion.get("is_overall") is True for criterion in objects)
    if overall > 1:
        problems.add(0, "criteria", f"at most one criterion can have is_overall set to true, not {overall}")


def _check_criterion(criterion: object, path: str, problems: Problems) -> None:
    if not isinstance(criterion, dict):
        problems.add(0, path, "must be a JSON object")
        return
    _check_names(criterion, RubricCriterion, f"{path}.", problems)
    for field in fields(RubricCriterion):
        if field.type == "str":
            column = cast("models.CharField[str, str]", Criterion._meta.get_field(field.name))
            _check_text(criterion, field.name, column.max_length or 0, f"{path}.{field.name}", problems)
    key = criterion.get("key")
    if not isinstance(key, str) or not SLUG.fullmatch(key):
        problems.add(0, f"{path}.key", "must be given, and hold only English letters, digits, - and _")
    if not (criterion.get("label_en") or criterion.get("label_zh")):
        problems.add(0, f"{path}.label_en", "must be given, or label_zh")
    for name in ("is_overall", "lower_is_better"):
        if not isinstance(criterion.get(name, False), bool):
            problems.add(0, f"{path}.{name}", "must be true or false")
    _check_scale(criterion, path, problems)


def _check_scale(criterion: Mapping[str, Any], path: str, problems: Problems) -> None:
    ends = {"minimum": criterion.get("minimum", 1), "maximum": criterion.get("maximum", 5)}
    wrong = [
        name for name, end in ends.items() if type(end) is not int or not LOWEST_SCORE <= end <= HIGHEST_SCORE
    ]
    for name in wrong:
        problems.add(0, f"{path}.{name}", f"must be a whole number from {LOWEST_SCORE} to {HIGHEST_SCORE}")
    if not wrong and ends["minimum"] >= ends["maximum"]:
        problems.add(0, f"{path}.minimum", "must be below the maximum")


def _check_names(found: Mapping[str, Any], wanted: type, path: str, problems: Problems) -> None:
    known = [field.name for field in fields(wanted)]
    for name in found:
        if name not in known:
            problems.add(0, f"{path}{shown(name)}", f"is none of {', '.join(known)}")


def _check_text(found: Mapping[str, Any], name: str, longest: int, path: str, problems: Problems) -> None:
    value = found.get(name, "")
    if not isinstance(value, str):
        problems.add(0, path, "must be a text")
    elif len(value) > longest:
        problems.add(0, path, f"is {len(value):,} characters long; at most {longest:,} are allowed")
    elif CONTROL.search(value):
        problems.add(0, path, "holds a control character")
