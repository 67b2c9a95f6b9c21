from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from annotations.imports.published_records import read_records
from annotations.models import Study
from annotations.tests.records import QA_APP, QA_TAGS, Files
from generation.files.problems import FileRefused
from generation.models import Prompt


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def run(candidates: Path, answers: Path) -> None:
    call_command("import_records", str(candidates), str(answers), "--slug", "qa")


Damage = Callable[[Files], object]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda f: f.candidates["app_data"]["tasks"].pop(), "qa-records.jsonl, app_data.tasks: must hold 10, not 9"),
        (lambda f: f.candidates["app_data"]["tasks"][3]["pages"].pop(),
         "qa-records.jsonl, app_data.tasks[3].pages: must hold 10, not 9"),
        (lambda f: f.candidates["app_data"]["tasks"][3]["pages"][2]["groups"].pop(),
         "qa-records.jsonl, app_data.tasks[3].pages[2].groups: must hold 4, not 3"),
        (lambda f: f.candidates.pop("app_data"), "qa-records.jsonl, app_data: is missing"),
        (lambda f: f.candidates["app_data"]["questions"].pop(1),
         "qa-records.jsonl, app_data.questions: must ask for 4 or 5 ratings of a candidate, not 3"),
        (lambda f: f.candidates["app_data"]["questions"][1].update(answer_type="number[5-1]"),
         "qa-records.jsonl, app_data.questions[1].answer_type: 'number[5-1]' is no scale such as number[1-5]"),
        (lambda f: f.candidates["app_data"]["questions"][1].update(answer_type="number[0-5]"),
         "qa-records.jsonl, app_data.questions[1].answer_type: 'number[0-5]' is no scale such as number[1-5]"),
        (lambda f: f.group(32, 1).update(tags=["nore"]),
         f"qa-records.jsonl, app_data.tasks[3].pages[2].groups[1].tags: must begin with one of {', '.join(QA_TAGS)}"),
        (lambda f: f.group(32, 1).update(tags=[]),
         f"qa-records.jsonl, app_data.tasks[3].pages[2].groups[1].tags: must begin with one of {', '.join(QA_TAGS)}"),
        (lambda f: f.group(32, 1).update(tags=["cpm"]),
         "qa-records.jsonl, app_data.tasks[3].pages[2].groups[1].tags: there are two texts by cpm on the page"),
        (lambda f: f.group(32, 1).update(title="别的？"),
         "qa-records.jsonl, app_data.tasks[3].pages[2].groups[1].title: the groups of a page must have one prompt"),
        (lambda f: f.group(32, 1).update(content=7),
         "qa-records.jsonl, app_data.tasks[3].pages[2].groups[1].content: must be a text or a list of texts"),
        (lambda f: f.group(32, 1).update(content=["x", None]),
         "qa-records.jsonl, app_data.tasks[3].pages[2].groups[1].content: must be a text or a list of texts"),
        (lambda f: f.group(32, 1).update(desc={"x": 1}),
         "qa-records.jsonl, app_data.tasks[3].pages[2].groups[1].desc: must be a text or a list of texts"),
        (lambda f: f.group(32, 1).update(tags=[["x"]]),
         f"qa-records.jsonl, app_data.tasks[3].pages[2].groups[1].tags: must begin with one of {', '.join(QA_TAGS)}"),
        (lambda f: [f.group(32, place).update(title="问题30？", desc="") for place in range(4)],
         "qa-records.jsonl, app_data.tasks[3].pages[2]: has the prompt of app_data.tasks[3].pages[0]"),
        (lambda f: f.evaluators[1]["tasks"].pop(), "user-records.jsonl, line 2, tasks: must hold 10, not 9"),
        (lambda f: f.evaluators[1]["tasks"][9]["pages"].append({}),
         "user-records.jsonl, line 2, tasks[9].pages: must hold 10, not 11"),
        (lambda f: f.page(1, 95)["groups"].pop(),
         "user-records.jsonl, line 2, tasks[9].pages[5].groups: must hold 4, not 3"),
        (lambda f: f.page(1, 95)["groups"][3].update(answers=[1, 2, 3, 4, 5]),
         "user-records.jsonl, line 2, tasks[9].pages[5].groups[3].answers: must hold 4, not 5"),
        (lambda f: f.page(1, 95)["groups"][3].update(answers=[1, 2, 3.5, 4]),
         "user-records.jsonl, line 2, tasks[9].pages[5].groups[3].answers[2]: '3.5' is no whole number"),
        (lambda f: f.page(1, 95)["groups"][3].update(answers=[1, 2, True, 4]),
         "user-records.jsonl, line 2, tasks[9].pages[5].groups[3].answers[2]: 'true' is no whole number"),
        (lambda f: f.page(1, 95)["groups"][3].update(answers=[1, 2, 40_000, 4]),
         "user-records.jsonl, line 2, tasks[9].pages[5].groups[3].answers[2]: '40000' is too large a rating"),
        (lambda f: f.page(1, 95).update(answers=[4]),
         "user-records.jsonl, line 2, tasks[9].pages[5].answers[0]: '4' is no number from 0 to 3"),
        (lambda f: f.page(1, 95).update(answers=[-1]),
         "user-records.jsonl, line 2, tasks[9].pages[5].answers[0]: '-1' is no number from 0 to 3"),
        (lambda f: f.page(1, 95).update(answers=[]),
         "user-records.jsonl, line 2, tasks[9].pages[5].answers: must hold 1, not 0"),
        (lambda f: f.page(1, 95).pop("groups"), "user-records.jsonl, line 2, tasks[9].pages[5].groups: is missing"),
        (lambda f: f.evaluators[1].update(username="ann"), "user-records.jsonl, line 2, username: 'ann' stands twice"),
        (lambda f: f.evaluators[1].update(username=""),
         "user-records.jsonl, line 2, username: must have 1 to 60 characters, not 0"),
        (lambda f: f.evaluators[1].pop("app_name"), "user-records.jsonl, line 2, app_name: is missing"),
        (lambda f: f.evaluators.clear(),
         f"user-records.jsonl, app_name: no evaluator rated '{QA_APP}', the app of qa-records.jsonl"),
    ],
)  # fmt: skip
def test_damage_is_named_with_its_place_and_nothing_is_written(
    db: None, files: Files, damage: Damage, problem: str
) -> None:
    damage(files)
    with pytest.raises(CommandError) as refused:
        run(*files.write())
    assert str(refused.value).splitlines() == ["Nothing was imported.", problem]
    assert not Study.objects.exists()
    assert not User.objects.exists()
    assert not Prompt.objects.exists()


