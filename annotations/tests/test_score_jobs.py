"""Many scores of a judge are stored by a worker: once, whole or not at all, and what is wrong is said by the job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotations.jobs import running
from annotations.jobs.queueing import stop_job
from annotations.jobs.running import claim, run_next
from annotations.judges.tests.cast import score_rows, write_scores
from annotations.models import Job, Judge, JudgeRating, StaffAct, Study, StudyRole, WaitingFile, WaitingUpload
from annotations.tests.cast import build_study
from annotations.uploads import waiting as uploads
from generation.models import LeaseLost
from generation.refusals import Refused

API = "/api/v1/studies/poems/judge-ratings/?judge=comet&saw_answers=no"


@pytest.fixture
def study(db: None, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr("evalsite.celery.app.send_task", lambda *_arguments, **_options: None)
    monkeypatch.setattr(uploads, "LARGEST_IN_A_REQUEST", 100)
    return build_study()


@pytest.fixture
def as_carol(client: Client, carol: User) -> Client:
    client.force_login(carol)
    return client


@pytest.fixture
def content(study: Study, tmp_path: Path) -> str:
    return write_scores(tmp_path / "scores.csv", score_rows(study)).read_text("utf-8")


def put(client: Client, content: str, more: str = "") -> Any:
    return client.put(f"{API}{more}", content, content_type="text/csv")


def test_the_api_answers_with_the_job_that_stores_them_once(as_carol: Client, content: str) -> None:
    response = put(as_carol, content, "&label=COMET&own_methods=method-1")
    assert response.status_code == 202
    assert response["Location"] == response.json()["job"]
    assert not Judge.objects.exists()
    # Sent again while it waits, it is the same work.
    assert run_next()
    job = as_carol.get(response.json()["job"]).json()
    assert (job["kind"], job["state"], job["made"], job["error"]) == ("import_scores", "done", "poems", "")
    judge = Judge.objects.get()
    assert (judge.label, judge.own_methods, judge.saw_answers) == ("COMET", ["method-1"], "no")
    assert JudgeRating.objects.count() == 8
    assert StaffAct.objects.get(act="judge.imported").actor == judge.created_by
    assert not WaitingFile.objects.exists()
    again = put(as_carol, content, "&label=COMET&own_methods=method-1")
    assert run_next()
    assert as_carol.get(again.json()["job"]).json()["state"] == "done"
    assert (JudgeRating.objects.count(), Judge.objects.get().pk) == (8, judge.pk)


def test_what_is_wrong_in_them_is_said_by_the_job_and_nothing_is_stored(
    as_carol: Client, content: str
) -> None:
    response = put(as_carol, content + "nowhere,method-0,overall,3\n")
    assert run_next()
    job = as_carol.get(response.json()["job"]).json()
    assert job["state"] == "failed"
    assert "nowhere" in job["error"]
    assert "line 10" in job["error"]
    assert not Judge.objects.exists()
    page = as_carol.get(Job.objects.get().get_absolute_url()).content.decode()
    assert 'href="/manage/studies/poems/judges/"' in page


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("&own_methods=nobody", "nobody is no method of the study"),
        ("&map=score", "score is no ROLE=COLUMN"),
        ("&label=a%E2%80%AEb", "U+202E"),
    ],
)
def test_what_is_wrong_beside_the_file_is_said_at_once(
    as_carol: Client, content: str, more: str, message: str
) -> None:
    refused = put(as_carol, content, more)
    assert 400 <= refused.status_code < 500
    assert message in refused.content.decode()
    assert not Job.objects.exists()
    assert not WaitingUpload.objects.exists()


def test_other_scores_of_a_judge_are_replaced_where_that_is_said(as_carol: Client, content: str) -> None:
    put(as_carol, content)
    assert run_next()
    other = content.replace(",5", ",4")
    refused = put(as_carol, other)
    assert run_next()
    assert "has scores already" in as_carol.get(refused.json()["job"]).json()["error"]
    put(as_carol, other, "&replaces=true")
    assert run_next()
    assert sorted(JudgeRating.objects.values_list("score", flat=True)) == [2, 2, 3, 3, 4, 4, 4, 4]


def test_a_stopped_job_stores_nothing_and_a_lost_one_is_done_by_another_worker(
    as_carol: Client, carol: User, content: str
) -> None:
    put(as_carol, content)
    lost = claim()
    assert lost is not None
    Job.objects.update(leased_until="2020-01-01T00:00:00Z")
    assert run_next()
    assert JudgeRating.objects.count() == 8
    with pytest.raises((LeaseLost, Refused)):
        running.make(lost, running.ProgressReporter(lost))
    assert JudgeRating.objects.count() == 8
    Judge.objects.all().delete()
    put(as_carol, content, "&version=2")
    stop_job(Job.objects.order_by("-pk")[0], by=carol)
    assert not run_next()
    assert not Judge.objects.exists()


def test_the_page_leads_to_the_job(as_carol: Client, content: str) -> None:
    form = {"key": "comet", "saw_answers": "no", "sampling": "all", "columns": "", "label": "", "version": ""}
    upload = SimpleUploadedFile("scores.csv", content.encode())
    response = as_carol.post("/manage/studies/poems/judges/", form | {"scores": upload})
    job = Job.objects.get()
    assert response.headers["Location"] == job.get_absolute_url()
    assert run_next()
    assert 'href="/manage/studies/poems/judges/"' in as_carol.get(job.get_absolute_url()).content.decode()
    assert JudgeRating.objects.count() == 8


def test_whoever_may_no_longer_run_the_study_stores_nothing(
    as_carol: Client, carol: User, content: str
) -> None:
    put(as_carol, content)
    User.objects.filter(pk=carol.pk).update(is_staff=False)
    StudyRole.objects.all().delete()
    assert run_next()
    assert Job.objects.get().error == "Your role in the study no longer lets you do this."
    assert not Judge.objects.exists()
