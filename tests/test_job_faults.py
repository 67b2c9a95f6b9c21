"""A process that is killed in the middle of a job: another one does the job anew."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from annotations.jobs.running import run_next
from annotations.models import Job
from annotations.results.answer_rows import rating_chunks
from annotations.tests.job_cast import file_of, queued, rated_study, with_role
from evalsite.tests.cast import wait_for

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

# A worker's process, on the database of the tests.
WORK = """
import sys
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
import django
django.setup()
from annotations.jobs.running import run_next
run_next()
"""


def at_work() -> bool:
    return Job.objects.at_work().exists()


def test_a_job_outlives_the_process_that_is_killed_over_it() -> None:
    study = rated_study()
    job = queued(study, with_role(study, "anna"))
    arguments = [sys.executable, "-c", WORK, connection.settings_dict["NAME"]]
    with transaction.atomic(), connection.cursor() as cursor:
        # The worker waits in the middle of its work for as long as the table is locked.
        cursor.execute("LOCK TABLE annotations_rating IN ACCESS EXCLUSIVE MODE")
        worker = subprocess.Popen(arguments)
        wait_for(at_work, 60)
        os.kill(worker.pid, signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL
    assert not run_next(), "its lease holds still"
    Job.objects.update(leased_until=Now() - timedelta(seconds=1))
    assert run_next()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.DONE, 2)
    assert file_of(job) == b"".join(rating_chunks(study, "csv"))
