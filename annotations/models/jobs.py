"""Long work that outlasts a request: what was asked for, how far it is, and the file or study that comes of it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from annotations.models.study import Study
from generation.models.lease import MOST_ATTEMPTS, Leased, LeasedQuerySet
from generation.refusals import Refused
from generation.runs.notifications import send_tasks

# A file with single answers should not lie about longer than somebody needs to fetch it.
KEPT = timedelta(days=7)
# One who wants more has them done one after the other, and leaves the workers to others as well.
MOST_OPEN = 5
# By its name, because the task notifies in its turn.
RUN_JOB = "annotations.tasks.run_job"


def notify(times: int = 1) -> None:
    """Notify so many workers that jobs wait; without a broker they find out when they next poll."""
    send_tasks(RUN_JOB, [()] * times, settings.CELERY_TASK_DEFAULT_QUEUE)


class JobQuerySet(LeasedQuerySet["Job"]):
    @transaction.atomic
    def queue(self, *, owner: User, **wanted: Any) -> Job:
        """Have a worker do what is wanted, in the owner's language; the same again while it is under way is that job.

        Raises `Refused` for one who has too many under way.
        """
        wanted |= {"owner": owner, "language": get_language() or settings.LANGUAGE_CODE}
        # Of two requests at once the second sees what the first has queued.
        User.objects.select_for_update().get(pk=owner.pk)
        under_way = self.open().filter(owner=owner)
        if same := under_way.filter(**wanted).first():
            return same
        if under_way.count() >= MOST_OPEN:
            raise Refused(
                gettext("%(count)d jobs of yours are under way already. Wait for one of them, or stop one.")
                % {"count": MOST_OPEN}
            )
        job = self.create(**wanted)
        transaction.on_commit(notify)
        return job

    def open(self) -> JobQuerySet:
        """Those that wait or are being worked on."""
        return self.filter(state__in=Job.OPEN)

    def to_be_told(self) -> JobQuerySet:
        """Those that have ended, whose owner wants a letter about it and has had none."""
        ended = (Job.State.DONE, Job.State.FAILED)
        return self.filter(state__in=ended, tell=True, told_at=None).exclude(owner__email="")

    def at_work(self) -> JobQuerySet:
        """Those that a worker holds now."""
        return self.filter(state=Job.State.RUNNING, leased_until__gte=Now())

    def fail(self, error: str, **values: Any) -> int:
        return super().fail(error, finished_at=Now(), **values)

    def stop(self) -> int:
        """End those that are open without a result, and return how many they are; whoever works on one loses it."""
        return self.open().update(
            state=Job.State.STOPPED, lease=None, leased_until=None, finished_at=Now(), error=""
        )

    def forget_answers(self) -> None:
        """Delete the files that were made, and have what is under way begin anew: answers went that may be in them."""
        self.filter(state=Job.State.DONE).delete()
        self.filter(state=Job.State.RUNNING).update(state=Job.State.WAITING, lease=None, leased_until=None)

    def forget_old(self) -> int:
        """Delete those that ended before the time for which files are kept, and return how many rows that were."""
        return self.filter(finished_at__lte=Now() - KEPT).delete()[0]


class Job(Leased):
    """One piece of long work, of one of `annotations.jobs.kinds.KINDS`: done by one worker at a time, under a lease."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        STOPPED = "stopped", _("stopped")

    OPEN = (State.WAITING, State.RUNNING)
    FREE, HELD = State.WAITING, State.RUNNING

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    # None for one that makes a study.
    study = models.ForeignKey(Study, on_delete=models.CASCADE, null=True, related_name="jobs")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    # What the kind asks to be told, as in {"format": "pdf", "off_scale": "kept"}.
    parameters = models.JSONField(default=dict)
    # In which the owner read the page on which they asked: the words of the file.
    language = models.CharField(max_length=20)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    # Steps of this attempt; no total while nobody knows it.
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    # What was stored or made, where no file comes of it: the study in which it is.
    made = models.ForeignKey(Study, on_delete=models.CASCADE, null=True, related_name="+")
    # Of the file; empty until there is one.
    file_name = models.CharField(max_length=120, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    file_bytes = models.PositiveBigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # Whether its owner wants a letter when it has ended, and when that was sent.
    tell = models.BooleanField(default=False)
    told_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "study", "kind", "parameters", "language"],
                condition=Q(state__in=["waiting", "running"]),
                name="job_open_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "done", "failed", "stopped"]),
                name="job_state_known",
            ),
            models.CheckConstraint(condition=Q(attempts__lte=MOST_ATTEMPTS), name="job_attempts_limited"),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease__isnull=False, leased_until__isnull=False),
                name="job_running_is_leased",
            ),
            models.CheckConstraint(condition=Q(done__lte=F("total")), name="job_done_within_total"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], finished_at__isnull=True)
                | Q(state__in=["done", "failed", "stopped"], finished_at__isnull=False),
                name="job_ended_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="done", file_bytes__isnull=False, made__isnull=True)
                | Q(state="done", file_bytes__isnull=True, made__isnull=False)
                | ~Q(state="done") & Q(file_bytes__isnull=True, made__isnull=True),
                name="job_done_has_made_something",
            ),
        ]

    def __str__(self) -> str:
        return f"job {self.pk}: {self.kind} of study {self.study_id}"

    def get_absolute_url(self) -> str:
        return reverse("annotations:job", args=[self.uuid])

    def is_open(self) -> bool:
        """Whether it waits or is being worked on."""
        return self.state in Job.OPEN


class JobFilePart(models.Model):
    """A part of the file that came of a job: no file need be in memory as a whole."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="file_parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["job", "number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="job_file_part_once")]

    def __str__(self) -> str:
        return f"part {self.number} of job {self.job_id}"
