"""The data sheet of a study as a file."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from annotations.access.permissions import Right, study_for
from annotations.data_sheet import heds_markdown


@require_safe
def heds_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the human evaluation data sheet of a study, filled in as far as the platform knows."""
    study = study_for(request.user, slug, Right.ANALYSE)
    return HttpResponse(
        heds_markdown(study),
        content_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{study.slug}-heds.md"'},
    )
