"""A worker that is killed in the middle of a job: it is done anew, once, by whoever works next."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from annotations.models import Job
from annotations.results.answer_rows import rating_chunks
from annotations.tests.job_cast import file_of, queued, rated_study, with_role
from evalsite.tests.cast import wait_for
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
