"""Pages of a study's results, for staff."""

from __future__ import annotations

from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from annotations.exports import FORMATS, export
from annotations.models import Study
from annotations.plan_forms import UnblindForm
from annotations.reporting.document import report_document
from annotations.results import OffScalePolicy, study_report


def staff_study(request: HttpRequest, slug: str) -> Study:
    """Return the study for staff; for anybody else there is none."""
    if not request.user.is_staff:
        raise Http404
    return get_object_or_404(Study, slug=slug)


def chosen_off_scale(request: HttpRequest) -> OffScalePolicy:
    """Return how the reader wants scores off their scale to be taken."""
    return "missing" if request.GET.get("off_scale") == "missing" else "kept"


@require_safe
def results(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the report of a study."""
    return results_page(request, staff_study(request, slug))


def results_page(
    request: HttpRequest,
    study: Study,
    *,
    unblind_form: UnblindForm | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """Return the page of a study's results, with what was wrong with the form that should unblind it."""
    report = study_report(study, off_scale=chosen_off_scale(request))
    context = {
        "study": study,
        "formats": FORMATS,
        "unblind_form": unblind_form,
        "report": report,
        "document": report_document(report),
    }
    return render(request, "annotations/results.html", context, status=status)


@require_safe
def results_file(request: HttpRequest, slug: str, file_format: str) -> HttpResponse:
    """Send the report of a study as a file."""
    study = staff_study(request, slug)
    if file_format not in FORMATS:
        raise Http404
    body = export(study_report(study, off_scale=chosen_off_scale(request)), file_format)
    return HttpResponse(
        body,
        content_type=FORMATS[file_format].content_type,
        headers={"Content-Disposition": f'attachment; filename="{study.slug}.{file_format}"'},
    )
