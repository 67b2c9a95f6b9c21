"""The page on which a file of material waits for what its columns are."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from annotations.access.fixed import refuse_if_fixed
from annotations.access.permissions import Right, study_for
from annotations.models import Study, WaitingUpload
from annotations.requests import UserRequest
from annotations.setup.material.additions import Addition, planned_addition
from annotations.setup.uploads.forms import ColumnsForm
from annotations.setup.uploads.waiting import first_rows, read_waiting, store_read
from annotations.uploads.forms import FileOptionsForm
from annotations.uploads.waiting import is_large, queue_storing, waiting_upload
from generation.files.problems import FileRefused
from generation.refusals import Refused
from generation.web.once import NonceForm, make_once, was_made

Kind = WaitingUpload.Kind


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_columns(request: UserRequest, slug: str, file: UUID) -> HttpResponse:
    """Show the first candidates of a waiting file with what its columns seem to be, and store it as confirmed."""
    return confirm(request, slug, file, Kind.CANDIDATES)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_prompts(request: UserRequest, slug: str, file: UUID) -> HttpResponse:
    """Show the first prompts of a waiting file with what its columns seem to be, and store it as confirmed."""
    return confirm(request, slug, file, Kind.PROMPTS)


def confirm(request: UserRequest, slug: str, file: UUID, kind: Kind) -> HttpResponse:
    study = study_for(request.user, slug, Right.RUN)
    nonce, sender = NonceForm(request.POST).sent_nonce(), f"file {file} by {request.user.pk}"
    try:
        waiting = waiting_upload(kind, file, by=request.user, study=study)
    except Http404:
        # A second press comes when the first has stored it.
        if not was_made(nonce, sender):
            raise
        return redirect("annotations:material", study.slug)
    if waiting.job is not None and waiting.job.is_open():
        return redirect(waiting.job)
    options = FileOptionsForm(request.POST if request.method == "POST" else request.GET)
    said: dict[str, Any] = options.said()
    try:
        table, rows, guessed = first_rows(waiting, **said)
    except FileRefused as refused:
        options.offer(refused)
        return page(request, study, waiting, options, refused=refused)
    sent = (request.POST,) if request.method == "POST" else ()
    form = ColumnsForm(
        table,
        rows,
        guessed,
        *sent,
        of_prompts=kind == Kind.PROMPTS,
        has_material=study.subtasks.exists(),
    )
    if form.is_valid():
        try:
            if form.is_addition and "is_looked_at" not in request.POST and not is_large(waiting):
                addition = planned_addition(study, read_waiting(waiting, **said, **form.said()))
                return page(request, study, waiting, options, form, addition=addition)
            if is_large(waiting):
                refuse_if_fixed(study)
                return redirect(queue_storing(waiting, {**said, **form.said()}, by=request.user))
            make_once(
                nonce,
                sender,
                lambda: store_read(
                    waiting,
                    read_waiting(waiting, **said, **form.said()),
                    by=request.user,
                    adds=form.is_addition,
                ),
                Study.objects.all(),
            )
        except Refused as refused:
            if was_made(nonce, sender):
                return redirect("annotations:material", study.slug)
            form.refuse(None, refused)
        else:
            messages.success(request, _("The material is stored. Look at it, then sign it off."))
            return redirect("annotations:material", study.slug)
    return page(request, study, waiting, options, form)


def page(
    request: UserRequest,
    study: Study,
    waiting: WaitingUpload,
    options: FileOptionsForm,
    form: ColumnsForm | None = None,
    *,
    refused: FileRefused | None = None,
    addition: Addition | None = None,
) -> HttpResponse:
    """Return the page of a waiting file, with the form of its columns where it could be read.

    What is to be added is looked at before it is stored (`addition`).
    """
    is_bad = bool(form and form.errors)
    context = {
        "study": study,
        "waiting": waiting,
        "options": options,
        "form": form,
        "refused": refused,
        "addition": addition,
        "sheets": form.table.sheets if form and len(form.table.sheets) > 1 else (),
        "is_large": form is not None and is_large(waiting),
    }
    return render(
        request,
        "annotations/setup/confirm_columns.html",
        context,
        status=HTTPStatus.BAD_REQUEST if is_bad else HTTPStatus.OK,
    )
