"""Pages for those who have ratings already: the upload, one look at what is in it, and the way back."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from annotations import counted
from annotations.access.permissions import Right, may_create, study_for
from annotations.imports.rating_columns import Reading
from annotations.imports.rating_forms import ReadingForm, UploadForm
from annotations.imports.rating_tools import open_ratings
from annotations.imports.rating_uploads import found_in_upload, store_found
from annotations.imports.rating_wording import count_lines, criterion_line, warning_lines
from annotations.imports.ratings import FoundRatings, checked_study, take_back_ratings
from annotations.models import WaitingUpload
from annotations.models.texts_by_language import named_by
from annotations.requests import UserRequest
from annotations.uploads.forms import FileOptionsForm
from annotations.uploads.reading import files_on_disk
from annotations.uploads.waiting import is_large, keep_waiting, queue_storing, waiting_upload
from generation.files.encoding import EncodingUnconfirmed, read_as_said
from generation.refusals import Refused
from generation.texts.characters import UNSTORABLE
from generation.web.confirming import Question, ask
from generation.web.once import NonceForm, make_once

ROWS_SHOWN = 5
LONGEST_CELL = 60


@require_http_methods(["GET", "HEAD", "POST"])
def upload_ratings(request: UserRequest) -> HttpResponse:
    """Take files of ratings, which then wait for a look."""
    if not may_create(request.user):
        raise PermissionDenied
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            upload = make_once(
                NonceForm(request.POST).sent_nonce(),
                f"ratings by {request.user.pk}",
                lambda: keep_waiting(
                    WaitingUpload.Kind.RATINGS, cleaned["ratings"], texts=cleaned["texts"], by=request.user
                ),
                WaitingUpload.objects.all(),
            )
        except Refused as refused:
            form.add_error("ratings", str(refused))
        else:
            return redirect("annotations:look_at_ratings", upload.uuid)
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return render(request, "annotations/imports/upload_ratings.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def look_at_ratings(request: UserRequest, upload: UUID) -> HttpResponse:
    """Show what is in uploaded files by the columns as they are chosen, and store it once it is right."""
    if not may_create(request.user):
        raise PermissionDenied
    kept = waiting_upload(WaitingUpload.Kind.RATINGS, upload, by=request.user, study=None)
    if kept.study is not None:
        return redirect("annotations:results", kept.study.slug)
    if kept.job is not None and kept.job.is_open():
        return redirect(kept.job)
    said = FileOptionsForm(request.POST if request.method == "POST" else request.GET).said()
    try:
        with files_on_disk(kept) as files:
            first = next(one for one in files if one.number)
            file = read_as_said(
                partial(open_ratings, first.path, first.name, sheet=said["sheet"]), said["encoding"]
            )
            file.problems.refuse_if_any()
            columns, rows = file.columns, file.first_rows()[:ROWS_SHOWN]
    except EncodingUnconfirmed as refused:
        return encoding_page(request, kept, refused)
    except Refused as refused:
        form = ReadingForm((), request.POST or None)
        form.add_error(None, str(refused)) if form.is_bound else None
        return look_page(request, form, None, [], refusal=refused)
    is_sent = request.method == "POST"
    options: dict[str, Any] = {**said, "sheets": file.sheets, "shown_sheet": file.sheet}
    form = ReadingForm(columns, request.POST if is_sent else None, initial=initial(kept), **options)
    found, refusal = None, None
    try:
        reading = (
            sent_reading(form, request)
            if is_sent
            else Reading(encoding=said["encoding"], sheet=said["sheet"])
        )
        found = found_in_upload(kept, reading)
    except EncodingUnconfirmed as refused:
        return encoding_page(request, kept, refused)
    except Refused as refused:
        refusal = refused
    if is_sent and request.POST.get("act") != "store":
        form = ReadingForm(columns, initial=form.sent(), **options)
    if found is not None:
        form.add_criteria(found.summary.criteria)
        if is_sent and request.POST.get("act") == "store" and form.is_valid():
            return stored(request, form, kept, found)
    return look_page(request, form, found, rows, refusal=refusal)


def encoding_page(request: UserRequest, kept: WaitingUpload, refused: EncodingUnconfirmed) -> HttpResponse:
    """Ask which encoding files are in that do not tell it."""
    options = FileOptionsForm()
    options.offer(refused)
    context = {"waiting": kept, "refused": refused, "options": options}
    return render(request, "annotations/imports/encoding_of_ratings.html", context)


def sent_reading(form: ReadingForm, request: UserRequest) -> Reading:
    """Return the reading that was sent; scales are those of the columns that were shown with them."""
    reading = form.chosen()
    if request.POST.get("read_as") != read_as(reading):
        return replace(
            reading, scales={}, lower_is_better=(), overall="", keeps_off_scale=False, threshold=""
        )
    return reading


def read_as(reading: Reading) -> str:
    return json.dumps(reading.as_dict()["columns"], sort_keys=True)


def initial(upload: WaitingUpload) -> dict[str, Any]:
    return {"title": named_by(upload.name.rsplit(".", 1)[0].replace("_", " ")[:200]), "genre": "text"}


def stored(request: UserRequest, form: ReadingForm, kept: WaitingUpload, found: FoundRatings) -> HttpResponse:
    """Store the ratings and lead to their report, or return the page with what is wrong."""
    cleaned = form.cleaned_data
    fields = {name: cleaned[name] for name in ("slug", "title", "genre")}
    try:
        if is_large(kept):
            checked_study(found, **fields)
            return redirect(
                queue_storing(kept, {**fields, "reading": found.reading.as_dict()}, by=request.user)
            )
        receipt = store_found(kept, found, by=request.user, **fields)
    except ValidationError as error:
        form.add_model_errors(error)
    except Refused as refused:
        form.add_error("slug", str(refused))
    else:
        messages.success(request, _("The ratings are stored as a closed study. This is its report."))
        return redirect("annotations:results", receipt.study.slug)
    return look_page(request, form, found, found.first_rows)


def look_page(
    request: UserRequest,
    form: ReadingForm,
    found: FoundRatings | None,
    rows: list[dict[str, Any]],
    *,
    refusal: Refused | None = None,
) -> HttpResponse:
    """Return the page of the look: how each column is read, the first rows, the counts and what looks odd."""
    roles = {} if found is None else {
        column: role for role, columns in found.reading.columns.items() for column in columns
    }  # fmt: skip
    if refusal is not None:
        form.refuse_whole(refusal)
    if not form.is_bound and found is not None:
        for field in form.column_fields():
            field.initial = roles.get(str(field.label), "")
    cells = [[shortened(row.get(column)) for row in rows] for column in form.columns]
    hidden = "" if found is None else ",".join(one.key for one in found.summary.criteria)
    context = {
        "form": form,
        "columns": list(zip(form.column_fields(), cells, strict=True)),
        "found": found,
        "refusal": refusal,
        "counts": count_lines(found.summary) if found else [],
        "warnings": warning_lines(found.summary, hides_names=found.reading.hides_names) if found else [],
        "criteria": [
            (criterion_line(one), [form[f"{name}-{number}"] for name in ("minimum", "maximum", "lower")])
            for number, one in enumerate(found.summary.criteria if found else ())
        ],
        "criteria_keys": hidden,
        "read_as": read_as(found.reading) if found else "",
    }
    is_bad = refusal is not None or bool(form.is_bound and form.errors and request.POST.get("act") == "store")
    context["is_bad"] = is_bad
    status = HTTPStatus.BAD_REQUEST if is_bad else HTTPStatus.OK
    return render(request, "annotations/imports/look_at_ratings.html", context, status=status)


def shortened(value: Any) -> str:
    text = "" if value is None else UNSTORABLE.sub("\ufffd", str(value))
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: UserRequest, slug: str) -> HttpResponse:
    """Ask whether imported ratings shall go with all that came with them, and let them go."""
    study = study_for(request.user, slug, Right.RUN)
    if request.method != "POST":
        question = Question(
            _("Take the ratings of “%(title)s” back?") % {"title": study.title},
            (_("The study, its evaluators, texts and ratings are deleted. This cannot be undone."),),
            _("Delete them"),
            reverse("annotations:setup", args=[slug]),
        )
        return ask(request, question)
    try:
        count = take_back_ratings(study)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("annotations:setup", slug)
    messages.success(
        request, _("%(ratings)s and the study are deleted.") % {"ratings": counted.ratings(count)}
    )
    return redirect("annotations:studies")
