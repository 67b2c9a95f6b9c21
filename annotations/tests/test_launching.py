"""A study is signed off, launched once nothing is missing, paused and let go on; each act is logged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.models import Enrolment, Page, PageCandidate, Rating, StaffAct, Study
from annotations.plan.plan import lock_plan
from annotations.questionnaire import saving
from annotations.recruiting.enrolment import enrol
from annotations.setup.lifecycle import close_study, launch, pause, resume, sign_off
from annotations.setup.runs import start_run
from annotations.tests.cast import build_study, placements, shown
from generation.models import GenerationRun
from generation.refusals import Refused

PAGE = "/studies/poems/subtasks/1/pages/1/"


@pytest.fixture
def draft(db: None) -> Study:
    study = build_study()
    study.state = Study.State.DRAFT
    study.save(update_fields=["state"])
    return study


def state(study: Study) -> str:
    return Study.objects.get(pk=study.pk).state


def acts(study: Study) -> list[str]:
    return list(StaffAct.objects.filter(study=study).order_by("pk").values_list("act", flat=True))


def reasons(study: Study) -> tuple[str, ...]:
    with pytest.raises(Refused) as refused:
        launch(study, by=None, without_plan=True)
    return refused.value.reasons


def test_draft_that_is_signed_off_is_launched(draft: Study, carol: User) -> None:
    sign_off(draft, by=carol)
    assert draft.signed_off_at
    launch(draft, by=carol, without_plan=True)
    stored = Study.objects.get(pk=draft.pk)
    assert stored.state == draft.state == "open"
    assert stored.launched_at == draft.launched_at
    assert stored.launched_at
    assert list(StaffAct.objects.values_list("act", "actor__username").order_by("pk")) == [
        ("study.signed_off", "carol"),
        ("study.launched", "carol"),
    ]


def test_draft_without_anything_is_refused_with_every_reason(db: None) -> None:
    study = Study.objects.create(
        slug="bare", title={"en": "Bare"}, state="draft", evaluators_per_subtask=1, subtasks_per_evaluator=1
    )
    assert reasons(study) == (
        "The study asks nothing yet: choose its criteria.",
        "The study has no prompts: upload its material.",
    )
    assert (state(study), acts(study)) == ("draft", [])


def test_draft_that_nobody_signed_off_is_refused(draft: Study) -> None:
    assert reasons(draft) == ("Nobody has signed the material off.",)


def test_one_method_is_nothing_to_compare(draft: Study) -> None:
    PageCandidate.objects.filter(study_method__number__gt=0).delete()
    draft.study_methods.filter(number__gt=0).delete()
    assert reasons(draft) == ("There must be texts by at least two methods to compare.",)


def test_missing_text_is_counted(draft: Study) -> None:
    PageCandidate.objects.filter(page__number=1, study_method__number__lt=2).delete()
    sign = "2 texts are missing."
    assert reasons(draft) == (sign,)
    with pytest.raises(Refused) as refused:
        sign_off(draft, by=None)
    assert refused.value.reasons == (sign,)
    assert Study.objects.get(pk=draft.pk).signed_off_at is None


def test_run_under_way_keeps_from_launching(draft: Study) -> None:
    sign_off(draft, by=None)
    run = start_run(draft, "inverse_prompting").run
    under_way = ("A run for this study is under way; wait for its texts or cancel it.",)
    assert reasons(draft) == under_way
    GenerationRun.objects.filter(pk=run.pk).update(state="done")
    assert reasons(draft) == under_way, "its texts join in a moment"
    GenerationRun.objects.filter(pk=run.pk).update(state="cancelled")
    launch(draft, by=None, without_plan=True)


def test_more_sub_tasks_than_there_are_cannot_be_given(draft: Study) -> None:
    Study.objects.filter(pk=draft.pk).update(evaluators_per_subtask=2, subtasks_per_evaluator=2)
    sign_off(draft, by=None)
    assert reasons(draft) == ("An evaluator cannot get 2 sub-tasks: there are 1.",)


def test_second_launch_is_refused(draft: Study) -> None:
    sign_off(draft, by=None)
    launch(draft, by=None, without_plan=True)
    assert reasons(draft) == ("The study has been launched already.",)
    assert acts(draft).count("study.launched") == 1
    with pytest.raises(Refused, match="launched"):
        sign_off(draft, by=None)
    with pytest.raises(Refused, match="launched"):
        start_run(draft, "inverse_prompting")


@pytest.mark.parametrize("prompts", [2, 40])
def test_launch_takes_the_same_queries_however_large_the_study_is(
    prompts: int, db: None, django_assert_max_num_queries: Any
) -> None:
    study = build_study(prompts=prompts)
    Study.objects.filter(pk=study.pk).update(state="draft", signed_off_at="2026-01-01T00:00Z")
    with django_assert_max_num_queries(20):
        launch(study, by=None, without_plan=True)


def test_pause_and_resume_are_done_once(study: Study, carol: User) -> None:
    assert pause(study, by=carol)
    assert not pause(study, by=carol)
    assert study.state == state(study) == "paused"
    assert resume(study, by=carol)
    assert not resume(study, by=carol)
    assert study.state == state(study) == "open"
    assert acts(study) == ["study.paused", "study.resumed"]


@pytest.mark.parametrize("switch", [pause, resume])
def test_drafts_and_closed_studies_are_neither_paused_nor_resumed(draft: Study, switch: Any) -> None:
    with pytest.raises(Refused, match="not been launched"):
        switch(draft, by=None)
    Study.objects.filter(pk=draft.pk).update(state="paused")
    close_study(draft)
    with pytest.raises(Refused, match="closed"):
        switch(draft, by=None)
    assert state(draft) == "closed"


def answer(client: Client, token: str) -> Any:
    body = {"token": token, "criterion": "overall", "score": 3, "order": 1, "seconds": None}
    return client.post(f"{PAGE}answers/", json.dumps(body), content_type="application/json")


def test_paused_study_takes_no_answers_and_says_why(
    study: Study, enrolment: Enrolment, as_alice: Client, alice: User
) -> None:
    (placement, *_) = placements(study, alice)
    pause(study, by=None)
    response = answer(as_alice, placement.token)
    assert response.status_code == 409
    assert "This study is paused." in response.json()["error"]
    assert not Rating.objects.exists()
    response = as_alice.post(PAGE, {f"{placement.token}.overall": "3"})
    assert response.status_code == 409
    assert "This study is paused." in response.content.decode()
    assert "over" not in shown(as_alice, PAGE).split("<h1")[0].split("notice")[1].split("</p>")[0]
    assert "This study is paused." in shown(as_alice, PAGE)
    assert "Your deadline stays the same." in shown(as_alice, "/studies/poems/")
    assert "paused: answers can be read" in shown(as_alice, "/studies/")


def test_answers_are_taken_again_after_the_pause(
    study: Study, enrolment: Enrolment, as_alice: Client, alice: User
) -> None:
    (placement, *_) = placements(study, alice)
    deadline = Enrolment.objects.get().deadline
    pause(study, by=None)
    resume(study, by=None)
    assert answer(as_alice, placement.token).status_code == 200
    assert Enrolment.objects.get().deadline == deadline, "a pause moves no deadline"


def test_draft_takes_no_answers(study: Study, alice: User) -> None:
    enrol(study, alice)
    Study.objects.filter(pk=study.pk).update(state="draft")
    (placement, *_) = placements(study, alice)
    with pytest.raises(saving.Closed):
        saving.save_answer(
            alice, saving.PageAddress("poems", 1, 1), saving.Answer(placement.token, 1, "overall", 3)
        )


def test_every_step_is_a_command(draft: Study, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="Nobody has signed"):
        call_command("launch_study", "poems")
    for name, said in (
        ("sign_off_study", "signed off"),
        ("launch_study", "launched"),
        ("pause_study", "paused"),
        ("resume_study", "takes answers again"),
        ("resume_study", "is open already"),
    ):
        options = {"without_plan": True} if name == "launch_study" else {}
        call_command(name, "poems", **options)
        assert said in capsys.readouterr().out
    close_study(draft)
    for name in ("sign_off_study", "launch_study", "pause_study", "resume_study"):
        with pytest.raises(CommandError):
            call_command(name, "poems")
        with pytest.raises(CommandError, match="no such study"):
            call_command(name, "lost")
    assert Page.objects.count() == 2


def test_a_locked_plan_does_not_keep_a_draft_from_its_launch(draft: Study) -> None:
    lock_plan(draft, staff=None, primary_criterion=draft.criteria.get(is_overall=True))
    sign_off(draft, by=None)
    launch(draft, by=None)
    assert draft.state == "open"


def test_a_study_without_a_plan_is_launched_only_by_who_means_it_and_the_report_says_so(
    draft: Study, carol: User, client: Client
) -> None:
    sign_off(draft, by=carol)
    with pytest.raises(Refused, match="No plan of the analysis is locked"):
        launch(draft, by=carol)
    with pytest.raises(CommandError, match="No plan of the analysis is locked"):
        call_command("launch_study", "poems")
    client.force_login(carol)
    refused = client.post("/manage/studies/poems/launch/").content.decode()
    assert "No plan of the analysis is locked. Lock one, or say" in refused
    asked = shown(client, "/manage/studies/poems/launch/")
    assert "Plan the analysis first" in asked
    assert '<input type="hidden" name="without_plan" value="1">' in asked
    assert "不带方案启动" in shown(client, "/manage/studies/poems/launch/", "zh-hans")
    client.post("/manage/studies/poems/launch/", {"without_plan": "1"})
    close_study(draft)
    assert state(draft) == "closed"
    said = "The study was launched without a plan of its analysis, and none was locked afterwards."
    assert said in shown(client, "/studies/poems/results/")
