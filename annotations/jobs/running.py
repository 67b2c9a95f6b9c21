"""Doing jobs: a worker takes one under a lease, works outside any transaction, and hands in what came of it."""

from __future__ import annotations

import logging
import time
from tempfile import TemporaryFile
from typing import IO

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import override

from annotations.jobs.kinds import KINDS
from annotations.jobs.outcome import Made, Stored
from annotations.jobs.telling import tell_owners
from annotations.models import Job, JobFilePart
from annotations.models.jobs import notify
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
    pk, lease, progress = job.pk, job.lease, ProgressReporter(job)
    try:
        with held(progress.renew, str(job)), override(job.language):
            make(job, progress)
    except LeaseLost as lost:
        logger.warning("Nothing was stored: %s", lost)
    except Exception as error:
        logger.warning("Job %d could not be done", pk, exc_info=True)
        # Neither a refusal nor what takes too long comes out otherwise a second time.
        is_final = isinstance(error, Refused | SoftTimeLimitExceeded)
        with transaction.atomic():
            Job.objects.give_up(pk, lease, error, is_final=is_final)
    tell_owners()
    return True


@transaction.atomic
def claim() -> Job | None:
    """Take the next job, or return None where there is none free; one that failed before comes last."""
    return Job.objects.order_by("attempts", "pk").claim(started_at=Now(), done=0, total=0)


def make(job: Job, progress: ProgressReporter) -> None:
    """Do a job and hand in what came of it; raise `LeaseLost` where it was stopped or taken by another."""
    made = KINDS[job.kind].make(job, progress)
    if isinstance(made, Stored):
        retry(lambda: store(job, made))
        return
    with TemporaryFile() as file:
        for chunk in made.chunks:
            file.write(chunk)
        retry(lambda: hand_in(job, made, file))


class ProgressReporter:
    """Takes how far a job is, stores it with the lease, and raises `LeaseLost` once that is lost."""

    def __init__(self, job: Job) -> None:
        self.job, self.done, self.total = job, 0, 0
        self.stored_at = float("-inf")
        self.lost: LeaseLost | None = None

    def __call__(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self.lost:
            raise self.lost
        # What a transaction writes nobody sees before its end: then the thread that holds the lease tells it.
        if not connection.in_atomic_block and time.monotonic() - self.stored_at >= STEP_SECONDS:
            self.renew()

    def renew(self) -> None:
        """Hold the job for another lease, and store how far it is; raise `LeaseLost`."""
        if self.job.lease is None:
            return
        self.stored_at = time.monotonic()
        try:
            Job.objects.renew(self.job.pk, self.job.lease, done=self.done, total=self.total)
        except LeaseLost as lost:
            self.lost = lost
            raise


@transaction.atomic
def store(job: Job, stored: Stored) -> None:
    """Store what came of a job, if the lease still holds at its end; raise `LeaseLost` otherwise."""
    if job.lease is None:
        raise LeaseLost(str(job))
    study = stored.store()
    Job.objects.hand_in(
        job.pk,
        job.lease,
        state=Job.State.DONE,
        finished_at=Now(),
        made=study,
        study=job.study or study,
    )


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
    tell_owners()
    waiting = Job.objects.claimable().count()
    idle = idle_slots(settings.CELERY_TASK_DEFAULT_QUEUE) - Job.objects.at_work().count()
    notify(min(waiting, max(0, idle)))
