"""What a study declares of its quality control: by page, API and command alike, until it is fixed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.models import KnownAnswer, Page, QualityControl, StaffAct, Study
from annotations.plan.plan import lock_plan
from annotations.setup.lifecycle import launch
from annotations.setup.quality.declaration import (
    Declaration,
    DeclaredAnswer,
    DeclaredPage,
    declaration_document,
    declare,
)
from annotations.tests.cast import build_study, build_user
from generation.refusals import Refused

DECLARED: dict[str, Any] = {
    "repeats_per_subtask": 1,
    "known_answer_share": 0.6,
    "training_share": 0.75,
    "training_attempts": 2,
    "has_flags": True,
    "hasty_seconds": 8,
    "flag_share": 0.25,
    "pages": [
        {
            "prompt": "1/2",
            "role": "known",
            "explanation": {},
            "answers": [
                {"method": "method-0", "criterion": "overall", "lowest": 1, "highest": 3},
                {"method": "method-1"},
            ],
        },
        {
            "prompt": "1/9",
            "role": "training",
            "explanation": {"en": "The third one scans."},
            "answers": [{"method": "method-2", "criterion": "format"}],
        },
    ],
}


@pytest.fixture
def study(db: None) -> Study:
    study = build_study(prompts=9, methods=3)
    Study.objects.filter(pk=study.pk).update(state="draft", launched_at=None)
    study.refresh_from_db()
    return study


@pytest.fixture
def carol(db: None) -> User:
    return build_user("carol", is_staff=True)


def of_carol(carol: User) -> Client:
    client = Client()
    client.force_login(carol)
    return client


def test_what_the_api_takes_it_gives_back(study: Study, carol: User) -> None:
    client = of_carol(carol)
    address = "/api/v1/studies/poems/quality-control/"
    response = client.put(address, json.dumps(DECLARED), content_type="application/json")
    assert response.status_code == 200, response.content
    assert response.json() == client.get(address).json() == DECLARED
    assert StaffAct.objects.filter(act="study.quality_control", actor=carol).count() == 1
    assert [page.role for page in Page.objects.filter(subtask__study=study)].count("counted") == 7


def test_the_command_declares_what_a_file_says_and_prints_it(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "quality.json"
    file.write_text(json.dumps(DECLARED), encoding="utf-8")
    call_command("quality_control", "poems", str(file))
    assert json.loads(capsys.readouterr().out) == DECLARED
    call_command("quality_control", "poems")
    assert json.loads(capsys.readouterr().out) == DECLARED


@pytest.mark.parametrize("content", ["{", '{"unknown": 1}', '{"pages": [{"prompt": "1/1"}]}'])
def test_the_command_says_in_one_line_what_is_wrong_with_a_file(
    study: Study, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "quality.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError, match=r"^[^\n]*quality\.json: [^\n]+$"):
        call_command("quality_control", "poems", str(file))


def test_a_later_declaration_takes_the_place_of_the_one_before(study: Study) -> None:
    declare(study, Declaration({}, (DeclaredPage("1/1", "known", (DeclaredAnswer("method-0"),)),)), by=None)
    declare(study, Declaration({"repeats_per_subtask": 2}), by=None)
    assert not KnownAnswer.objects.exists()
    assert not Page.objects.exclude(role="counted").exists()
    assert QualityControl.objects.get().repeats_per_subtask == 2


WRONG = {
    "1/10: there is no such prompt.": DeclaredPage("1/10", "known", (DeclaredAnswer("method-0"),)),
    "1/1: say what is right there.": DeclaredPage("1/1", "known"),
    "1/1: the role is known or training.": DeclaredPage("1/1", "repeat", (DeclaredAnswer("method-0"),)),
    "1/1: there is no text by method-7.": DeclaredPage("1/1", "known", (DeclaredAnswer("method-7"),)),
    "1/1: taste is no criterion of the study.": DeclaredPage(
        "1/1", "known", (DeclaredAnswer("method-0", "taste", 1, 2),)
    ),
    "1/1: only one text is the best.": DeclaredPage(
        "1/1", "known", (DeclaredAnswer("method-0"), DeclaredAnswer("method-1"))
    ),
    "1/1: something is said twice of a text.": DeclaredPage(
        "1/1", "known", (DeclaredAnswer("method-0"), DeclaredAnswer("method-0"))
    ),
    "1/1: a range has a criterion, a lowest and a highest score.": DeclaredPage(
        "1/1", "known", (DeclaredAnswer("method-0", "format", 2),)
    ),
    "1/1: the range of format lies between 1 and 5, the lowest score first.": DeclaredPage(
        "1/1", "known", (DeclaredAnswer("method-0", "format", 2, 6),)
    ),
}


@pytest.mark.parametrize("reason", WRONG)
def test_what_cannot_be_is_refused_in_one_line_and_nothing_changes(study: Study, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        declare(study, Declaration({}, (WRONG[reason],)), by=None)
    assert refused.value.reasons == (reason,)
    assert not QualityControl.objects.exists()
    assert not Page.objects.exclude(role="counted").exists()


def test_a_page_that_is_named_twice_and_pages_that_leave_none_are_refused(study: Study) -> None:
    known = tuple(
        DeclaredPage(f"1/{number}", "known", (DeclaredAnswer("method-0"),)) for number in range(1, 10)
    )
    with pytest.raises(Refused, match="No page is left that counts"):
        declare(study, Declaration({}, known), by=None)
    with pytest.raises(Refused, match="1/1: it is named twice"):
        declare(study, Declaration({}, (known[0], known[0])), by=None)


@pytest.mark.parametrize(
    ("name", "value"), [("repeats_per_subtask", 11), ("training_attempts", 0), ("hasty_seconds", -1)]
)
def test_a_number_out_of_its_bounds_is_refused(study: Study, name: str, value: int) -> None:
    with pytest.raises(ValidationError) as refused:
        declare(study, Declaration({name: value}), by=None)
    assert set(refused.value.message_dict) == {name}
    assert not QualityControl.objects.exists()


def test_a_passing_mark_needs_something_to_be_right(study: Study) -> None:
    training = DeclaredPage("1/1", "training")
    with pytest.raises(Refused, match="passing mark needs a training page"):
        declare(study, Declaration({"training_share": 0.5}, (training,)), by=None)
    declare(study, Declaration({}, (training,)), by=None)


def test_the_launch_fixes_it(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(signed_off_at="2026-01-01T00:00Z")
    declare(study, Declaration({"repeats_per_subtask": 1}), by=None)
    launch(study, by=None, without_plan=True)
    with pytest.raises(Refused, match="has been launched"):
        declare(study, Declaration(), by=None)
    assert Page.objects.filter(role="repeat").count() == 1


def test_a_study_of_short_sub_tasks_is_not_launched_with_repeats(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(prompts_per_subtask=5, signed_off_at="2026-01-01T00:00Z")
    declare(study, Declaration({"repeats_per_subtask": 1}), by=None)
    with pytest.raises(Refused, match="more than 5 pages"):
        launch(study, by=None, without_plan=True)


def test_the_plan_holds_it_and_the_launch_is_no_deviation(study: Study) -> None:
    from annotations.plan.plan import deviations_in_design

    Study.objects.filter(pk=study.pk).update(signed_off_at="2026-01-01T00:00Z")
    known = (DeclaredPage("1/1", "known", (DeclaredAnswer("method-0"),)),)
    declare(study, Declaration({"repeats_per_subtask": 1}, known), by=None)
    plan = lock_plan(study, staff=None, primary_criterion=study.criteria.all()[0])
    assert plan.design["quality_control"]["repeats_per_subtask"] == 1
    with pytest.raises(Refused, match="plan is locked"):
        declare(study, Declaration(), by=None)
    launch(study, by=None)
    assert deviations_in_design(study, plan) == []
    QualityControl.objects.update(hasty_seconds=9)
    assert deviations_in_design(study, plan) == ["The quality control is not that of the plan."]


def test_it_is_declared_in_the_browser(study: Study, carol: User) -> None:
    client = of_carol(carol)
    sent: dict[str, Any] = {
        "prompt": "1/3",
        "role": "training",
        "method": "method-1",
        "explanation_en": "It scans.",
    }
    assert client.post("/manage/studies/poems/quality/answer/", sent).status_code == 302
    sent = {
        "prompt": "1/3", "role": "training", "method": "method-0", "criterion": "overall", "lowest": 1, "highest": 1,
    }  # fmt: skip
    assert client.post("/manage/studies/poems/quality/answer/", sent).status_code == 302
    rules: dict[str, Any] = {
        "repeats_per_subtask": 0, "known_answer_share": "0.5", "training_share": "0.8", "training_attempts": 3,
        "has_flags": "on", "hasty_seconds": 5, "flag_share": "0.2",
    }  # fmt: skip
    assert client.post("/manage/studies/poems/quality/rules/", rules).status_code == 302
    page = " ".join(client.get("/manage/studies/poems/quality/").content.decode().split())
    assert "Method 1 is the best<br>Method 0: Overall 1" in page
    assert "1 training page" in client.get("/manage/studies/poems/").content.decode()
    assert declaration_document(study)["pages"][0]["explanation"] == {"en": "It scans."}
    rules["training_attempts"] = 99
    assert "from 1 to 20" in client.post("/manage/studies/poems/quality/rules/", rules).content.decode()
    bad = {"prompt": "1/3", "role": "training", "method": "method-0", "criterion": "overall", "lowest": 9}
    response = client.post("/manage/studies/poems/quality/answer/", bad)
    assert response.status_code == 400
    assert "a range has a criterion" in response.content.decode()
    assert (
        client.post("/manage/studies/poems/quality/rules/", rules | {"training_share": ""}).status_code == 400
    )
    client.post(
        "/manage/studies/poems/quality/rules/", rules | {"training_share": "", "training_attempts": 3}
    )
    assert client.post("/manage/studies/poems/quality/take-out/", {"prompt": "1/3"}).status_code == 302
    assert "Every page counts." in client.get("/manage/studies/poems/quality/").content.decode()
    assert (
        "1/3"
        in client.post(
            "/manage/studies/poems/quality/take-out/", {"prompt": "1/3"}, follow=True
        ).content.decode()
    )
