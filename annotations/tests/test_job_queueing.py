"""Who may have files made, see them and fetch them, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Now
from django.http import Http404
from django.utils.translation import override

from annotations.access.roles import take_role
from annotations.jobs.queueing import job_for, jobs_of, open_file, queue_job, stop_job
from annotations.jobs.running import run_next
from annotations.models import Job, StaffAct, Study
from annotations.models.jobs import KEPT, MOST_OPEN
from annotations.recruiting.enrolment import enrol
from annotations.results.seal import Sealed
from annotations.tests.cast import build_study, build_user
from annotations.tests.job_cast import Role, queued, rated_study, with_role
from generation.refusals import Refused


@pytest.fixture
def rated(db: None) -> Study:
    return rated_study()


@pytest.fixture
def anna(rated: Study) -> User:
    return with_role(rated, "anna")


def reopen(study: Study) -> None:
    """Let a study take answers again, with somebody who gives some: it is sealed then."""
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN, closed_at=None)
    study.refresh_from_db()
    enrol(study, build_user("zoe"))


def test_asking_again_for_what_is_under_way_gives_the_same_job(rated: Study, anna: User) -> None:
    first = queued(rated, anna)
    assert queued(rated, anna) == first
    assert queued(rated, anna, "xlsx") != first
    with override("zh-hans"):
        assert queued(rated, anna) != first, "its words would be others"
    Job.objects.filter(pk=first.pk).stop()
    assert queued(rated, anna) != first, "what has ended is made anew"


def test_one_who_has_many_under_way_waits(rated: Study, anna: User) -> None:
    Job.objects.bulk_create(
        Job(study=rated, owner=anna, kind="answers", parameters={"format": str(number)}, language="en")
        for number in range(MOST_OPEN)
    )
    with pytest.raises(Refused, match="5 jobs of yours are under way already"):
        queued(rated, anna)
    queued(rated, with_role(rated, "ben"))
    Job.objects.filter(owner=anna).stop()
    queued(rated, anna)


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        ("poem", {}, "kind must be one of report, answers, pairs, archive, rehearsal, metric; got poem"),
        (
            "report",
            {"format": "pdf", "off_scale": "gone"},
            "off_scale must be one of kept, missing; got gone",
        ),
        ("answers", {}, "format must be one of csv, jsonl, parquet, xlsx; got –"),
        ("report", {"format": "docx", "off_scale": "kept"}, "format must be one of pdf, xlsx; got docx"),
        ("answers", {"format": "csv", "colour": "red"}, "parameters must be one of format; got colour"),
    ],
)
def test_what_no_kind_knows_is_refused(
    rated: Study, anna: User, kind: str, parameters: dict[str, str], said: str
) -> None:
    with pytest.raises(Refused) as refused:
        queue_job(rated, kind, parameters, by=anna)
    assert str(refused.value) == said
    assert not Job.objects.exists()


def test_only_who_may_see_results_has_files_made(rated: Study) -> None:
    for stranger in (with_role(rated, "oscar", Role.OBSERVER), build_user("eve")):
        with pytest.raises(PermissionDenied):
            queued(rated, stranger)
    assert queued(rated, build_user("carol", is_staff=True)).state == Job.State.WAITING


def test_a_sealed_study_has_no_files_made(db: None) -> None:
    study = build_study()
    enrol(study, build_user("alice"))
    with pytest.raises(Sealed):
        queued(study, with_role(study, "olga", Role.OWNER))
    assert not Job.objects.exists()


def test_a_file_is_not_given_out_once_the_study_is_sealed(rated: Study, anna: User) -> None:
    job, other = queued(rated, anna), queued(rated, anna, "jsonl")
    assert run_next()
    reopen(rated)
    with pytest.raises(Sealed):
        open_file(job_for(anna, job.uuid), by=anna)
    assert run_next(), "it was asked for before the seal"
    other.refresh_from_db()
    assert (other.state, other.file_parts.count()) == (Job.State.FAILED, 0)
    assert other.error == "The numbers of poems are sealed: close the study or unblind it."
    assert not StaffAct.objects.filter(act="export.answers").exists()


def test_a_job_is_seen_by_those_who_may_see_the_results_now(rated: Study, anna: User) -> None:
    job = queued(rated, anna)
    assert run_next()
    ben = with_role(rated, "ben")
    assert job_for(ben, job.uuid) == job
    with pytest.raises(PermissionDenied):
        job_for(with_role(rated, "oscar", Role.OBSERVER), job.uuid)
    take_role(rated, anna, by=None)
    with pytest.raises(Http404):
        job_for(anna, job.uuid)
    with pytest.raises(Http404):
        open_file(job, by=anna)
    assert list(jobs_of(anna)) == []
    with pytest.raises(Http404):
        job_for(ben, uuid4())


def test_its_owner_and_those_who_run_the_study_stop_a_job(rated: Study, anna: User) -> None:
    job = queued(rated, anna)
    with pytest.raises(PermissionDenied, match="Only its owner and those who run the study"):
        stop_job(job, by=with_role(rated, "ben"))
    assert stop_job(job, by=with_role(rated, "olga", Role.OWNER))
    assert not stop_job(job, by=anna), "it has ended already"
    job.refresh_from_db()
    assert (job.state, job.finished_at is not None) == (Job.State.STOPPED, True)
    assert not run_next()


def test_fetching_answers_is_logged_each_time(rated: Study, anna: User) -> None:
    job = queued(rated, anna)
    with pytest.raises(Refused, match="not ready"):
        open_file(job, by=anna)
    assert run_next()
    for _time in range(2):
        b"".join(open_file(job_for(anna, job.uuid), by=anna))
    acts = StaffAct.objects.filter(act="export.answers")
    assert [(act.actor, act.details) for act in acts] == [(anna, {"rows": "ratings", "format": "csv"})] * 2


def test_files_are_kept_for_a_week(rated: Study, anna: User) -> None:
    old, fresh, waiting = (queued(rated, anna, name) for name in ("csv", "jsonl", "parquet"))
    assert run_next()
    assert run_next()
    Job.objects.filter(pk=old.pk).update(finished_at=Now() - KEPT - timedelta(minutes=1))
    Job.objects.forget_old()
    assert set(Job.objects.all()) == {fresh, waiting}
    assert fresh.file_parts.exists()
