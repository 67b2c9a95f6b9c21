"""The pages of jobs and the calls of the API: a file is asked for, watched, stopped and fetched."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from annotations.jobs.running import run_next
from annotations.models import Enrolment, Job, Study
from annotations.recruiting.enrolment import enrol
from annotations.results import views
from annotations.results.answer_rows import answer_count, rating_chunks
from annotations.tests.cast import answer_everything, build_study, build_user
from annotations.tests.job_cast import Role, queued, rated_study, with_role
from annotations.tests.test_api_studies import called
from generation.models import Worker
from generation.models.lease import LOST

RESULTS = "/studies/poems/results/"
PREPARE = f"{RESULTS}prepare/"
OFFER = "Prepare in the background"


@pytest.fixture
def rated(db: None) -> Study:
    return rated_study()


@pytest.fixture
def anna(rated: Study) -> User:
    return with_role(rated, "anna")


@pytest.fixture
def as_anna(client: Client, anna: User) -> Client:
    client.force_login(anna)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def test_a_file_is_asked_for_watched_and_fetched(as_anna: Client, rated: Study) -> None:
    address = as_anna.post(PREPARE, {"file": "answers.csv"})["Location"]
    job = Job.objects.get()
    assert address == f"/manage/jobs/{job.uuid}/"
    page = text(as_anna.get(address))
    assert "All answers (CSV)" in page
    assert "No worker is there now; it begins as soon as one is started." in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    Worker.objects.report("demo@host", queues=["default"], slots=1)
    assert "It begins as soon as a worker is free." in text(as_anna.get(f"{address}live/"))
    assert run_next()
    live = text(as_anna.get(f"{address}live/"))
    assert f'href="{address}file/" download' in live
    assert "kept until" in live
    assert "http-equiv" not in text(as_anna.get(address)), "nothing changes any more"
    file = as_anna.get(f"{address}file/")
    assert b"".join(file.streaming_content) == b"".join(rating_chunks(rated, "csv"))  # type: ignore[attr-defined]
    assert file["Content-Disposition"] == 'attachment; filename="poems-ratings.csv"'


def test_how_far_a_job_is_stands_on_its_page(as_anna: Client, rated: Study, anna: User) -> None:
    job = queued(rated, anna)
    claimed = Job.objects.claim(done=0, total=0)
    assert claimed is not None
    assert claimed.lease is not None
    assert "It has begun." in text(as_anna.get(job.get_absolute_url()))
    Job.objects.renew(job.pk, claimed.lease, done=500, total=2000)
    page = text(as_anna.get(job.get_absolute_url()))
    assert "500 of 2000 are done." in page
    assert 'max="2000" value="500"' in page
    Job.objects.filter(pk=job.pk).fail(LOST)
    assert "Three workers in a row were lost while they made it." in text(as_anna.get(job.get_absolute_url()))


def test_stopping_asks_first(as_anna: Client, rated: Study, anna: User) -> None:
    job = queued(rated, anna)
    address = f"{job.get_absolute_url()}stop/"
    assert f'href="{address}"' in text(as_anna.get(job.get_absolute_url()))
    assert "What is done of it is lost." in text(as_anna.get(address))
    job.refresh_from_db()
    assert job.state == Job.State.WAITING, "it was only asked"
    assert "Nothing of it was kept." in text(as_anna.post(address, follow=True))
    job.refresh_from_db()
    assert job.state == Job.State.STOPPED
    early = as_anna.get(f"{job.get_absolute_url()}file/", follow=True)
    assert "This file is not ready." in text(early)


def test_an_analyst_sees_the_job_of_another_and_no_button_to_stop_it(client: Client, rated: Study) -> None:
    job = queued(rated, with_role(rated, "olga", Role.OWNER))
    client.force_login(with_role(rated, "ben"))
    page = text(client.get(job.get_absolute_url()))
    assert "All answers (CSV)" in page
    assert "stop/" not in page
    assert client.get(f"{job.get_absolute_url()}stop/").status_code == 403
    assert client.post(f"{job.get_absolute_url()}stop/").status_code == 403


def test_large_studies_offer_files_in_the_background(
    as_anna: Client, rated: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "ANSWERS_IN_A_REQUEST", answer_count(rated))
    assert OFFER not in text(as_anna.get(RESULTS))
    monkeypatch.setattr(views, "ANSWERS_IN_A_REQUEST", answer_count(rated) - 1)
    assert OFFER in text(as_anna.get(RESULTS))
    assert '<option value="answers.parquet">' in text(as_anna.get(RESULTS))


def test_sealed_studies_offer_none(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    study = build_study()
    answer_everything(enrol(study, build_user("alice")))
    client.force_login(with_role(study, "olga", Role.OWNER))
    monkeypatch.setattr(views, "ANSWERS_IN_A_REQUEST", 0)
    assert OFFER not in text(client.get(RESULTS))
    refused = client.post(PREPARE, {"file": "report.pdf"}, follow=True)
    assert "The numbers of poems are sealed" in text(refused)
    assert not Job.objects.exists()
    assert Enrolment.objects.exists()


def test_what_is_no_file_is_refused_in_words(as_anna: Client) -> None:
    refused = as_anna.post(PREPARE, {"file": "report.docx"}, follow=True)
    assert "format must be one of pdf, xlsx; got docx" in text(refused)
    assert not Job.objects.exists()


def test_the_list_has_ones_own_jobs_in_few_queries(
    as_anna: Client, rated: Study, anna: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert "Nothing was asked for in the last week." in text(as_anna.get("/manage/jobs/"))
    queued(rated, with_role(rated, "ben"), "xlsx")
    queued(rated, anna)
    with django_assert_num_queries(3):
        first = text(as_anna.get("/manage/jobs/"))
    assert "All answers (CSV)" in first
    assert "All answers (XLSX)" not in first
    queued(rated, anna, "jsonl")
    with django_assert_num_queries(3):
        as_anna.get("/manage/jobs/")


def test_pages_of_jobs_are_chinese_for_chinese_readers(as_anna: Client, rated: Study, anna: User) -> None:
    job = queued(rated, anna)
    page = text(as_anna.get(job.get_absolute_url(), headers={"accept-language": "zh-hans"}))
    assert "全部答案（CSV）" in page
    assert "目前没有工作进程" in page


def test_a_job_by_the_api(rated: Study, anna: User) -> None:
    body = {"kind": "answers", "format": "jsonl"}
    asked = called(anna, "post", "studies/poems/jobs/", body)
    assert asked.status_code == 202
    job = asked.json()
    assert (job["study"], job["state"], job["parameters"], job["file"]) == (
        "poems",
        "waiting",
        {"format": "jsonl"},
        None,
    )
    assert called(anna, "post", "studies/poems/jobs/", body).json()["uuid"] == job["uuid"]
    assert called(anna, "get", f"jobs/{job['uuid']}/file/").status_code == 409
    assert run_next()
    done = called(anna, "get", f"jobs/{job['uuid']}/").json()
    assert (done["state"], done["file"].endswith(f"/api/v1/jobs/{job['uuid']}/file/")) == ("done", True)
    file = called(anna, "get", f"jobs/{job['uuid']}/file/")
    assert b"".join(file.streaming_content) == b"".join(rating_chunks(rated, "jsonl"))


def test_a_job_is_stopped_by_the_api(rated: Study, anna: User) -> None:
    job = called(anna, "post", "studies/poems/jobs/", {"kind": "report", "format": "pdf"}).json()
    assert job["parameters"] == {"format": "pdf", "off_scale": "kept"}
    ben = with_role(rated, "ben")
    assert called(ben, "delete", f"jobs/{job['uuid']}/").status_code == 403
    for _time in range(2):
        stopped = called(anna, "delete", f"jobs/{job['uuid']}/")
        assert (stopped.status_code, stopped.json()["state"]) == (200, "stopped")
    refused = called(anna, "post", "studies/poems/jobs/", {"kind": "report", "format": "csv"})
    assert refused.status_code == 409
    assert refused.json()["detail"] == "format must be one of pdf, xlsx; got csv"
