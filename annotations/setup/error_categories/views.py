"""The page on which the errors that a study has marked are set up."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from annotations.access.fixed import why_fixed
from annotations.access.permissions import Right, right_names, study_for
from annotations.requests import UserRequest
from annotations.setup.error_categories.forms import category_formset, sent_kinds, severity_formset
from annotations.setup.error_categories.rows import replace_categories
from generation.refusals import Refused


@require_http_methods(["GET", "HEAD", "POST"])
def error_categories(request: UserRequest, slug: str) -> HttpResponse:
    """Change the severities and categories of errors one by one."""
    study = study_for(request.user, slug, Right.RUN)
    sent = request.POST if request.method == "POST" else None
    severities, categories = severity_formset(study, sent), category_formset(study, sent)
    refusals: tuple[str, ...] = ()
    # Both are looked at, so that everything wrong is said at once.
    if sent is not None and all([severities.is_valid(), categories.is_valid()]):
        move = sent.get("move", "")
        try:
            replace_categories(study, *sent_kinds(severities, categories, move), by=request.user)
        except Refused as refused:
            refusals = refused.reasons
        else:
            messages.success(request, _("The kinds of errors are saved."))
            return redirect("annotations:error_categories" if move else "annotations:criteria", study.slug)
    context = {
        "study": study,
        "rights": right_names(request.user, study),
        "severities": severities,
        "categories": categories,
        "refusals": refusals,
        "fixed": why_fixed(study),
    }
    status = HTTPStatus.BAD_REQUEST if sent is not None else HTTPStatus.OK
    return render(request, "annotations/setup/error_categories.html", context, status=status)
