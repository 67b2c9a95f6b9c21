"""The studies of whoever is logged in."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotations.access.permissions import may_create, studies_run_by
from annotations.models import Enrolment
from annotations.questionnaire.progress import progress_of
from annotations.requests import UserRequest


@require_safe
def studies(request: UserRequest) -> HttpResponse:
    """List the studies in which the user is an evaluator, and those in whose running they have a part."""
    enrolments = Enrolment.objects.answering(request.user)
    progress = progress_of(enrolments)
    context = {
        "parts": [(enrolment, progress[enrolment.pk]) for enrolment in enrolments],
        "run_studies": studies_run_by(request.user),
        "may_create": may_create(request.user),
    }
    return render(request, "annotations/studies.html", context)
