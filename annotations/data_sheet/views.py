"""The data sheet of a study as a file."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from annotations.access.permissions import Right, study_for
from annotations.data_sheet import heds_form, heds_markdown


@require_safe
def heds_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the human evaluation data sheet of a study, filled in as far as the platform knows."""
    study = study_for(request.user, slug, Right.ANALYSE)
    return HttpResponse(
        heds_markdown(study),
        content_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{study.slug}-heds.md"'},
    )


@require_safe
def heds_form_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the data sheet as the file that the public form of HEDS loads."""
    study = study_for(request.user, slug, Right.ANALYSE)
    return JsonResponse(
        heds_form(study)[0],
        json_dumps_params={"ensure_ascii": False, "indent": 2},
        headers={"Content-Disposition": f'attachment; filename="{study.slug}-heds.json"'},
    )
