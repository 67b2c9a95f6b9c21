"""The page on which the checklist of a study is set up."""

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
from annotations.setup.checklist_items.forms import item_formset
from annotations.setup.checklist_items.storing import replace_study_items
from generation.refusals import Refused

# Of the items of prompts the first ones are shown.
SHOWN_AT_MOST = 30


@require_http_methods(["GET", "HEAD", "POST"])
def checklist_items(request: UserRequest, slug: str) -> HttpResponse:
    """Change the items that are asked for every prompt; show those of single prompts."""
    study = study_for(request.user, slug, Right.RUN)
    sent = request.POST if request.method == "POST" else None
    formset, refusal = item_formset(study, sent), ""
    if sent is not None and formset.is_valid():
        try:
            replace_study_items(study, formset.items(), by=request.user)
        except Refused as refused:
            refusal = str(refused)
        else:
            messages.success(request, _("The checklist is saved."))
            return redirect("annotations:setup", study.slug)
    of_prompts = study.checklist_items.exclude(page=None)
    context = {
        "study": study,
        "rights": right_names(request.user, study),
        "formset": formset,
        "refusal": refusal,
        "fixed": why_fixed(study),
        "items": study.checklist_items.filter(page=None),
        "prompt_items": of_prompts.select_related("page__subtask", "page__prompt").order_by(
            "page__subtask__number", "page__number", "number"
        )[:SHOWN_AT_MOST],
        "prompt_item_count": of_prompts.count(),
    }
    status = HTTPStatus.BAD_REQUEST if sent is not None else HTTPStatus.OK
    return render(request, "annotations/setup/checklist_items.html", context, status=status)
