"""What a page says of a job: what it makes or does, and how far it is."""

from __future__ import annotations

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from annotations.jobs.kinds import KINDS
from annotations.models import Job
from annotations.models.jobs import KEPT
from generation.models import Worker
from generation.models.lease import LOST


def file_words(job: Job) -> str:
    """Return what a job makes, as in 'Report (PDF)', or does."""
    if "format" not in job.parameters:
        return str(KINDS[job.kind].label)
    return _("%(what)s (%(format)s)") % {
        "what": KINDS[job.kind].label,
        "format": job.parameters["format"].upper(),
    }


def progress_words(job: Job) -> str:
    """Return how far a job is, what came of it, or why nothing did; at most one query."""
    if job.state == Job.State.WAITING:
        has_worker = Worker.objects.seen_lately().taking(settings.CELERY_TASK_DEFAULT_QUEUE).exists()
        return (
            _("It begins as soon as a worker is free.")
            if has_worker
            else _("No worker is there now; it begins as soon as one is started.")
        )
    if job.state == Job.State.RUNNING:
        if not job.total:
            return _("It has begun.")
        if job.kind in ("import_candidates", "import_prompts", "import_scores"):
            return _("%(done)s rows are read.") % {"done": job.done}
        return _("%(done)s of %(total)s are done.") % {"done": job.done, "total": job.total}
    if job.state == Job.State.DONE and job.made_id:
        return _("It is done.")
    if job.state == Job.State.DONE and job.finished_at:
        until = timezone.localtime(job.finished_at + KEPT)
        words = {"size": filesizeformat(job.file_bytes or 0), "day": date_format(until, "DATE_FORMAT")}
        return _("%(size)s; kept until %(day)s.") % words
    if job.state == Job.State.FAILED:
        return _("Three workers in a row were lost while they made it.") if job.error == LOST else job.error
    return _("Nothing of it was kept.")
