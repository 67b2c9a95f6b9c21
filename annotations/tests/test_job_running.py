"""What a worker makes of a job, and what it does when it is stopped, lost, or finds something wrong."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.utils.translation import override

from annotations.jobs import running
from annotations.jobs.outcome import Made, Progress
from annotations.jobs.queueing import open_file, queue_job, stop_job
from annotations.jobs.running import claim, hand_in, poll, run_next
from annotations.models import Job, Study
from annotations.models.jobs import RUN_JOB
from annotations.recruiting.withdrawal import withdraw
from annotations.results.answer_rows import rating_chunks
from annotations.tasks import run_job
from annotations.tests.job_cast import file_of, queued, rated_study, stand_in, with_role
from annotations.tests.test_recruiting_races import at_once
from generation.models import LeaseLost, Worker
from generation.models.lease import LOST
from generation.refusals import Refused
from stats.reports import write_rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rated() -> Study:
    return rated_study()


@pytest.fixture
def anna(rated: Study) -> User:
    return with_role(rated, "anna")


@pytest.fixture
def notified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that were sent, in order."""
    sent: list[str] = []

    def hear(task: str, _arguments: tuple[()], *, queue: str, eta: datetime | None = None) -> None:
        assert (queue, eta) == ("default", None)
        sent.append(task)

    monkeypatch.setattr("evalsite.celery.app.send_task", hear)
    return sent


@pytest.fixture(autouse=True)
def _nobody_else_is_told(notified: list[str]) -> None:
    """No worker of another test hears of these jobs."""


def lose_the_worker() -> None:
    Job.objects.update(leased_until=Now() - timedelta(seconds=1))


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_answers_are_those_of_the_direct_download(
    rated: Study, anna: User, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    monkeypatch.setattr(running, "PART_BYTES", 1000)
    job = queued(rated, anna, file_format)
    assert run_next()
    job.refresh_from_db()
    direct = b"".join(rating_chunks(rated, file_format))
    assert b"".join(open_file(job, by=anna)) == direct
    assert (job.state, job.file_bytes) == (Job.State.DONE, len(direct))
    assert job.file_parts.count() > 1
    assert job.file_name == f"poems-ratings.{file_format}"
    assert job.content_type == write_rows.CONTENT_TYPES[file_format]


def test_a_report_is_in_the_language_in_which_it_was_asked_for(rated: Study, anna: User) -> None:
    with override("zh-hans"):
        chinese = queue_job(rated, "report", {"format": "xlsx", "off_scale": "kept"}, by=anna)
    english = queue_job(rated, "report", {"format": "xlsx", "off_scale": "kept"}, by=anna)
    assert run_next()
    assert run_next()
    words = []
    for job in (chinese, english):
        book = openpyxl.load_workbook(io.BytesIO(file_of(job)))
        words.append({str(cell.value) for sheet in book for row in sheet for cell in row})
    assert any("评阅人" in word for word in words[0])
    assert not any("评阅人" in word for word in words[1])


def test_a_report_as_pdf_is_a_pdf(rated: Study, anna: User) -> None:
    job = queue_job(rated, "report", {"format": "pdf", "off_scale": "missing"}, by=anna)
    assert run_next()
    job.refresh_from_db()
    assert file_of(job).startswith(b"%PDF")
    assert (job.file_name, job.content_type) == ("poems.pdf", "application/pdf")


def test_a_workbook_that_cannot_hold_the_answers_says_so_at_once(
    rated: Study, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_rows, "LONGEST_CELL", 2)
    job = queued(rated, anna, "xlsx")
    assert run_next()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.FAILED, 1)
    assert job.error == "A workbook cannot hold all answers or so long texts; take Parquet or CSV."


