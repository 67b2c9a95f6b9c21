"""Large files are stored by workers: watched, stopped, done anew after a worker was lost, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.test import Client

from annotations.jobs import running
from annotations.jobs.kinds import KINDS
from annotations.jobs.queueing import queue_job, stop_job
from annotations.jobs.running import claim, run_next, store
from annotations.models import Job, Page, PageCandidate, Rating, Study, StudyRole, WaitingFile, WaitingUpload
from annotations.setup import material
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import create_study
from annotations.setup.uploads import waiting
from annotations.tests.cast import build_user
from annotations.tests.job_cast import file_of, queued, rated_study, with_role
from annotations.tests.test_recruiting_races import at_once
from annotations.uploads import waiting as uploads
from generation.models import Candidate, LeaseLost
from generation.refusals import Refused

pytestmark = pytest.mark.django_db(transaction=True)
MATERIAL = "/manage/studies/mine/material/"
WIDE = "Question,GPT-4,真人,Score\n" + "".join(
    f"Why {number}?,Because {number}.,因为 {number}。,3\n" for number in range(40)
)
CONFIRMED = {"column-0": "prompt", "column-1": "texts_of", "column-2": "texts_of", "column-3": "note"}


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST_IN_A_REQUEST", 100)
    monkeypatch.setattr("evalsite.celery.app.send_task", lambda *_arguments, **_options: None)


@pytest.fixture
def olga() -> User:
    return build_user("olga")


@pytest.fixture
def draft(olga: User) -> Study:
    return create_study(slug="mine", rubric=load_rubric("qa"), by=olga)


@pytest.fixture
def as_olga(client: Client, draft: Study, olga: User) -> Client:
    client.force_login(olga)
    return client


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def confirmed(client: Client, content: str = WIDE, encoding: str = "utf-8") -> Job:
    """Upload candidates and confirm their columns; return the job that this asks for."""
    file = SimpleUploadedFile("answers.csv", content.encode(encoding))
    address = client.post(f"{MATERIAL}candidates/", {"candidates": file}).headers["Location"]
    said = {**CONFIRMED, "encoding": "" if encoding == "utf-8" else encoding}
    page = text(client.get(address, {"encoding": said["encoding"]}))
    assert "The file is large: a worker stores it" in page
    location = client.post(address, said).headers["Location"]
    job = Job.objects.latest("pk")
    assert location == f"/manage/jobs/{job.uuid}/"
    assert client.post(address, said).headers["Location"] == location, "a second press finds it under way"
    return job


def stored() -> set[tuple[str, str]]:
    return set(PageCandidate.objects.values_list("study_method__method__label", "candidate__text"))


def test_a_large_file_of_candidates_is_stored_by_a_worker_as_it_was_confirmed(
    as_olga: Client, draft: Study
) -> None:
    job = confirmed(as_olga, encoding="gb18030")
    assert not PageCandidate.objects.exists()
    assert "Import of candidates" in text(as_olga.get(job.get_absolute_url()))
    assert run_next()
    job.refresh_from_db()
    assert (job.state, job.made, job.error) == (Job.State.DONE, draft, "")
    assert len(stored()) == 80
    assert ("真人", "因为 3。") in stored()
    page = text(as_olga.get(job.get_absolute_url()))
    assert f'href="{MATERIAL}">See what came of it' in page
    assert "It is done." in page
    assert not WaitingFile.objects.exists()


def test_after_a_lost_worker_the_second_attempt_stores_everything_once(as_olga: Client) -> None:
    job = confirmed(as_olga)
    lost = claim()
    assert lost is not None
    made = KINDS[job.kind].make(lost, lambda done, total: None)
    Job.objects.update(leased_until=Now() - timedelta(seconds=1))
    assert run_next()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.DONE, 2)
    with pytest.raises((LeaseLost, Refused)):
        store(lost, made)  # type: ignore[arg-type]
    assert (len(stored()), Candidate.objects.count(), Page.objects.count()) == (80, 80, 40)
    assert not run_next()


def test_a_job_that_is_stopped_while_it_stores_leaves_the_study_as_it_was(
    as_olga: Client, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = confirmed(as_olga)
    real = material.store_material

    def stopped(*arguments: Any, **options: Any) -> Study:
        study = real(*arguments, **options)
        assert at_once(lambda: stop_job(Job.objects.get(pk=job.pk), by=olga)) == [True]
        return study

    monkeypatch.setattr(waiting, "store_material", stopped)
    assert run_next()
    job.refresh_from_db()
    assert job.state == Job.State.STOPPED
    assert not Candidate.objects.exists()
    page = text(as_olga.get(job.get_absolute_url()))
    waits = WaitingUpload.objects.get()
    assert f'href="{MATERIAL}candidates/{waits.uuid}/">Back to the file' in page
    monkeypatch.undo()
    assert as_olga.post(f"{MATERIAL}candidates/{waits.uuid}/", CONFIRMED).status_code == 302
    run_next()
    assert len(stored()) == 80


def test_what_is_wrong_in_the_file_is_on_the_page_of_the_job(as_olga: Client) -> None:
    job = confirmed(as_olga, WIDE.replace("Because 3.", "Because\x07"))
    assert run_next()
    page = text(as_olga.get(job.get_absolute_url()))
    assert "answers.csv, line 5, GPT-4: holds the control character U+0007" in page
    assert "Back to the file" in page
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.FAILED, 1)
    assert as_olga.get(f"{job.get_absolute_url()}file/", follow=True).status_code == 200


def test_who_lost_the_role_meanwhile_stores_nothing(as_olga: Client) -> None:
    job = confirmed(as_olga)
    StudyRole.objects.all().delete()
    assert run_next()
    job.refresh_from_db()
    assert job.error == "Your role in the study no longer lets you do this."
    assert not Candidate.objects.exists()
    assert as_olga.get(job.get_absolute_url()).status_code == 404


def test_a_new_upload_does_not_take_the_place_of_one_that_a_worker_stores(as_olga: Client) -> None:
    job = confirmed(as_olga)
    file = SimpleUploadedFile("b.csv", WIDE.encode())
    as_olga.post(f"{MATERIAL}candidates/", {"candidates": file})
    assert WaitingUpload.objects.count() == 2
    assert run_next()
    job.refresh_from_db()
    assert job.state == Job.State.DONE


def test_ratings_are_stored_by_a_worker(as_olga: Client, olga: User) -> None:
    olga.user_permissions.add(Permission.objects.get(codename="add_study"))
    rows = "evaluator,prompt,method,criterion,score\n" + "".join(
        f"r{rater},p{prompt},{method},overall,{1 + (rater + prompt) % 5}\n"
        for rater in range(3)
        for prompt in range(4)
        for method in ("T5", "BART")
    )
    upload = {"ratings": SimpleUploadedFile("mine.csv", rows.encode())}
    look = as_olga.post("/manage/ratings/", upload).headers["Location"]
    columns = dict(zip((f"column-{n}" for n in range(5)), rows.splitlines()[0].split(","), strict=True))
    page = text(as_olga.get(look))
    read_as = page.split('name="read_as" value="')[1].split('"')[0].replace("&quot;", '"')
    sent = {**columns, "criteria": "overall", "read_as": read_as, "minimum-0": "1", "maximum-0": "5",
            "overall": "overall", "slug": "rated", "title_en": "Rated", "genre": "text", "act": "store"}  # fmt: skip
    bad = as_olga.post(look, {**sent, "slug": "mine"})
    assert bad.status_code == 400, "what is wrong with the name is told before a worker begins"
    location = as_olga.post(look, sent).headers["Location"]
    job = Job.objects.get()
    assert location == job.get_absolute_url()
    assert as_olga.post(look, sent).headers["Location"] == location
    other = Client()
    other.force_login(build_user("eve"))
    assert other.get(location).status_code == 404
    assert run_next()
    assert Rating.objects.count() == 24
    assert 'href="/studies/rated/results/">See what came of it' in text(as_olga.get(location))
    assert as_olga.get(look).headers["Location"] == "/studies/rated/results/"
    assert StudyRole.objects.filter(user=olga, study__slug="rated", role="owner").exists()


@pytest.mark.parametrize(
    ("kind", "parameters", "begin", "name"),
    [
        ("pairs", {"source": "picks", "format": "jsonl"}, b'{"prompt":', "poems-preferences-picks.jsonl"),
        ("archive", {"format": "zip"}, b"PK", "poems.zip"),
    ],
)
def test_pairs_and_the_archive_are_made_as_the_other_files(
    kind: str, parameters: dict[str, str], begin: bytes, name: str
) -> None:
    study = rated_study()
    job = queue_job(study, kind, parameters, by=with_role(study, "anna"))
    assert run_next()
    job.refresh_from_db()
    assert (job.state, job.file_name) == (Job.State.DONE, name)
    assert file_of(job).startswith(begin)


def test_a_rehearsal_makes_one_copy_however_often_it_is_begun(client: Client) -> None:
    study = rated_study()
    olga = with_role(study, "olga", StudyRole.Role.OWNER)
    client.force_login(olga)
    asked = {"evaluators": "5", "effect": "0.5"}
    location = client.post("/studies/poems/plan/rehearse/", asked).headers["Location"]
    assert client.post("/studies/poems/plan/rehearse/", asked).headers["Location"] == location
    assert claim()
    Job.objects.update(leased_until=Now() - timedelta(seconds=1))
    assert run_next()
    copy = Study.objects.get(slug="poems-rehearsal-1")
    assert copy.enrolments.filter(source="simulated").count() == 5
    assert f'href="/studies/{copy.slug}/results/">See what came of it' in text(client.get(location))
    assert Study.objects.count() == 2
    client.force_login(with_role(study, "anna"))
    assert client.post("/studies/poems/plan/rehearse/", asked).status_code == 403
    client.force_login(olga)
    refused = client.post("/studies/poems/plan/rehearse/", {**asked, "evaluators": "5000"}, follow=True)
    assert "evaluators must be one of 5, 10, 20, 30, 50; got 5000" in text(refused)


def test_progress_inside_a_transaction_is_told_by_the_thread_that_holds_the_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("generation.runs.writing.RENEW_SECONDS", 0.01)
    study = rated_study()
    olga = with_role(study, "olga", StudyRole.Role.OWNER)
    job = queue_job(study, "rehearsal", {"evaluators": "5", "effect": "0"}, by=olga)
    seen: list[int] = []
    real: Callable[..., None] = running.ProgressReporter.__call__

    def slowly(progress: running.ProgressReporter, done: int, total: int) -> None:
        real(progress, done, total)
        if done == 20:
            for _attempt in range(500):
                seen[:] = at_once(lambda: Job.objects.values_list("done", flat=True).get(pk=job.pk))
                if seen == [20]:
                    break

    monkeypatch.setattr(running.ProgressReporter, "__call__", slowly)
    assert run_next()
    assert seen == [20]


def test_more_jobs_of_one_kind_than_one_may_have_are_refused_on_the_page(
    as_olga: Client, draft: Study
) -> None:
    study = rated_study()
    olga = User.objects.get(username="olga")
    StudyRole.objects.create(study=study, user=olga, role="owner")
    for file_format in ("csv", "jsonl", "parquet", "xlsx"):
        queued(study, olga, file_format)
    queue_job(study, "archive", {"format": "zip"}, by=olga)
    file = SimpleUploadedFile("answers.csv", WIDE.encode())
    address = as_olga.post(f"{MATERIAL}candidates/", {"candidates": file}).headers["Location"]
    response = as_olga.post(address, CONFIRMED)
    assert response.status_code == 400
    assert "5 jobs of yours are under way already." in text(response)
