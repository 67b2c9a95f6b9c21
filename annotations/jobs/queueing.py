"""Queueing and stopping jobs, and who may see them and fetch their files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.access.permissions import Right, rights, studies_of, study_for
from annotations.jobs.kinds import KINDS
from annotations.models import Job, Study
from annotations.models.jobs import JobQuerySet
from annotations.results.seal import refuse_sealed
from generation.refusals import Refused
from generation.runs.notifications import send_tasks

# One who wants more has them prepared one after the other, and leaves the workers to others as well.
MOST_OPEN = 5
# By its name, because the task notifies in its turn.
RUN_JOB = "annotations.tasks.run_job"


def queue_job(study: Study, kind: str, parameters: Mapping[str, str], *, by: User) -> Job:
    """Have a worker do a job on a study for one who may see its results, and return the job.

    Who asks for the same again while it is under way gets the job that is. Raises PermissionDenied, `Sealed`, and
    `Refused` for what the kind does not know and for one who has too many under way.
    """
    if Right.ANALYSE not in rights(by, study):
        raise PermissionDenied
    if kind not in KINDS:
        raise Refused(one_of("kind", KINDS, kind))
    known = KINDS[kind].parameters
    if unknown := sorted(parameters.keys() - known.keys()):
        raise Refused(one_of("parameters", known, ", ".join(unknown)))
    for name, values in known.items():
        if parameters.get(name) not in values:
            raise Refused(one_of(name, values, parameters.get(name, "")))
    refuse_sealed(study)
    wanted = {
        "study": study,
        "owner": by,
        "kind": kind,
        "parameters": dict(parameters),
        "language": get_language() or settings.LANGUAGE_CODE,
    }
    with transaction.atomic():
        # Of two requests at once the second sees what the first has queued.
        User.objects.select_for_update().get(pk=by.pk)
        under_way = Job.objects.open().filter(owner=by)
        if same := under_way.filter(**wanted).first():
            return same
        if under_way.count() >= MOST_OPEN:
            raise Refused(
                _("%(count)d files are being prepared for you already. Wait for one of them, or stop one.")
                % {"count": MOST_OPEN}
            )
        job = Job.objects.create(**wanted)
        transaction.on_commit(notify)
    return job


def one_of(name: str, values: Mapping[str, object] | tuple[str, ...], value: str) -> str:
    return _("%(name)s must be one of %(values)s; got %(value)s") % {
        "name": name,
        "values": ", ".join(values),
        "value": value or "–",
    }


def notify(times: int = 1) -> None:
    """Notify so many workers that jobs wait; without a broker they find out when they next poll."""
    send_tasks(RUN_JOB, [()] * times, settings.CELERY_TASK_DEFAULT_QUEUE)


def jobs_of(user: User) -> JobQuerySet:
    """Return the jobs of a user on studies whose running they have a part in, the latest first."""
    return Job.objects.filter(owner=user, study__in=studies_of(user)).select_related("study")


def job_for(user: User, uuid: UUID) -> Job:
    """Return a job for one who may see the results of its study now.

    Raises Http404 for whoever has no part in running the study, PermissionDenied for whoever has another one.
    """
    job = get_object_or_404(Job.objects.select_related("study", "owner"), uuid=uuid)
    study_for(user, job.study.slug, Right.ANALYSE)
    return job


def may_stop(job: Job, user: User) -> bool:
    """Whether a user may stop a job: its owner, and those who run the study."""
    return job.owner_id == user.pk or Right.RUN in rights(user, job.study)


def stop_job(job: Job, *, by: User) -> bool:
    """End a job without a result, and return whether this call did so; raise PermissionDenied.

    A worker that is at it finds out with its next step, and stores nothing.
    """
    if not may_stop(job, by):
        raise PermissionDenied(_("Only its owner and those who run the study can stop this."))
    return bool(Job.objects.filter(pk=job.pk).stop())


def open_file(job: Job, *, by: User) -> Iterator[bytes]:
    """Return the file of a job in parts, and log where single answers leave the site so.

    Raises `Sealed` where the study has been sealed since, PermissionDenied, and `Refused` where there is no file.
    """
    study = study_for(by, job.study.slug, Right.ANALYSE)
    refuse_sealed(study)
    if job.state != Job.State.DONE:
        raise Refused(_("This file is not ready."))
    if job.kind == "answers":
        log_act(study, by, "export.answers", rows="ratings", format=job.parameters["format"])
    return (
        bytes(content) for content in job.file_parts.values_list("content", flat=True).iterator(chunk_size=1)
    )
