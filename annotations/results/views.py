"""Pages of a study's results, for its analysts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from annotations.access.log import log_act
from annotations.access.permissions import Right, right_names, study_for
from annotations.models import Study
from annotations.questionnaire.written.fields import has_written
from annotations.requests import UserRequest
from annotations.results import seal
from annotations.results.answer_rows import answer_count, rating_chunks
from annotations.results.checklists.rows import checklist_answer_count, checklist_chunks
from annotations.results.forms import ShareForm, UnblindForm
from annotations.results.judgements.rows import judgement_chunks, judgement_count
from annotations.results.preferences.forms import PreferencesForm
from annotations.results.preferences.wanted import (
    LAYOUTS,
    PREFERENCE_FORMATS,
    SOURCES,
    BadPreferences,
    Wanted,
)
from annotations.results.seal import Sealed
from annotations.results.sharing import links_shown
from annotations.results.spans.rows import marking_count, span_chunks
from annotations.results.turns.rows import turn_chunks
from annotations.results.written.rows import written_chunks
from stats.reports import write_rows

if TYPE_CHECKING:
    from stats.reports.study_report import OffScalePolicy

# From here on a workbook of the answers alone takes a core for a second, and longer under load: it is offered as a job.
ANSWERS_IN_A_REQUEST = 10_000

Rows = Literal["ratings", "judgements", "checklist", "written", "spans", "turns"]
# What writes the answers of each sort in parts, in the format that is named.
CHUNKS: dict[Rows, Callable[[Study, str], Iterator[bytes]]] = {
    "ratings": rating_chunks,
    "judgements": judgement_chunks,
    "checklist": checklist_chunks,
    # Reasons and corrected texts.
    "written": written_chunks,
    # Marked errors.
    "spans": span_chunks,
    "turns": turn_chunks,
}


def chosen_off_scale(request: HttpRequest) -> OffScalePolicy:
    """Return how the reader wants scores off their scale to be taken."""
    return "missing" if request.GET.get("off_scale") == "missing" else "kept"


@require_safe
def results(request: UserRequest, slug: str) -> HttpResponse:
    """Show the report of a study."""
    return results_page(request, study_for(request.user, slug, Right.ANALYSE))


def results_page(
    request: UserRequest,
    study: Study,
    *,
    unblind_form: UnblindForm | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """Return the page of a study's results, with what was wrong with the form that should unblind it."""
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    from annotations.results.document import report_document
    from annotations.results.report import study_report
    from annotations.results.report_formats import FORMATS

    study = study.reading_once()
    report = study_report(study, off_scale=chosen_off_scale(request))
    context: dict[str, Any] = {
        "study": study,
        "rights": right_names(request.user, study),
        "formats": FORMATS,
        "rating_formats": write_rows.FORMATS,
        "preference_formats": PREFERENCE_FORMATS,
        "preferences_form": PreferencesForm(has_best_picks=study.has_best_picks),
        "unblind_form": unblind_form,
        "report": report,
        "document": report_document(report),
        "share_form": ShareForm(),
        "has_written": has_written(study),
        "has_turns": any(criterion.rates_turns for criterion in study.criteria.all()),
        "answers_file": f"annotations:{rows_of(study)}_file",
        "pairs_by": "ratings" if study.asks.answer is None else "pairs",
        "is_large": not report.sealed
        and answer_count(study)
        + judgement_count(study)
        + checklist_answer_count(study)
        + marking_count(study)
        > ANSWERS_IN_A_REQUEST,
    }
    if "run" in context["rights"] and study.state == Study.State.CLOSED:
        context["report_links"] = links_shown(study, request.user, request.build_absolute_uri("/"))
    return render(request, "annotations/results/results.html", context, status=status)


def rows_of(study: Study) -> Rows:
    """Return what the rows of a study's answers are called, by its protocol."""
    if study.asks.texts is not None:
        return "checklist"
    return "ratings" if study.asks.answer is None else "judgements"


@require_safe
def results_file(request: HttpRequest, slug: str, file_format: str) -> HttpResponse:
    """Send the report of a study as a file."""
    from annotations.results.report import study_report
    from annotations.results.report_formats import FORMATS, export

    study = study_for(request.user, slug, Right.ANALYSE)
    if file_format not in FORMATS:
        raise Http404
    body = export(study_report(study, off_scale=chosen_off_scale(request)), file_format)
    return HttpResponse(
        body,
        content_type=FORMATS[file_format].content_type,
        headers={"Content-Disposition": f'attachment; filename="{study.slug}.{file_format}"'},
    )


