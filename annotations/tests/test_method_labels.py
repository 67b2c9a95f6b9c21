"""What a study calls a method can be changed, for its reports alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.models import Enrolment, StaffAct, Study, StudyRole
from annotations.setup.material import store_material
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import create_study, label_methods
from annotations.tests.cast import answer_everything, shown
from generation.files.candidates import read_candidates
from generation.models import Method
from generation.refusals import Refused

MATERIAL = "/manage/studies/poems/material/"
LABELS = f"{MATERIAL}labels/"
METHODS = "/api/v1/studies/poems/methods/"
FREE = "GPT-4 (t=0.7) <b>"


@pytest.fixture
def closed(study: Study, enrolment: Enrolment, carol: User) -> Study:
    """A closed study that one evaluator has rated, owned by carol."""
    answer_everything(enrolment)
    Study.objects.filter(pk=study.pk).update(state=Study.State.CLOSED)
    StudyRole.objects.create(study=study, user=carol, role=StudyRole.Role.OWNER)
    study.refresh_from_db()
    return study


@pytest.fixture
def owner(client: Client, closed: Study, carol: User) -> Client:
    client.force_login(carol)
    return client


def names(study: Study) -> list[str]:
    return list(study.study_methods.names().values())


def test_a_label_is_changed_on_the_page_and_stands_in_the_report(closed: Study, owner: Client) -> None:
    assert "Change the labels of the methods" in shown(owner, MATERIAL)
    assert "修改方法的名称" in shown(owner, MATERIAL, "zh-hans")
    response = owner.post(LABELS, {"label-method-1": FREE, "label-method-3": "真人"}, follow=True)
    page = response.content.decode()
    assert "The labels are saved." in page
    assert "GPT-4 (t=0.7) &lt;b&gt;" in page, "as it was given, and escaped"
    assert FREE not in page
    assert names(closed) == ["Method 0", FREE, "Method 2", "真人"]
    assert FREE in owner.get("/studies/poems/heds.md").content.decode()
    for address in ("results/", "results/prompts/", "results/prompts/1/1/"):
        report = shown(owner, f"/studies/poems/{address}")
        assert "GPT-4 (t=0.7) &lt;b&gt;" in report, address
        assert "Method 1" not in report, address
    log = b"".join(owner.get("/manage/studies/poems/log.csv")).decode()
    assert "changed what a method is called" in log
    assert StaffAct.objects.first().details == {"method": "method-3", "label": "真人"}  # type: ignore[union-attr]


def test_an_empty_label_gives_the_own_one_back(closed: Study, owner: Client) -> None:
    owner.post(LABELS, {"label-method-1": FREE})
    owner.post(LABELS, {"label-method-0": ""})
    assert names(closed)[1] == FREE, "what is not sent stays"
    owner.post(LABELS, {"label-method-1": ""})
    assert names(closed)[1] == "Method 1"


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("method 3", "Another method of the study is called method 3."),
        ("人类", "Another method of the study is called 人类."),
        ("x" * 121, "at most 120 characters"),
    ],
)
def test_a_label_that_cannot_be_is_refused(closed: Study, owner: Client, label: str, reason: str) -> None:
    Method.objects.filter(key="method-2").update(key="human", label="Human")
    response = owner.post(LABELS, {"label-method-0": label})
    assert response.status_code == 400
    assert reason in response.content.decode()
    body = {"label": label}
    by_api = owner.patch(f"{METHODS}method-0/", body, content_type="application/json")
    assert by_api.status_code in (400, 409)
    assert list(by_api.json()["fields"]) == ["label"]
    assert names(closed) == ["Method 0", "Method 1", "Human", "Method 3"]


def test_two_methods_may_change_their_labels_with_each_other(closed: Study) -> None:
    label_methods(closed, {"method-0": "A", "method-1": "B"}, by=None)
    assert label_methods(closed, {"method-0": "B", "method-1": "A", "method-2": ""}, by=None) == (
        "method-0",
        "method-1",
    )
    assert names(closed)[:2] == ["B", "A"]
    with pytest.raises(ValidationError, match="Another method"):
        label_methods(closed, {"method-2": "C", "method-3": "C"}, by=None)
    assert names(closed)[2:] == ["Method 2", "Method 3"]


def test_the_api_tells_and_changes_a_label(closed: Study, owner: Client) -> None:
    answer = owner.patch(f"{METHODS}method-1/", {"label": FREE}, content_type="application/json")
    assert answer.json() == {"number": 1, "key": "method-1", "label": FREE}
    assert owner.get(METHODS).json()["results"][1]["label"] == FREE
    facts = owner.get("/api/v1/studies/poems/report/").json()
    assert facts["study"]["method_labels"]["method-1"] == FREE
    missing = owner.patch(f"{METHODS}nobody/", {"label": "x"}, content_type="application/json")
    assert missing.status_code == 404


def test_no_label_changes_while_evaluators_are_at_work(closed: Study, owner: Client) -> None:
    Study.objects.update(state=Study.State.OPEN)
    assert "Change the labels" not in shown(owner, MATERIAL)
    assert "labels of methods can be changed once the study is closed" in shown(owner, MATERIAL)
    response = owner.post(LABELS, {"label-method-1": FREE})
    assert response.status_code == 400
    with pytest.raises(Refused):
        label_methods(closed, {"method-1": FREE}, by=None)
    assert names(closed)[1] == "Method 1"
    Study.objects.update(state=Study.State.DRAFT)
    owner.post(LABELS, {"label-method-1": FREE})
    assert names(closed)[1] == FREE, "a draft is set up, whoever is enrolled"


def test_evaluators_never_see_a_label(closed: Study, alice: User, client: Client) -> None:
    label_methods(closed, {"method-1": "Secret label"}, by=None)
    Study.objects.update(state=Study.State.OPEN)
    client.force_login(alice)
    for path in ("/studies/poems/subtasks/1/pages/1/", "/api/v1/my/studies/poems/subtasks/1/pages/1/"):
        response = client.get(path)
        assert response.status_code == 200
        assert "Secret label" not in response.content.decode()


def uploaded(study: Study, tmp_path: Path, *names: str) -> None:
    path = tmp_path / "new.csv"
    path.write_text("prompt,method,text\n" + "".join(f"Why?,{name},text by {name}\n" for name in names))
    store_material(study, read_candidates(path, study.genre), by=None)


def test_labels_stay_when_other_material_comes(carol: User, tmp_path: Path) -> None:
    draft = create_study(slug="mine", rubric=load_rubric("qa"), by=carol)
    uploaded(draft, tmp_path, "one", "two")
    call_command("label_method", "mine", "one", "The first")
    call_command("label_method", "mine", "two", "The second")
    uploaded(draft, tmp_path, "one", "three")
    assert names(draft) == ["The first", "three"]
    uploaded(draft, tmp_path, "one", "The first")
    assert names(draft) == ["one", "The first"], "no two methods are called alike"


def test_the_command_names_the_methods_there_are(closed: Study) -> None:
    with pytest.raises(CommandError, match="poems: no method nobody; there are: method-0, "):
        call_command("label_method", "poems", "nobody", "x")
    with pytest.raises(CommandError, match="Another method of the study is called Method 1"):
        call_command("label_method", "poems", "method-0", "Method 1")
