"""Pages for staff on what is decided beforehand: the plan, the seal on the numbers, the end of a study."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from annotations.access.fixed import refuse_late_plan
from annotations.access.permissions import Right, right_names, study_for
from annotations.models import AnalysisPlan, Study
from annotations.plan.forms import PlanForm, RehearsalForm
from annotations.plan.groups import pair_words, planned_pair_labels
from annotations.plan.plan import lock_plan, locked_plan
from annotations.plan.reportable import reportable
from annotations.requests import UserRequest
from generation.files.problems import listed
from generation.refusals import Refused
from generation.web.once import NonceForm, make_once
from stats.reports.numbers import exact_percent


@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: UserRequest, slug: str) -> HttpResponse:
    """Show the plan of a study, or the form that locks one."""
    study = study_for(request.user, slug, Right.RUN if request.method == "POST" else Right.ANALYSE)
    if request.method != "POST":
        return plan_page(request, study, PlanForm(study, proposed=request.GET.dict()))
    form = PlanForm(study, request.POST)
    if not form.is_valid():
        return plan_page(request, study, form, status=HTTPStatus.BAD_REQUEST)
    del form.cleaned_data["is_meant"]
    try:
        make_once(
            NonceForm(request.POST).sent_nonce(),
            f"plan of study {study.pk} by {request.user.pk}",
            lambda: lock_plan(study, staff=request.user, **form.cleaned_data),
            AnalysisPlan.objects.all(),
        )
    except Refused as refused:
        form.add_error(None, str(refused))
        return plan_page(request, study, form, status=HTTPStatus.BAD_REQUEST)
    messages.success(request, _("The plan is locked."))
    return redirect("annotations:plan", study.slug)


def plan_page(
    request: UserRequest, study: Study, form: PlanForm, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    """Return the page of a plan: as it was locked, or the form, or why there will be none."""
    plan = locked_plan(study)
    threshold = plan.inconsistency_threshold if plan else study.inconsistency_threshold
    context: dict[str, Any] = {
        "study": study,
        "rights": right_names(request.user, study),
        "form": form,
        "rehearsal_form": RehearsalForm(),
        "plan": plan,
        "threshold": exact_percent(float(threshold)),
    }
    things = reportable(study, plan)
    context |= {"reportable": things, "reportable_said": sum(one.is_said for one in things)}
    if plan:
        label = study.study_methods.names()
        context["group_pairs"] = [
            pair_words(*one) for one in planned_pair_labels(study, plan.group_comparisons)
        ]
        context["covariates"] = (
            None
            if plan.covariates is None
            else listed(AnalysisPlan.Covariate(one).label for one in plan.covariates)
        )
        context["pairs"] = [(label.get(a, a), label.get(b, b)) for a, b in plan.comparisons]
    else:
        context["refusal"] = refusal(study)
    return render(request, "annotations/plan/plan.html", context, status=status)


def refusal(study: Study) -> str:
    """Return why the study's plan can no longer be locked, or nothing where it can."""
    try:
        refuse_late_plan(study)
    except Refused as refused:
        return str(refused)
    return ""