def test_a_file_that_was_cut_off_is_refused_with_its_line(files: Files) -> None:
    candidates, answers = files.write()
    text = answers.read_bytes()
    answers.write_bytes(text[:-200])
    with pytest.raises(FileRefused, match=r"user-records\.jsonl, line 3, column [0-9]+: is not JSON"):
        read_records(candidates, answers)
    answers.write_bytes(text)
    candidates.write_bytes(candidates.read_bytes()[:5000])
    with pytest.raises(FileRefused, match=r"qa-records\.jsonl, line 1, column [0-9]+: is not JSON"):
        read_records(candidates, answers)


def test_damage_in_several_places_is_listed(files: Files) -> None:
    files.group(32, 1).update(content=7)
    files.group(47, 0).update(tags=["?"])
    files.page(0, 3)["answers"] = [9]
    files.page(2, 3)["answers"] = ["one"]
    with pytest.raises(FileRefused) as refused:
        read_records(*files.write())
    assert [line.split(": ")[0] for line in refused.value.lines] == [
        "qa-records.jsonl, app_data.tasks[3].pages[2].groups[1].content",
        "qa-records.jsonl, app_data.tasks[4].pages[7].groups[0].tags",
        "user-records.jsonl, line 1, tasks[0].pages[3].answers[0]",
        "user-records.jsonl, line 3, tasks[0].pages[3].answers[0]",
    ]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.jsonl: cannot be read"):
        run(tmp_path / "none.jsonl", tmp_path / "none.jsonl")


def test_nothing_is_left_of_an_import_that_fails_half_way(
    db: None, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotations.imports.studies._create_enrolments", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(*files.write())
    assert not Study.objects.exists()
    assert not Prompt.objects.exists()
