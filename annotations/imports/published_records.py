"""Reading the two files in which the authors of inverse prompting published what their evaluators answered.

Zou et al. (KDD 2021) published, for each of their two studies, a file of candidates (one JSON object) and, for both
together, a file of answers (JSON Lines, one evaluator a line):

- candidates: `app_data` has `app_name`, the `questions` in order (`number[1-5]` and the like, then `group_choice` for
  the pick of the best) and ten `tasks` of ten `pages` of four `groups`. A group is a candidate: `title` (the prompt),
  `desc` (its description, in the QA study, a text or a list of texts), `content` (the lines; an empty list, "" or null
  is an empty text, which evaluators rated like any other) and `tags` (the first one names the method).
- answers: `username`, `app_name`, and `tasks`, `pages` and `groups` in the same order. A group's `answers` are
  its ratings in the order of the questions; a page's first answer is the number of the group picked as best, from 0.
  What was not answered is null. The stars could be cleared again, which stored a 0. A number may stand as 3, 3.0 or
  "3".

The studies are told apart by the number of ratings a candidate got: five for poems, four for answers to questions.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from annotations.models.texts_by_language import TextsByLanguage
from annotations.setup.rubrics import CRITERION_TEXTS, RubricCriterion, load_rubric
from generation.files.problems import FileRefused, Problems, shown
from generation.texts.characters import CONTROL
from generation.texts.normalising import is_blank

SUBTASKS, PAGES, GROUPS = 10, 10, 4
GENRES: dict[int, str] = {5: "poem", 4: "qa"}
# The authors' name of each method and ours, in the order of the paper's tables.
METHODS: dict[str, dict[str, str]] = {
    "poem": {
        "jiuge": "jiuge",
        "noiq": "search_baseline",
        "nore": "inverse_prompting",
        "modern": "inverse_prompting_st",
    },
    "qa": {
        "cpm": "cpm",
        "noiq": "prompting_baseline",
        "modern": "inverse_prompting",
        "human": "human",
    },
}
# No user name in the records is nearly as long, and there must be room for the study's slug before it.
LONGEST_USERNAME = 60
LARGEST_RATING = 2**15 - 1
KINDS = {dict: "an object", list: "a list", str: "a text"}
WHOLE_NUMBER = re.compile(r"\s*([-+]?[0-9]{1,9})(?:\.0*)?\s*")
SCALE = re.compile(r"number\[([0-9]{1,4})-([0-9]{1,4})\]")

Kind = TypeVar("Kind", dict[str, Any], list[Any], str)


@dataclass(frozen=True)
class RecordedPage:
    """A prompt with its texts by method, in the order in which every evaluator saw them."""

    prompt: str
    description: str
    texts: dict[str, str]


@dataclass(frozen=True)
class RecordedEvaluator:
    """What one evaluator answered; None where they did not."""

    username: str
    # By page, candidate (as displayed) and criterion.
    ratings: list[list[list[int | None]]]
    # By page: the number of the candidate (as displayed).
    picks: list[int | None]


@dataclass(frozen=True)
class Records:
    """A study as it was published."""

    app_name: str
    genre: str
    criteria: tuple[RubricCriterion, ...]
    pages: list[RecordedPage]
    evaluators: list[RecordedEvaluator]
    # Evaluators in the file of answers by the app they rated, where that is another one.
    of_other_apps: dict[str, list[str]]
    # Evaluators whom only the file of candidates counts.
    without_answers: list[str]
    source: dict[str, str]


class _Damaged(Exception):
    """What was being taken apart is not of the shape it should have; the problem has been noted."""


class _Shape:
    """Takes one JSON value apart and notes the first thing that is not as it should be."""

    def __init__(self, problems: Problems, line: int) -> None:
        self.problems = problems
        self.line = line

    def refuse(self, path: str, message: str) -> NoReturn:
        self.problems.add(self.line, path, message)
        raise _Damaged

    def child(self, parent: object, name: str, kind: type[Kind], path: str) -> Kind:
        """Return a value of the given kind from an object."""
        where = f"{path}.{name}" if path else name
        if not isinstance(parent, dict):
            self.refuse(path, f"must be {KINDS[dict]}")
        value = parent.get(name)
        if not isinstance(value, kind):
            self.refuse(where, f"must be {KINDS[kind]}" if name in parent else "is missing")
        return value

    def text(self, parent: object, name: str, path: str) -> str:
        value = self.child(parent, name, str, path)
        if CONTROL.search(value):
            self.refuse(f"{path}.{name}" if path else name, "holds a control character")
        return value

    def lines(self, parent: object, name: str, path: str) -> str:
        """Return a text that is one, a list of lines, or nothing: null, missing or empty."""
        where = f"{path}.{name}"
        value = parent.get(name) if isinstance(parent, dict) else None
        lines = [] if value is None else [value] if isinstance(value, str) else value
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            self.refuse(where, "must be a text or a list of texts")
        text = "\n".join(lines)
        if CONTROL.search(text):
            self.refuse(where, "holds a control character")
        return text

    def whole_number(self, value: object, path: str) -> int | None:
        """Return a whole number however it was written, such as 3, 3.0 or "3"; None for null."""
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        number = WHOLE_NUMBER.fullmatch(value) if isinstance(value, str) else None
        if number is None:
            self.refuse(path, f"{shown(json.dumps(value))} is no whole number")
        return int(number[1])

    def items(self, parent: object, name: str, count: int, path: str) -> list[Any]:
        """Return a list of just so many values from an object."""
        values = self.child(parent, name, list, path)
        if len(values) != count:
            self.refuse(f"{path}.{name}" if path else name, f"must hold {count}, not {len(values)}")
        return values


def read_records(candidates: Path, answers: Path) -> Records:
    """Read both files and check their shape; raise `FileRefused` with everything that is damaged."""
    in_candidates, in_answers = Problems(candidates.name), Problems(answers.name)
    try:
        raw_candidates, raw_answers = _read(candidates, in_candidates), _read(answers, in_answers)
        shape = _Shape(in_candidates, 0)
        study = _parsed_candidates(raw_candidates, in_candidates)
        app = shape.child(study, "app_data", dict, "")
        app_name = shape.text(app, "app_name", "app_data")
        genre, criteria = _criteria(shape, app)
        pages = _pages(shape, app, genre)
        counted = shape.child(study, "user_counts", dict, "") if "user_counts" in study else {}
    except _Damaged as error:
        raise FileRefused(in_candidates, in_answers) from error
    evaluators, of_other_apps = _evaluators(raw_answers, in_answers, app_name, len(criteria))
    if not evaluators and not in_answers:
        in_answers.add(0, "app_name", f"no evaluator rated {shown(app_name)}, the app of {candidates.name}")
    if in_candidates or in_answers:
        raise FileRefused(in_candidates, in_answers)
    return Records(
        app_name=app_name,
        genre=genre,
        criteria=criteria,
        pages=pages,
        evaluators=evaluators,
        of_other_apps=of_other_apps,
        without_answers=sorted(set(counted) - {one.username for one in evaluators}),
        source={
            "import": candidates.name,
            "sha256": hashlib.sha256(raw_candidates).hexdigest(),
            "answers": answers.name,
            "answers_sha256": hashlib.sha256(raw_answers).hexdigest(),
            "app": app_name,
        },
    )


def _read(path: Path, problems: Problems) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        problems.add(0, "", f"cannot be read: {error.strerror}")
        raise _Damaged from error


def _parsed_line(line: bytes, number: int, problems: Problems) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        problems.add(number + error.lineno - 1, f"column {error.colno}", f"is not JSON: {error.msg}")
    except UnicodeDecodeError as error:
        problems.add(number, "", f"byte 0x{line[error.start]:02x} at offset {error.start:,} is not UTF-8")
    except (ValueError, RecursionError) as error:
        problems.add(number, "", f"is not JSON: {error}")
    raise _Damaged


def _parsed_candidates(raw: bytes, problems: Problems) -> dict[str, Any]:
    parsed = _parsed_line(raw, 1, problems)
    if not isinstance(parsed, dict):
        problems.add(1, "", "must be one JSON object")
        raise _Damaged
    return parsed


def _criteria(shape: _Shape, app: dict[str, Any]) -> tuple[str, tuple[RubricCriterion, ...]]:
    """Return the study's genre and its criteria: keys and labels are ours, questions and scales the authors'."""
    rated = []
    for number, question in enumerate(shape.child(app, "questions", list, "app_data")):
        path = f"app_data.questions[{number}]"
        answer_type = shape.text(question, "answer_type", path)
        if answer_type == "group_choice":
            continue
        scale = SCALE.fullmatch(answer_type)
        if scale is None or not 1 <= int(scale[1]) < int(scale[2]):
            shape.refuse(f"{path}.answer_type", f"{shown(answer_type)} is no scale such as number[1-5]")
        rated.append((shape.text(question, "title", path), int(scale[1]), int(scale[2])))
    if len(rated) not in GENRES:
        shape.refuse("app_data.questions", f"must ask for 4 or 5 ratings of a candidate, not {len(rated)}")
    genre = GENRES[len(rated)]
    ready_made = load_rubric(genre).criteria
    criteria = (as_asked(criterion, *asked) for criterion, asked in zip(ready_made, rated, strict=True))
    return genre, tuple(criteria)


def as_asked(criterion: RubricCriterion, title: str, minimum: int, maximum: int) -> RubricCriterion:
    """Return the criterion with the words of a question such as 请评价作品的意境（1-如白开水般寡淡 5-意境深远）.

    Where the ends of the scale are not told in this form, the whole title is the question.
    """
    ends = rf"(.*?)[（(]\s*{minimum}\s*[-－—:：]\s*(.*?)\s+{maximum}\s*[-－—:：]\s*(.*?)\s*[)）]\s*"
    parts = re.fullmatch(ends, title.strip(), re.DOTALL)
    question, low, high = parts.groups() if parts else (title.strip(), "", "")
    return replace(
        criterion,
        minimum=minimum,
        maximum=maximum,
        # What was asked in Chinese stays as it was asked; there was no English.
        question=TextsByLanguage({"zh-hans": question[: CRITERION_TEXTS["question"]]}),
        low=TextsByLanguage({"zh-hans": low[: CRITERION_TEXTS["low"]]}),
        high=TextsByLanguage({"zh-hans": high[: CRITERION_TEXTS["high"]]}),
    )


def _pages(shape: _Shape, app: dict[str, Any], genre: str) -> list[RecordedPage]:
    pages: list[RecordedPage] = []
    first: dict[tuple[str, str], str] = {}
    for number, task in enumerate(shape.items(app, "tasks", SUBTASKS, "app_data")):
        try:
            raw_pages = shape.items(task, "pages", PAGES, f"app_data.tasks[{number}]")
        except _Damaged:
            continue
        for place, page in enumerate(raw_pages):
            path = f"app_data.tasks[{number}].pages[{place}]"
            try:
                pages.append(_page(shape, page, genre, path))
                key = pages[-1].prompt, pages[-1].description
                if key in first:
                    shape.refuse(path, f"has the prompt of {first[key]}")
                first[key] = path
            except _Damaged:
                continue
    return pages


def _page(shape: _Shape, page: object, genre: str, path: str) -> RecordedPage:
    prompts = []
    texts: dict[str, str] = {}
    for number, group in enumerate(shape.items(page, "groups", GROUPS, path)):
        where = f"{path}.groups[{number}]"
        title = shape.text(group, "title", where)
        # Only the QA study has descriptions, and not for every question.
        prompts.append((title, shape.lines(group, "desc", where)))
        if prompts[-1] != prompts[0]:
            shape.refuse(f"{where}.title", "the groups of a page must have one prompt")
        method = _method(shape, group, genre, where)
        if method in texts:
            shape.refuse(f"{where}.tags", f"there are two texts by {method} on the page")
        texts[method] = shape.lines(group, "content", where)
    prompt, description = prompts[0]
    if is_blank(prompt):
        shape.refuse(f"{path}.groups[0].title", "is empty")
    return RecordedPage(prompt, description, texts)


def _method(shape: _Shape, group: object, genre: str, path: str) -> str:
    tags = shape.child(group, "tags", list, path)
    if not tags or not isinstance(tags[0], str) or tags[0] not in METHODS[genre]:
        shape.refuse(f"{path}.tags", f"must begin with one of {', '.join(METHODS[genre])}")
    return METHODS[genre][tags[0]]


def _evaluators(
    raw: bytes, problems: Problems, app_name: str, criteria: int
) -> tuple[list[RecordedEvaluator], dict[str, list[str]]]:
    """Return the evaluators of the app, and the names of the others by their apps."""
    evaluators: dict[str, RecordedEvaluator] = {}
    others: dict[str, list[str]] = {}
    for line, text in enumerate(raw.split(b"\n"), start=1):
        if not text.strip():
            continue
        shape = _Shape(problems, line)
        try:
            record = _parsed_line(text, line, problems)
            username = _username(shape, record)
            rated_app = shape.text(record, "app_name", "")
            if rated_app != app_name:
                others.setdefault(rated_app, []).append(username)
                continue
            if username in evaluators:
                shape.refuse("username", f"{shown(username)} stands twice")
            evaluators[username] = _evaluator(shape, record, username, criteria)
        except _Damaged:
            continue
    return list(evaluators.values()), others


def _username(shape: _Shape, record: object) -> str:
    username = shape.text(record, "username", "")
    if not 1 <= len(username) <= LONGEST_USERNAME:
        shape.refuse("username", f"must have 1 to {LONGEST_USERNAME} characters, not {len(username)}")
    return username


def _evaluator(shape: _Shape, record: object, username: str, criteria: int) -> RecordedEvaluator:
    ratings: list[list[list[int | None]]] = []
    picks: list[int | None] = []
    for number, task in enumerate(shape.items(record, "tasks", SUBTASKS, "")):
        for place, page in enumerate(shape.items(task, "pages", PAGES, f"tasks[{number}]")):
            path = f"tasks[{number}].pages[{place}]"
            picks.append(_pick(shape, page, path))
            groups = shape.items(page, "groups", GROUPS, path)
            ratings.append(
                [_ratings(shape, group, criteria, f"{path}.groups[{i}]") for i, group in enumerate(groups)]
            )
    return RecordedEvaluator(username, ratings, picks)


def _pick(shape: _Shape, page: object, path: str) -> int | None:
    [answered] = shape.items(page, "answers", 1, path)
    pick = shape.whole_number(answered, f"{path}.answers[0]")
    if pick is not None and not 0 <= pick < GROUPS:
        shape.refuse(f"{path}.answers[0]", f"{shown(json.dumps(pick))} is no number from 0 to {GROUPS - 1}")
    return pick


def _ratings(shape: _Shape, group: object, criteria: int, path: str) -> list[int | None]:
    answered = shape.items(group, "answers", criteria, path)
    ratings = []
    for number, given in enumerate(answered):
        rating = shape.whole_number(given, f"{path}.answers[{number}]")
        if rating is not None and abs(rating) > LARGEST_RATING:
            shape.refuse(f"{path}.answers[{number}]", f"{shown(json.dumps(rating))} is too large a rating")
        ratings.append(rating)
    return ratings
