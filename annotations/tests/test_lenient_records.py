"""The published file of answers to questions is read as it is: lists, empty texts and numbers in any spelling."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from annotations.imports.published_records import read_records
from annotations.models import Enrolment, Page, Rating, Study
from annotations.results.report import study_report
from annotations.results.report_formats import export
from annotations.tests.records import Files
from generation.files.problems import FileRefused
from generation.models import Candidate

# Where the first page shows the prompting baseline, for page 1 begins with the second tag.
PAGE, PLACE = 1, 0


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def published(db: None, files: Files) -> Study:
    """A study with a description of two texts, a candidate without a text, and ratings as texts and decimals."""
    for place in range(4):
        files.group(PAGE, place)["desc"] = ["第一段", "第二段"]
    files.group(PAGE, PLACE)["content"] = []
    files.group(2, 0)["content"] = ""
    files.group(3, 0)["content"] = None
    files.group(4, 0)["content"] = "一整段"
    files.page(0, PAGE)["groups"][PLACE]["answers"] = ["3", 3.0, "2.0", " 9 "]
    files.page(0, PAGE)["answers"] = ["2"]
    files.page(0, 2)["answers"] = [3.0]
    call_command("import_records", *map(str, files.write()), "--slug", "qa")
    return Study.objects.get(slug="qa")


def test_description_of_several_texts_is_joined(published: Study) -> None:
    page = Page.objects.get(subtask__study=published, subtask__number=1, number=PAGE + 1)
    assert page.prompt.description == "第一段\n第二段"


def test_empty_texts_are_kept_with_their_ratings(published: Study) -> None:
    empty = Candidate.objects.filter(text="")
    assert empty.count() == 3
    assert Rating.objects.filter(candidate__in=empty).count() == 2 * 3 * 4
    assert Candidate.objects.filter(text="一整段").count() == 1


def test_numbers_are_read_in_any_spelling(published: Study) -> None:
    ann = Enrolment.objects.get(study=published, pseudonym="ann")
    empty = ann.placements.get(page__subtask__number=1, page__number=PAGE + 1, position=PLACE)
    scores = ann.ratings.filter(candidate=empty.candidate).order_by("criterion__number")
    assert list(scores.values_list("score", flat=True)) == [3, 3, 2, 9]
    picked = ann.best_choices.get(page=empty.page)
    assert ann.placements.get(candidate=picked.candidate_id).position == 2
    second = ann.best_choices.get(page__subtask__number=1, page__number=3)
    assert ann.placements.get(candidate=second.candidate_id).position == 3


def test_pages_say_no_text(published: Study, client: Client, carol: User) -> None:
    carol.is_superuser = True
    carol.save()
    client.force_login(carol)
    address = f"/studies/qa/results/prompts/1/{PAGE + 1}/"
    assert client.get(address).content.decode().count('<p class="no-text">no text</p>') == 1
    client.cookies["django_language"] = "zh-hans"
    assert '<p class="no-text">（没有文本）</p>' in client.get(address).content.decode()
    assert json.loads(export(study_report(published), "json"))["participants"]["valid"] >= 1


def places_of(files: Files) -> dict[str, Callable[[Any], object]]:
    """Return what puts a value somewhere in the two files, by the name of the place."""
    app, answers = files.candidates["app_data"], files.page(1, 95)
    return {
        "app_data": lambda value: files.candidates.update(app_data=value),
        "user_counts": lambda value: files.candidates.update(user_counts=value),
        "app_name": lambda value: app.update(app_name=value),
        "questions": lambda value: app.update(questions=value),
        "question": lambda value: app["questions"].__setitem__(0, value),
        "scale": lambda value: app["questions"][0].update(answer_type=value),
        "tasks": lambda value: app.update(tasks=value),
        "task": lambda value: app["tasks"].__setitem__(3, value),
        "group": lambda value: app["tasks"][3]["pages"][2]["groups"].__setitem__(1, value),
        **{
            name: lambda value, name=name: files.group(32, 1).update({name: value})  # type: ignore[misc]
            for name in ("title", "desc", "content", "tags")
        },
        "first tag": lambda value: files.group(32, 1).update(tags=[value]),
        "evaluator": lambda value: files.evaluators.__setitem__(1, value),
        "username": lambda value: files.evaluators[1].update(username=value),
        "answered tasks": lambda value: files.evaluators[1].update(tasks=value),
        "pick": lambda value: answers.update(answers=[value]),
        "picks": lambda value: answers.update(answers=value),
        "ratings": lambda value: answers["groups"][0].update(answers=value),
        "rating": lambda value: answers["groups"][0].update(answers=[1, 2, value, 4]),
    }


ODD: list[Any] = [
    None,
    "",
    "x",
    "3",
    3,
    3.0,
    1e400,
    -1,
    True,
    [],
    ["x"],
    [["x"]],
    {},
    {"x": []},
    "\x00",
    10**400,
]


def test_no_value_anywhere_is_more_than_a_refusal(tmp_path: Path) -> None:
    for place in places_of(Files(tmp_path)):
        refused = 0
        for value in ODD:
            files = Files(tmp_path)
            places_of(files)[place](value)
            try:
                read_records(*files.write())
            except FileRefused as problem:
                refused += 1
                assert len(problem.lines) >= 1
                assert all(
                    line.startswith(("qa-records.jsonl", "user-records.jsonl")) for line in problem.lines
                )
        assert refused, f"every value was taken as {place}"
