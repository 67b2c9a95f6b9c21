"""Pages of jobs: asking for one, watching it, stopping it, and fetching what came of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from annotations.access.permissions import Right, study_for
from annotations.jobs.kinds import KINDS
from annotations.jobs.queueing import job_for, jobs_of, may_stop, open_file, queue_job, stop_job
from annotations.jobs.telling import set_tell
from annotations.jobs.wording import file_words, progress_words
from annotations.models import Job, WaitingUpload
from annotations.recruiting.mail import can_mail
from annotations.requests import UserRequest
from annotations.results.preferences.wanted import LAYOUTS
from generation.refusals import Refused
from generation.web.confirming import Question, ask

JOBS_ON_PAGE = 50


@require_POST
def prepare(request: UserRequest, slug: str) -> HttpResponse:
    """Have a worker make a file of a study's results; `file` says which: `report.pdf`, `pairs-picks.jsonl`."""
    study = study_for(request.user, slug, Right.ANALYSE)
    kind, _dot, file_format = request.POST.get("file", "").partition(".")
    kind, _mark, source = kind.partition("-")
    parameters = {"format": file_format}
    if source:
        parameters["layout" if source in LAYOUTS else "source"] = source
    if kind == "report" and "off_scale" in request.POST:
        parameters["off_scale"] = request.POST["off_scale"]
    try:
        job = queue_job(study, kind, parameters, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("annotations:results", slug)
    return redirect(job)


@require_POST
def metric(request: UserRequest, slug: str) -> HttpResponse:
    """Have a worker compute a metric for the texts of a study."""
    study = study_for(request.user, slug, Right.RUN)
    try:
        job = queue_job(study, "metric", {"metric": request.POST.get("metric", "")}, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("annotations:judges", slug)
    return redirect(job)


@require_POST
def rehearse(request: UserRequest, slug: str) -> HttpResponse:
    """Have a worker answer a copy of a study with simulated evaluators."""
    study = study_for(request.user, slug, Right.RUN)
    parameters = {name: request.POST.get(name, "") for name in KINDS["rehearsal"].parameters}
    try:
        job = queue_job(study, "rehearsal", parameters, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("annotations:plan", slug)
    return redirect(job)


@require_safe
def jobs(request: UserRequest) -> HttpResponse:
    """List the jobs of the reader, the latest first."""
    page = Paginator(jobs_of(request.user), JOBS_ON_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "jobs": [(job, file_words(job)) for job in page]}
    return render(request, "annotations/jobs/jobs.html", context)


@require_safe
def job(request: UserRequest, job: UUID) -> HttpResponse:
    """Show how far a job is, and its file when it is there."""
    return render(request, "annotations/jobs/job.html", job_context(request, job))


@require_safe
def job_live(request: UserRequest, job: UUID) -> HttpResponse:
    """Show the part of the page of a job that changes."""
    return render(request, "annotations/jobs/_job_live.html", job_context(request, job))


def job_context(request: UserRequest, uuid: UUID) -> dict[str, Any]:
    found = job_for(request.user, uuid)
    return {
        "job": found,
        "words": progress_words(found),
        "file": file_words(found),
        "result": result_address(found),
        "back": waiting_address(found),
        "may_stop": found.is_open() and may_stop(found, request.user),
        "may_be_told": found.is_open() and found.owner_id == request.user.pk and can_mail(),
    }


def result_address(job: Job) -> str:
    """Return where what a job stored is seen, or nothing."""
    return reverse(KINDS[job.kind].page, args=[job.made.slug]) if job.made else ""


def waiting_address(job: Job) -> str:
    """Return where the upload waits that a job could not store, to be read otherwise, or nothing."""
    if job.state not in (Job.State.FAILED, Job.State.STOPPED) or not KINDS[job.kind].is_import:
        return ""
    upload = WaitingUpload.objects.fresh().filter(job=job).first()
    if upload is None:
        return ""
    if upload.kind == WaitingUpload.Kind.RATINGS:
        return reverse("annotations:look_at_ratings", args=[upload.uuid])
    if upload.kind == WaitingUpload.Kind.SCORES and upload.study:
        return reverse("annotations:judges", args=[upload.study.slug])
    name = {"candidates": "confirm_columns", "prompts": "confirm_prompts"}[upload.kind]
    return reverse(f"annotations:{name}", args=[upload.study.slug if upload.study else "", upload.uuid])


@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: UserRequest, job: UUID) -> HttpResponse:
    """Ask whether a job shall end, and end it."""
    found = job_for(request.user, job)
    if request.method == "POST":
        if stop_job(found, by=request.user):
            messages.success(request, _("It is stopped. Nothing of it was kept."))
        return redirect(found)
    if not may_stop(found, request.user):
        raise PermissionDenied
    question = Question(
        _("Stop “%(what)s”?") % {"what": file_words(found)},
        (_("What is done of it is lost. It can be asked for again."),),
        _("Stop it"),
        found.get_absolute_url(),
    )
    return ask(request, question)


@require_POST
def tell(request: UserRequest, job: UUID) -> HttpResponse:
    """Have a letter sent when a job has ended, or none."""
    found = job_for(request.user, job)
    wanted = request.POST.get("tell") == "1"
    try:
        set_tell(found, by=request.user, tell=wanted)
    except Refused as refused:
        messages.warning(request, str(refused))
    else:
        words = _("You will be told by mail.") if wanted else _("You will not be told by mail.")
        messages.success(request, words)
    return redirect(found)


@require_GET
def job_file(request: UserRequest, job: UUID) -> HttpResponse | StreamingHttpResponse:
    """Send the file of a job; where there is none, or the study is sealed, lead to the page that says so."""
    found = job_for(request.user, job)
    try:
        return file_response(request.user, found)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect(found)


def file_response(user: User, job: Job) -> StreamingHttpResponse:
    """Return the file of a job as it is read from the database; raise what `open_file` raises."""
    return StreamingHttpResponse(
        open_file(job, by=user),
        content_type=job.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{job.file_name}"',
            "Content-Length": str(job.file_bytes),
        },
    )