@require_safe
def answers_file(
    request: UserRequest, slug: str, rows: Rows, file_format: str
) -> HttpResponse | StreamingHttpResponse:
    """Stream the answers of one sort; a sealed study leads to the page of its results, which says why not."""
    study = study_for(request.user, slug, Right.ANALYSE)
    if file_format not in write_rows.FORMATS:
        raise Http404
    try:
        chunks = CHUNKS[rows](study, file_format)
        # A workbook is made whole before its first part can be sent.
        parts = chain([next(chunks)], chunks) if file_format == "xlsx" else chunks
    except Sealed:
        return redirect("annotations:results", study.slug)
    except write_rows.TooMuchForWorkbook:
        messages.error(
            request, _("A workbook cannot hold all answers or so long texts; take Parquet or CSV.")
        )
        return redirect("annotations:results", study.slug)
    log_export(request, study, rows, file_format)
    return rows_response(parts, f"{study.slug}-{rows}", file_format)


@require_safe
def preferences_file(
    request: UserRequest, slug: str, source: str, file_format: str
) -> HttpResponse | StreamingHttpResponse:
    """Send the preference pairs of a study, by ratings or by picks, or what people preferred in a layout of training.

    Of a layout, `conversational=1` asks for messages and `by=evaluator` for each evaluator's own answers.
    """
    study = study_for(request.user, slug, Right.ANALYSE)
    layout = next((one for one in LAYOUTS if one == source), None)
    kind = next((one for one in SOURCES if one == source), None)
    if layout is None and kind is None:
        raise Http404
    wanted = Wanted(
        kind or "ratings",
        layout,
        file_format,
        conversational=request.GET.get("conversational") == "1",
        by_evaluator=request.GET.get("by") == "evaluator",
    )
    try:
        return wanted_response(request, study, wanted)
    except BadPreferences as refused:
        raise Http404(str(refused)) from refused


@require_safe
def chosen_preferences(request: UserRequest, slug: str) -> HttpResponse | StreamingHttpResponse:
    """Send what people preferred as it was asked for on the page of results."""
    study = study_for(request.user, slug, Right.ANALYSE)
    form = PreferencesForm(request.GET, has_best_picks=study.has_best_picks)
    if not form.is_valid():
        messages.error(request, _("Choose what the file is to have."))
        return redirect("annotations:results", slug)
    try:
        return wanted_response(request, study, form.wanted())
    except BadPreferences as refused:
        messages.error(request, str(refused))
        return redirect("annotations:results", slug)


def wanted_response(
    request: UserRequest, study: Study, wanted: Wanted
) -> HttpResponse | StreamingHttpResponse:
    """Return the file of what people preferred, or lead to the page that says what is sealed."""
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    from annotations.results.preferences.files import wanted_file

    try:
        _name, _type, chunks = wanted_file(study, wanted)
    except Sealed:
        return redirect("annotations:results", study.slug)
    log_export(request, study, f"preferences by {wanted.kind}", wanted.file_format)
    return rows_response(chunks, f"{study.slug}-preferences-{wanted.kind}", wanted.file_format)


def log_export(request: UserRequest, study: Study, rows: str, file_format: str) -> None:
    """Log that single answers leave the site; a request for the head alone gets none of them."""
    if request.method == "GET":
        log_act(study, request.user, "export.answers", rows=rows, format=file_format)


def rows_response(chunks: Iterator[bytes], name: str, file_format: str) -> StreamingHttpResponse:
    """Return a file of rows that is written while it is sent."""
    return StreamingHttpResponse(
        chunks,
        content_type=write_rows.CONTENT_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{name}.{file_format}"'},
    )


@require_POST
def unblind(request: UserRequest, slug: str) -> HttpResponse:
    """Open the numbers of a study that still takes answers, and log it."""
    study = study_for(request.user, slug, Right.RUN)
    form = UnblindForm(request.POST)
    if not form.is_valid():
        return results_page(request, study, unblind_form=form, status=HTTPStatus.BAD_REQUEST)
    if seal.unblind(study, staff=request.user, reason=form.cleaned_data["reason"]):
        messages.success(request, _("The study is unblinded. The report prints who did it, when and why."))
    return redirect("annotations:results", study.slug)
