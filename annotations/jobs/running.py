"""Doing jobs: a worker takes one under a lease, works outside any transaction, and hands the file in."""

from __future__ import annotations

import logging
import time
from tempfile import TemporaryFile
from typing import IO

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import override

from annotations.jobs.kinds import KINDS, Made, Progress
from annotations.jobs.queueing import notify
from annotations.models import Job, JobFilePart
from generation.models import LeaseLost
from generation.refusals import Refused
from generation.runs.notifications import idle_slots
from generation.runs.writing import held, retry

STEP_SECONDS = 0.4
PART_BYTES = 1024 * 1024

logger = logging.getLogger(__name__)


def run_next() -> bool:
    """Do the next job that waits, and return whether there was one."""
    job = claim()
    if job is None or job.lease is None:
        return False
    pk, lease = job.pk, job.lease
    try:
        with held(lambda: Job.objects.renew(pk, lease), str(job)), override(job.language):
            make(job)
    except LeaseLost as lost:
        logger.warning("Nothing was stored: %s", lost)
    except Exception as error:
        logger.warning("Job %d could not be done", pk, exc_info=True)
        # Neither a refusal nor what takes too long comes out otherwise a second time.
        is_final = isinstance(error, Refused | SoftTimeLimitExceeded)
        with transaction.atomic():
            Job.objects.give_up(pk, lease, error, is_final=is_final)
    return True


@transaction.atomic
def claim() -> Job | None:
    """Take the next job, or return None where there is none free; one that failed before comes last."""
    return Job.objects.order_by("attempts", "pk").claim(started_at=Now(), done=0, total=0)


def make(job: Job) -> None:
    """Make the file of a job and hand it in; raise `LeaseLost` where it was stopped or taken by another."""
    made = KINDS[job.kind].make(job, told_to(job))
    with TemporaryFile() as file:
        for chunk in made.chunks:
            file.write(chunk)
        retry(lambda: hand_in(job, made, file))


def told_to(job: Job) -> Progress:
    """Return what stores how far a job is, not more often than anybody looks."""
    told_at = float("-inf")

    def progress(done: int, total: int) -> None:
        nonlocal told_at
        if job.lease is None or time.monotonic() - told_at < STEP_SECONDS:
            return
        told_at = time.monotonic()
        Job.objects.renew(job.pk, job.lease, done=done, total=total)

    return progress


@transaction.atomic
def hand_in(job: Job, made: Made, file: IO[bytes]) -> None:
    """Store the file of a job, if the lease still holds; raise `LeaseLost` otherwise."""
    if job.lease is None:
        raise LeaseLost(str(job))
    size = file.seek(0, 2)
    Job.objects.hand_in(
        job.pk,
        job.lease,
        state=Job.State.DONE,
        finished_at=Now(),
        file_name=made.name,
        content_type=made.content_type,
        file_bytes=size,
    )
    file.seek(0)
    for number, content in enumerate(iter(lambda: file.read(PART_BYTES), b"")):
        JobFilePart.objects.create(job=job, number=number, content=content)


def poll() -> None:
    """Fail jobs whose workers were lost three times, forget old ones, and notify idle workers where jobs wait."""
    with transaction.atomic():
        Job.objects.fail_lost()
    Job.objects.forget_old()
    waiting = Job.objects.claimable().count()
    idle = idle_slots(settings.CELERY_TASK_DEFAULT_QUEUE) - Job.objects.at_work().count()
    notify(min(waiting, max(0, idle)))
