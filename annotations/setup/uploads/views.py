"""The page on which a file that was uploaded waits for what its columns are."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from annotations.access.permissions import Right, study_for
from annotations.models import Study, WaitingFile
from annotations.requests import UserRequest
from annotations.setup.uploads.forms import ColumnsForm, FileOptionsForm
from annotations.setup.uploads.waiting import first_rows, store_waiting
from generation.files.problems import FileRefused
from generation.refusals import Refused
from generation.web.once import NonceForm, make_once, was_made


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_columns(request: UserRequest, slug: str, file: UUID) -> HttpResponse:
    """Show the first rows of a waiting file with what its columns seem to be, and store it as it is confirmed."""
    study = study_for(request.user, slug, Right.RUN)
    nonce, sender = NonceForm(request.POST).sent_nonce(), f"file {file} by {request.user.pk}"
    if was_made(nonce, sender):
        return redirect("annotations:material", study.slug)
    waiting = get_object_or_404(
        WaitingFile.objects.fresh().select_related("study"), uuid=file, study=study, uploaded_by=request.user
    )
    options = FileOptionsForm(request.POST if request.method == "POST" else request.GET)
    options.is_valid()
    said = {name: options.cleaned_data.get(name, "") for name in ("encoding", "sheet")}
    try:
        table, rows, guessed = first_rows(waiting, **said)
    except FileRefused as refused:
        options.offer(refused)
        return page(request, study, waiting, options, refused=refused)
    replaces = study.subtasks.exists()
    if request.method != "POST":
        return page(request, study, waiting, options, ColumnsForm(table, rows, guessed, replaces=replaces))
    form = ColumnsForm(table, rows, guessed, request.POST, replaces=replaces)
    if form.is_valid():
        try:
            make_once(
                nonce,
                sender,
                lambda: store_waiting(waiting, columns=form.roles(), **said, by=request.user),
                Study.objects.all(),
            )
        except Refused as refused:
            form.refuse(None, refused)
        else:
            messages.success(request, _("The material is stored. Look at it, then sign it off."))
            return redirect("annotations:material", study.slug)
    return page(request, study, waiting, options, form)


def page(
    request: UserRequest,
    study: Study,
    waiting: WaitingFile,
    options: FileOptionsForm,
    form: ColumnsForm | None = None,
    *,
    refused: FileRefused | None = None,
) -> HttpResponse:
    """Return the page of a waiting file, with the form of its columns where it could be read."""
    is_bad = bool(form and form.errors)
    context = {
        "study": study,
        "waiting": waiting,
        "options": options,
        "form": form,
        "refused": refused,
        "sheets": form.table.sheets if form and len(form.table.sheets) > 1 else (),
    }
    return render(
        request,
        "annotations/setup/confirm_columns.html",
        context,
        status=HTTPStatus.BAD_REQUEST if is_bad else HTTPStatus.OK,
    )
