"""The page on which a study's size is planned."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from annotations.access.permissions import Right, right_names, study_for
from annotations.models import AnalysisPlan
from annotations.requests import UserRequest
from generation.refusals import Refused


@require_safe
def sample_size(request: UserRequest, slug: str) -> HttpResponse:
    """Show the power to expect, as a curve and a table, for numbers that whoever plans can change."""
    # SciPy comes with them, which a web process loads only for who asks.
    from annotations.sample_size.forms import SizingForm
    from annotations.sample_size.sizing import USUAL, finished_studies, sizing, spread_found, usual_spread

    study = study_for(request.user, slug, Right.RUN)
    finished = finished_studies(request.user)
    form = SizingForm(study, finished, request.GET)
    context: dict[str, Any] = {
        "study": study,
        "rights": right_names(request.user, study),
        "form": form,
        "has_plan": AnalysisPlan.objects.filter(study=study).exists(),
    }
    if form.criteria and form.is_valid():
        asked = form.cleaned_data
        try:
            components = (
                usual_spread(form.criterion)
                if asked["spread"] == USUAL
                else spread_found({one.slug: one for one in finished}[asked["spread"]], form.criterion)
            )
            context["sizing"] = sizing(
                components,
                evaluators=asked["evaluators"],
                prompts=asked["prompts"],
                difference=asked["difference"],
            )
        except Refused as refused:
            form.add_error("spread", str(refused))
        context["plan_url"] = f"{reverse('annotations:plan', args=[slug])}?" + urlencode(
            {
                "primary_criterion": asked["criterion"],
                "planned_effect": asked["difference"],
                "planned_evaluators": asked["evaluators"],
                "planned_prompts": asked["prompts"],
            }
        )
    return render(request, "annotations/sample_size/sample_size.html", context)
