"""Exports of annotation tools as rows of one rating each: each tool is known by its own marks (pure).

- Potato's `user_state.json`, labels as objects or as a list of pairs, and its `annotated_instances.jsonl`
- Label Studio's JSON: a task an item, with the annotations of all who did it
- Argilla's records: `question.responses` beside `question.responses.users`, or objects under `responses`
- Appraise's CSV, which has no header
- Qualtrics' CSV, which has three; Google Forms and it have a column a question
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from generation.files.problems import Place, Problems, one_line, refuse_whole
from generation.files.tables import read_table

Rows = Iterator[tuple[Place, dict[str, Any]]]
FIRST_ROWS = 200
LARGEST_STATE = 200_000_000
APPRAISE = ("evaluator", "method", "item", "type", "source_language", "target_language", "score")
APPRAISE_TYPES = frozenset({"TGT", "REF", "BAD", "CHK", "SRC", "TUT"})


@dataclass
class RatingFile:
    """A file of ratings, opened: the tool that wrote it, its columns, and its rows whenever they are asked for."""

    name: str
    tool: str
    columns: tuple[str, ...]
    problems: Problems
    rows: Callable[[], Rows]
    # Of a workbook, and which of them is read.
    sheets: tuple[str, ...] = ()
    sheet: str = ""

    def first_rows(self) -> list[dict[str, Any]]:
        """Return the first rows, without a word of what is wrong with others."""
        before = len(self.problems.found)
        rows = [fields for _place, fields in islice(self.rows(), FIRST_ROWS)]
        del self.problems.found[before:]
        return rows


def open_ratings(path: Path, name: str = "", *, sheet: str = "", encoding: str = "") -> RatingFile:
    """Open a file of ratings as rows; `name` is what its owner calls it. Raises `FileRefused`."""
    name = name or path.name
    if (state := _whole_object(path)) is not None and "instance_id_to_label_to_value" in state:
        return _with_columns(name, "Potato", Problems(name), lambda: potato_state(state))
    if _is_appraise(path):
        return _with_columns(name, "Appraise", Problems(name), lambda: appraise(path))
    table = read_table(path, name, sheet=sheet, encoding=encoding)
    columns = set(table.columns)

    def rows() -> Rows:
        return iter(table)

    first = [row.fields for row in table.first_rows(3)]
    flatten: Callable[[Rows], Rows] | None = None
    tool = ""
    if "annotations" in columns and {"data", "result"} & columns:
        tool, flatten = "Label Studio", label_studio
    elif "label_annotations" in columns:
        tool, flatten = "Potato", lambda found: potato_instances(found, path.parent.name)
    elif is_argilla(table.columns, first):
        tool, flatten = "Argilla", argilla
    elif "ResponseId" in columns and any(_is_import_id(row) for row in first):
        tool, flatten = "Qualtrics", qualtrics
    if flatten is not None:
        flat = flatten
        return _with_columns(name, tool, table.problems, lambda: flat(rows()))
    if "WorkerId" in columns and any(column.startswith("Answer.") for column in columns):
        tool = "Mechanical Turk"
    elif table.columns and table.columns[0] in ("Timestamp", "时间戳记", "时间戳"):
        tool = "Google Forms"
    return RatingFile(name, tool, table.columns, table.problems, rows, table.sheets, table.sheet)


def _with_columns(name: str, tool: str, problems: Problems, rows: Callable[[], Rows]) -> RatingFile:
    def read() -> Rows:
        try:
            yield from rows()
        # Another shape than the tool's shows wherever it is first met.
        except (AttributeError, TypeError, ValueError, csv.Error) as error:
            raise refuse_whole(
                name,
                _("is no export of %(tool)s that can be read: %(reason)s"),
                tool=tool,
                reason=one_line(error),
            ) from error

    columns = dict.fromkeys(column for _place, fields in islice(read(), FIRST_ROWS) for column in fields)
    return RatingFile(name, tool, tuple(columns), problems, read)


def _whole_object(path: Path) -> dict[str, Any] | None:
    """Return the one object that a file of JSON is."""
    with path.open("rb") as file:
        start = file.read(64)
    if not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") or path.stat().st_size > LARGEST_STATE:
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


# Potato


def potato_state(state: Mapping[str, Any]) -> Rows:
    """Yield the labels of one annotator: `{text: {schema: {name: value}}}` or `{text: [[{schema, name}, value]]}`."""
    evaluator = str(state.get("user_id") or "")
    order = [str(one) for one in state.get("instance_id_ordering") or ()]
    labels = state["instance_id_to_label_to_value"]
    found = sorted(labels.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order))
    for number, (text, of_text) in enumerate(found, start=1):
        for schema, name, value in _potato_labels(of_text):
            yield (
                Place(number, "item"),
                {
                    "evaluator": evaluator,
                    "text_id": text,
                    **_potato_rating(schema, name, value),
                },
            )


def potato_instances(rows: Rows, folder: str) -> Rows:
    """Yield the labels of `annotated_instances.jsonl`, whose folder is named after the annotator."""
    for place, fields in rows:
        for schema, name, value in _potato_labels(fields.get("label_annotations") or {}):
            yield (
                place,
                {
                    "evaluator": str(fields.get("user_id") or fields.get("username") or folder),
                    "text_id": str(fields.get("id") or fields.get("instance_id") or ""),
                    **_potato_rating(schema, name, value),
                },
            )


def _potato_labels(of_text: Any) -> Iterator[tuple[str, str, Any]]:
    if isinstance(of_text, Mapping):
        for schema, labels in of_text.items():
            for name, value in labels.items() if isinstance(labels, Mapping) else [("", labels)]:
                yield str(schema), str(name), value
        return
    for label, value in of_text or ():
        if isinstance(label, Mapping):
            yield str(label.get("schema", "")), str(label.get("name", "")), value


def _potato_rating(schema: str, name: str, value: Any) -> dict[str, Any]:
    """Return criterion and score: a Likert point is named `scale_4` or 4, a choice by its word."""
    if value in (True, "true", "True", "on", name) or isinstance(value, bool):
        number = re.search(r"(-?\d+)$", name)
        return {"criterion": schema, "score": number[1] if number else name}
    is_number = re.fullmatch(r"-?\d+(\.\d+)?", str(value)) is not None
    # Of several rated rows of one schema each is a criterion.
    if is_number and name and not re.search(r"\d+$|^slider$|^scale$|^number$|^text_?box$", name):
        return {"criterion": f"{schema} {name}", "score": value}
    return {"criterion": schema, "score": value}


# Label Studio


def label_studio(rows: Rows) -> Rows:
    """Yield what annotators chose, with what the task shows beside it."""
    for place, task in rows:
        shown = {
            str(key): value
            for key, value in (task.get("data") or {}).items()
            if not isinstance(value, dict | list)
        }
        for annotation in task.get("annotations") or ():
            if annotation.get("was_cancelled"):
                continue
            by = annotation.get("completed_by")
            evaluator = (by.get("email") or by.get("id")) if isinstance(by, Mapping) else by
            for result in annotation.get("result") or ():
                value = result.get("value") or {}
                score = _label_studio_score(value)
                if score is None:
                    continue
                row = {**shown, "evaluator": "" if evaluator is None else str(evaluator)}
                if "text_id" not in row and "id" not in row:
                    row["text_id"] = str(task.get("id", ""))
                if annotation.get("created_at"):
                    row["answered_at"] = annotation["created_at"]
                if result.get("type") == "pairwise":
                    yield place, {**row, "winner": score}
                else:
                    yield place, {**row, "criterion": str(result.get("from_name", "")), "score": score}


def _label_studio_score(value: Mapping[str, Any]) -> Any:
    for name in ("rating", "number"):
        if name in value:
            return value[name]
    for name in ("choices", "labels", "taxonomy"):
        if isinstance(value.get(name), list) and value[name]:
            return value[name][0]
    return value.get("selected")


# Argilla


def is_argilla(columns: Iterable[str], first: list[dict[str, Any]]) -> bool:
    """Say whether records of Argilla 2, flat or nested, or of Argilla 1 stand in a table."""
    if any(column.endswith(".responses") for column in columns):
        return True
    return any(
        (isinstance(row.get("responses"), Mapping) and "fields" in row)
        or any(_argilla_answers(value) for value in row.values())
        for row in first
    )


def argilla(rows: Rows) -> Rows:
    """Yield the submitted responses to every question, with the fields and metadata of the record."""
    for place, record in rows:
        beside = chain(
            record.items(), (record.get("fields") or {}).items(), _metadata(record.get("metadata")).items()
        )
        shown = {
            name: value
            for name, value in beside
            if not isinstance(value, dict | list) and ".responses" not in name and ".suggestion" not in name
        }
        for question, answers in _argilla_questions(record):
            for user, value, status in answers:
                if status in (None, "submitted") and value is not None:
                    yield (
                        place,
                        {**shown, "evaluator": str(user or ""), "criterion": question, "score": value},
                    )


def _metadata(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def _argilla_questions(record: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[Any, Any, Any]]]]:
    for name, value in record.items():
        if name.endswith(".responses") and isinstance(value, list):
            users = record.get(f"{name}.users") or [None] * len(value)
            status = record.get(f"{name}.status") or [None] * len(value)
            yield name.removesuffix(".responses"), list(zip(users, value, status, strict=False))
        elif name == "responses" and isinstance(value, Mapping):
            for question, answers in value.items():
                yield question, _argilla_answers(answers)
        elif answers := _argilla_answers(value):
            yield name, answers


def _argilla_answers(value: Any) -> list[tuple[Any, Any, Any]]:
    """Return user, value and status of answers, as a list of objects or an object of lists."""
    if isinstance(value, Mapping) and isinstance(value.get("value"), list) and "user_id" in value:
        status = value.get("status") or [None] * len(value["value"])
        return list(zip(value["user_id"], value["value"], status, strict=False))
    if (
        isinstance(value, list)
        and value
        and all(isinstance(one, Mapping) and "value" in one for one in value)
    ):
        return [(one.get("user_id"), one["value"], one.get("status")) for one in value]
    return []


# Appraise


def _is_appraise(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = next(csv.reader([file.readline(10_000)]), [])
    except (UnicodeDecodeError, csv.Error):
        return False
    return (
        len(first) >= 9
        and first[3] in APPRAISE_TYPES
        and re.fullmatch(r"-?\d+(\.\d+)?", first[6]) is not None
    )


def appraise(path: Path) -> Rows:
    """Yield the scores of real translations; those of checks (BAD, CHK, REF by another name) are no ratings."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        for cells in reader:
            if len(cells) < 9 or cells[3] != "TGT":
                continue
            row: dict[str, Any] = dict(zip(APPRAISE, cells, strict=False))
            has_document = len(cells) >= 11
            item = row.pop("item")
            yield (
                Place(reader.line_num),
                {
                    "evaluator": row["evaluator"],
                    "method": row["method"],
                    "prompt": f"{cells[7]}/{item}" if has_document else item,
                    "criterion": "score",
                    "score": row["score"],
                    "answered_at": cells[-1],
                },
            )


# Qualtrics


def _is_import_id(fields: Mapping[str, Any]) -> bool:
    return any(isinstance(value, str) and value.startswith('{"ImportId"') for value in fields.values())


def qualtrics(rows: Rows) -> Rows:
    """Yield the responses, a question under its words where these tell it apart, else under its code."""
    place_and_words = next(rows, None)
    if place_and_words is None:
        return
    words = place_and_words[1]
    named = {code: " ".join(str(word).split()) for code, word in words.items()}
    names = {
        code: code if code == "ResponseId" or list(named.values()).count(text) > 1 or not text else text
        for code, text in named.items()
    }
    for place, fields in rows:
        if not _is_import_id(fields):
            yield place, {names.get(code, code): value for code, value in fields.items()}
