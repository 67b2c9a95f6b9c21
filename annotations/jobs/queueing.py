"""Queueing and stopping jobs, and who may see them and fetch their files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.access.permissions import Right, rights, studies_of, study_for
from annotations.jobs.kinds import KINDS
from annotations.models import Job, Study
from annotations.models.jobs import JobQuerySet
from annotations.results.seal import refuse_sealed
from generation.files.problems import listed
from generation.refusals import Refused


def queue_job(study: Study, kind: str, parameters: Mapping[str, str], *, by: User) -> Job:
    """Have a worker do a job on a study for one with the right to what comes of it, and return the job.

    Who asks for the same again while it is under way gets the job that is. Raises PermissionDenied, `Sealed`, and
    `Refused` for what the kind does not know and for one who has too many under way.
    """
    if kind not in KINDS or KINDS[kind].is_import:
        raise Refused(one_of("kind", {name: one for name, one in KINDS.items() if not one.is_import}, kind))
    if KINDS[kind].right not in rights(by, study):
        raise PermissionDenied
    known = KINDS[kind].parameters
    parameters = {**KINDS[kind].defaults, **parameters}
    if unknown := sorted(parameters.keys() - known.keys()):
        raise Refused(one_of("parameters", known, listed(unknown)))
    for name, values in known.items():
        if parameters.get(name) not in values:
            raise Refused(one_of(name, values, parameters.get(name, "")))
    KINDS[kind].check(parameters)
    if KINDS[kind].makes_file:
        refuse_sealed(study)
    return Job.objects.queue(owner=by, study=study, kind=kind, parameters=parameters)


def one_of(name: str, values: Mapping[str, object] | tuple[str, ...], value: str) -> str:
    return _("%(name)s must be one of %(values)s; got %(value)s") % {
        "name": name,
        "values": listed(values),
        "value": value or "–",
    }


def jobs_of(user: User) -> JobQuerySet:
    """Return the jobs of a user, on studies whose running they have a part in or to make one, the latest first."""
    return Job.objects.filter(Q(study__in=studies_of(user)) | Q(study=None), owner=user).select_related(
        "study"
    )


def job_for(user: User, uuid: UUID) -> Job:
    """Return a job for one with the right to what comes of it; one that makes a study is its owner's alone.

    Raises Http404 for whoever has no part in running the study, PermissionDenied for whoever has another one.
    """
    job = get_object_or_404(Job.objects.select_related("study", "owner", "made"), uuid=uuid)
    if job.study is not None:
        study_for(user, job.study.slug, KINDS[job.kind].right)
    elif job.owner_id != user.pk:
        raise Http404
    return job


def may_stop(job: Job, user: User) -> bool:
    """Whether a user may stop a job: its owner, and those who run the study."""
    return job.owner_id == user.pk or (job.study is not None and Right.RUN in rights(user, job.study))


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
    if job.study is None or not KINDS[job.kind].makes_file:
        raise Refused(_("No file comes of this."))
    study = study_for(by, job.study.slug, Right.ANALYSE)
    refuse_sealed(study)
    if job.state != Job.State.DONE:
        raise Refused(_("This file is not ready."))
    if rows := KINDS[job.kind].rows:
        log_act(study, by, "export.answers", rows=rows, format=job.parameters["format"])
    return (
        bytes(content) for content in job.file_parts.values_list("content", flat=True).iterator(chunk_size=1)
    )
