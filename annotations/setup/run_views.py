"""The page of a study on the texts that workers write for it."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from annotations.access.permissions import Right, right_names, study_for
from annotations.models import Study
from annotations.requests import UserRequest
from annotations.setup.run_forms import RunForm
from annotations.setup.runs import add_run, refuse_further_methods, run_rows, start_run
from generation.refusals import Refused
from generation.runs.progress import workload
from generation.web.once import NonceForm, make_once


@require_http_methods(["GET", "HEAD", "POST"])
def study_runs(request: UserRequest, slug: str) -> HttpResponse:
    """Show the methods of a study and the runs for it, or start a run."""
    study = study_for(request.user, slug, Right.RUN)
    if request.method != "POST":
        return study_runs_page(request, study, RunForm(study))
    form = RunForm(study, request.POST)
    if not form.is_valid():
        return study_runs_page(request, study, form, status=HTTPStatus.BAD_REQUEST)
    try:
        study_run = make_once(
            NonceForm(request.POST).sent_nonce(),
            f"run of study {study.pk} by {request.user.pk}",
            lambda: start_run(study, started_by=request.user, **form.cleaned_data),
            study.study_runs.select_related("run"),
        )
    except Refused as refused:
        form.add_error(None, str(refused))
        return study_runs_page(request, study, form, status=HTTPStatus.BAD_REQUEST)
    return redirect(study_run.run)


def study_runs_page(
    request: UserRequest, study: Study, form: RunForm, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    """Return the page with the form, or with why the study takes no further method."""
    try:
        refuse_further_methods(study)
        fixed = ""
    except Refused as refused:
        fixed = str(refused)
    context = {
        "study": study,
        "rights": right_names(request.user, study),
        "form": form,
        "fixed": fixed,
        "methods": study.study_methods.select_related("method"),
        "rows": run_rows(study, fixed),
        "workload": workload(),
    }
    return render(request, "annotations/setup/study_runs.html", context, status=status)


@require_POST
def add(request: UserRequest, slug: str, run: UUID) -> HttpResponse:
    """Add a finished run to the study after all, once nothing is in the way."""
    study = study_for(request.user, slug, Right.RUN)
    study_run = get_object_or_404(study.study_runs.select_related("run__method"), run__uuid=run)
    try:
        add_run(study_run, added_by=request.user)
    except Refused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("The texts are in the study."))
    return redirect("annotations:study_runs", study.slug)
