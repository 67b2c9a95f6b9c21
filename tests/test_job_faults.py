"""A worker that is killed in the middle of a job: it is done anew, once, by whoever works next."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from annotations.models import Job, Page, PageCandidate
from annotations.results.answer_rows import rating_chunks
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import create_study
from annotations.setup.uploads.waiting import Kind, keep_material
from annotations.tests.cast import build_user
from annotations.tests.job_cast import file_of, queued, rated_study, with_role
from annotations.uploads.waiting import queue_storing
from evalsite.tests.cast import wait_for
from generation.models import Candidate
from tests.worker_site import Crew, own_site

pytestmark = pytest.mark.fault


def test_a_job_outlives_the_worker_that_is_killed_over_it(
    django_db_blocker: DjangoDbBlocker, own_home: Path
) -> None:
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        own_site(patch, own_home) as home,
    ):
        crew = Crew(home)
        try:
            worker = crew.only("one")
            study = rated_study()
            job = queued(study, with_role(study, "anna"))
            with transaction.atomic(), connection.cursor() as cursor:
                # The worker waits in the middle of its work for as long as the table is locked.
                cursor.execute("LOCK TABLE annotations_rating IN ACCESS EXCLUSIVE MODE")
                wait_for(Job.objects.at_work().exists, 60)
                worker.children()[0].kill()
            wait_for(Job.objects.filter(state=Job.State.DONE).exists, 60)
            job.refresh_from_db()
            assert job.attempts == 2
            assert file_of(job) == b"".join(rating_chunks(study, "csv"))
        finally:
            crew.end()


def test_an_import_outlives_the_worker_that_is_killed_over_it_and_stores_nothing_twice(
    django_db_blocker: DjangoDbBlocker, own_home: Path
) -> None:
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        own_site(patch, own_home) as home,
    ):
        crew = Crew(home)
        try:
            worker = crew.only("one")
            olga = build_user("olga")
            draft = create_study(slug="mine", rubric=load_rubric("qa"), by=olga)
            content = "prompt,a,b\n" + "".join(f"Why {row}?,one {row},two {row}\n" for row in range(3_000))
            file = SimpleUploadedFile("answers.csv", content.encode())
            waiting = keep_material(Kind.CANDIDATES, draft, file, by=olga)
            said = {"columns": {"prompt": "prompt", "a": "texts_of", "b": "texts_of"}}
            job = queue_storing(waiting, said, by=olga)
            with transaction.atomic(), connection.cursor() as cursor:
                # The worker waits with half of what it stores written, for as long as this table is locked.
                cursor.execute("LOCK TABLE annotations_page IN ACCESS EXCLUSIVE MODE")
                wait_for(lambda: Job.objects.at_work().exists() and waits_for_a_lock(), 60)
                worker.children()[0].kill()
            wait_for(Job.objects.filter(state=Job.State.DONE).exists, 60)
            job.refresh_from_db()
            assert (job.attempts, job.made) == (2, draft)
            assert Candidate.objects.count() == PageCandidate.objects.count() == 6_000
            assert Page.objects.count() == 3_000
        finally:
            crew.end()


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])