def test_of_two_workers_one_does_a_job(rated: Study, anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[int] = []

    def work(job: Job, _progress: Progress) -> list[bytes]:
        did.append(job.pk)
        return [b"answers"]

    stand_in(monkeypatch, work)
    jobs = [queued(rated, anna), queued(rated, anna, "jsonl")]
    assert sorted(at_once(*[run_next] * 4)) == [False, False, True, True]
    assert sorted(did) == [job.pk for job in jobs]
    assert [file_of(job) for job in jobs] == [b"answers"] * 2


def test_pressing_twice_at_once_queues_one_job(rated: Study, anna: User) -> None:
    first, second = at_once(*[partial(queued, rated, anna)] * 2)
    assert first == second == Job.objects.get()


def test_a_message_that_comes_twice_changes_nothing(rated: Study, anna: User, notified: list[str]) -> None:
    job = queued(rated, anna)
    assert notified == [RUN_JOB] == [run_job.name]
    run_job()
    stored = Job.objects.values().get(pk=job.pk)
    assert notified == [RUN_JOB] * 2, "the next one may wait"
    run_job()
    assert Job.objects.values().get(pk=job.pk) == stored
    assert notified == [RUN_JOB] * 2


def test_progress_is_stored_while_a_job_runs(
    rated: Study, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "STEP_SECONDS", 0)
    seen = []

    def work(job: Job, progress: Progress) -> Iterator[bytes]:
        for number in range(3):
            progress(number, 3)
            seen.append(Job.objects.values_list("state", "done", "total").get(pk=job.pk))
            yield b"a line\n"

    stand_in(monkeypatch, work)
    job = queued(rated, anna)
    assert run_next()
    assert seen == [("running", number, 3) for number in range(3)]
    assert file_of(job) == b"a line\n" * 3


def test_a_job_that_is_stopped_midway_ends_with_its_next_step(
    rated: Study, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []

    def work(job: Job, progress: Progress) -> Iterator[bytes]:
        yield b"the first half"
        stop_job(job, by=anna)
        reached.append("stopped")
        progress(1, 2)
        reached.append("went on")
        yield b"the second half"

    stand_in(monkeypatch, work)
    job = queued(rated, anna)
    assert run_next()
    job.refresh_from_db()
    assert reached == ["stopped"]
    assert (job.state, job.file_parts.count()) == (Job.State.STOPPED, 0)
    assert not run_next(), "nobody takes it up again"


def test_a_job_that_is_stopped_after_its_last_step_stores_nothing(
    rated: Study, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(job: Job, _progress: Progress) -> Iterator[bytes]:
        yield b"all of it"
        stop_job(job, by=anna)

    stand_in(monkeypatch, work)
    job = queued(rated, anna)
    assert run_next()
    job.refresh_from_db()
    assert (job.state, job.file_parts.count()) == (Job.State.STOPPED, 0)


def test_the_job_of_a_lost_worker_is_begun_anew_by_another(rated: Study, anna: User) -> None:
    job = queued(rated, anna)
    lost = claim()
    assert lost is not None
    assert not run_next(), "it is held"
    lose_the_worker()
    assert run_next()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.DONE, 2)
    stored = file_of(job)
    with pytest.raises(LeaseLost):
        hand_in(lost, Made("late.csv", "text/csv", ()), io.BytesIO(b"of the lost worker"))
    assert file_of(job) == stored


def test_a_job_that_loses_three_workers_fails(rated: Study, anna: User) -> None:
    job = queued(rated, anna)
    for _time in range(3):
        assert claim()
        lose_the_worker()
    assert claim() is None
    poll()
    job.refresh_from_db()
    assert (job.state, job.error, job.finished_at is not None) == (Job.State.FAILED, LOST, True)


def test_what_goes_wrong_is_tried_again_and_what_is_refused_is_not(
    rated: Study, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles: list[Exception] = [OSError("the disk is full"), Refused("There are no answers.")]

    def work(_job: Job, _progress: Progress) -> list[bytes]:
        raise troubles.pop(0)

    stand_in(monkeypatch, work)
    job = queued(rated, anna)
    assert run_next()
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.WAITING, "OSError: the disk is full")
    assert run_next()
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.FAILED, "There are no answers.")


def test_polling_notifies_workers_that_are_idle(rated: Study, anna: User, notified: list[str]) -> None:
    for file_format in ("csv", "jsonl", "parquet"):
        queued(rated, anna, file_format)
    notified.clear()
    poll()
    assert notified == [], "nobody is there"
    Worker.objects.report("own@host", queues=["generate-own"], slots=2)
    poll()
    assert notified == [], "nobody takes jobs"
    Worker.objects.report("demo@host", queues=["default", "generate"], slots=2)
    poll()
    assert notified == [RUN_JOB] * 2
    claim()
    poll()
    assert notified == [RUN_JOB] * 3, "one of the two is at work"


def test_files_made_before_somebody_withdrew_are_gone(db: None) -> None:
    study = rated_study()
    anna = with_role(study, "anna")
    kept = queued(study, anna)
    run_next()
    assert file_of(kept).count(b"\n") > 1
    under_way = queued(study, anna, "parquet")
    claim()
    withdraw(study.enrolments.get(evaluator__username="alice"), by=anna)
    assert not Job.objects.filter(pk=kept.pk).exists()
    under_way.refresh_from_db()
    assert (under_way.state, under_way.lease) == ("waiting", None)
