"""Pages on which a study is set up, signed off, launched and paused."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.access.fixed import why_fixed
from annotations.access.permissions import Right, may_create, right_names, studies_run_by, study_for
from annotations.models import AnalysisPlan, Study
from annotations.offered_languages import offer_languages, offered_language
from annotations.requests import UserRequest
from annotations.setup import lifecycle
from annotations.setup.checklist import checklist, missing_words
from annotations.setup.forms import NewStudyForm, ReplaceCriteriaForm, SettingsForm
from annotations.setup.material import material_checks
from annotations.setup.preview import PreviewEnrolment, page_as_previewed
from annotations.setup.row_forms import ConsentForm, Move, criteria_formset, question_formset
from annotations.setup.rubrics import rubric_document
from annotations.setup.study import change_study, create_study, replace_criteria, rubric_of
from generation.refusals import Refused
from generation.web.confirming import Question, ask
from generation.web.once import NonceForm, make_once

OK, BAD = HTTPStatus.OK, HTTPStatus.BAD_REQUEST


@require_safe
def managed_studies(request: UserRequest) -> HttpResponse:
    """List the studies in whose running the user has a part."""
    context = {"studies": studies_run_by(request.user), "may_create": may_create(request.user)}
    return render(request, "annotations/setup/managed_studies.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_study(request: UserRequest) -> HttpResponse:
    """Begin a study, whose owner is whoever begins it."""
    if not may_create(request.user):
        raise PermissionDenied(
            _(
                "This account does not begin studies. An administrator of this site can invite you as a researcher."
            )
        )
    form = NewStudyForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        fields = {name: form.cleaned_data[name] for name in ("slug", "title")}
        try:
            study = make_once(
                NonceForm(request.POST).sent_nonce(),
                f"study by {request.user.pk}",
                lambda: create_study(**fields, rubric=form.chosen_rubric, by=request.user),
                Study.objects.all(),
            )
        except ValidationError as error:
            form.add_model_errors(error)
        else:
            messages.success(request, _("The study is begun. What it still needs stands below."))
            return redirect("annotations:setup", study.slug)
    return render(
        request, "annotations/setup/new_study.html", {"form": form}, status=BAD if form.errors else OK
    )


@require_safe
def setup(request: UserRequest, slug: str) -> HttpResponse:
    """Show what of a study is set up and what is missing."""
    study = study_for(request.user, slug, Right.RUN)
    return setup_page(request, study, "setup", {"list": checklist(study)})


@require_http_methods(["GET", "HEAD", "POST"])
def study_settings(request: UserRequest, slug: str) -> HttpResponse:
    """Change the words and the rules of a study."""
    study = study_for(request.user, slug, Right.RUN)
    form = SettingsForm(study, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            change_study(study, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_model_errors(error)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("The words and rules are saved."))
            return redirect("annotations:setup", study.slug)
    return setup_page(request, study, "study_settings", {"form": form}, is_bad=bool(form.errors))


@require_http_methods(["GET", "HEAD", "POST"])
def consent_settings(request: UserRequest, slug: str) -> HttpResponse:
    """Change what evaluators agree to and are asked before their first page."""
    study = study_for(request.user, slug, Right.RUN)
    sent = request.POST if request.method == "POST" else None
    form = ConsentForm(sent, initial={"consent": study.consent}, languages=study.interface_languages)
    questions = question_formset(study, sent)
    is_fixed = study.state != Study.State.DRAFT
    if sent is not None and form.is_valid() and questions.is_valid():
        try:
            change_study(study, by=request.user, **form.cleaned_data, questions=questions.questions())
        except ValidationError as error:
            form.add_model_errors(error)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("The consent and its form are saved."))
            return redirect("annotations:setup", study.slug)
    is_bad = sent is not None
    context = {"form": form, "questions": questions, "is_fixed": is_fixed}
    return setup_page(request, study, "consent_settings", context, is_bad=is_bad)


@require_http_methods(["GET", "HEAD", "POST"])
def criteria(request: UserRequest, slug: str) -> HttpResponse:
    """Change the criteria of a study one by one."""
    study = study_for(request.user, slug, Right.RUN)
    sent = request.POST if request.method == "POST" else None
    formset, refusal = criteria_formset(study, sent), ""
    if sent is not None and formset.is_valid():
        try:
            move = Move.sent(sent.get("move", ""))
            replace_criteria(study, formset.rubric(study, move), by=request.user)
        except Refused as refused:
            refusal = str(refused)
        else:
            messages.success(request, _("The criteria are saved."))
            return redirect("annotations:criteria" if move else "annotations:setup", study.slug)
    return criteria_page(request, study, formset=formset, refusal=refusal, is_bad=sent is not None)


@require_safe
def rubric_file(request: UserRequest, slug: str) -> HttpResponse:
    """Send the criteria of a study as a rubric, to be used for another one."""
    study = study_for(request.user, slug, Right.RUN)
    document = rubric_document(rubric_of(study))
    return HttpResponse(
        json.dumps(document, ensure_ascii=False, indent=2) + "\n",
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{slug}-rubric.json"'},
    )


@require_POST
def rubric(request: UserRequest, slug: str) -> HttpResponse:
    """Replace all criteria of a study by those of a rubric."""
    study = study_for(request.user, slug, Right.RUN)
    form = ReplaceCriteriaForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            replace_criteria(study, form.chosen_rubric, by=request.user)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("The criteria are replaced."))
            return redirect("annotations:criteria", study.slug)
    return criteria_page(request, study, rubric_form=form, is_bad=True)


def criteria_page(
    request: UserRequest, study: Study, *, is_bad: bool, refusal: str = "", **forms: Any
) -> HttpResponse:
    """Return the page of the criteria: its two forms, or why they are fixed."""
    context = {
        "formset": forms.get("formset") or criteria_formset(study),
        "rubric_form": forms.get("rubric_form") or ReplaceCriteriaForm(initial={"rubric": study.genre}),
        "refusal": refusal,
        "fixed": why_fixed(study),
        "criteria": study.criteria.all(),
        **penalties_context(study),
    }
    return setup_page(request, study, "criteria", context, is_bad=is_bad)


def penalties_context(study: Study) -> dict[str, Any]:
    """Return what an error of each category and severity costs, where errors are marked."""
    if not study.asks.marks_errors:
        return {}
    severities = list(study.severities.all())
    penalties = [(one, [one.penalty(grade) for grade in severities]) for one in study.error_categories.all()]
    return {"severities": severities, "penalties": penalties}


@require_safe
def preview(request: UserRequest, slug: str) -> HttpResponse:
    """Show what evaluators read before their first page, with ways to all pages."""
    study = study_for(request.user, slug, Right.RUN)
    subtasks = study.subtasks.annotate(size=Count("pages"))
    with override(offered_language(study)):
        words = {
            name: {"text": str(getattr(study, name)), "lang": getattr(study, name).lang}
            for name in ("consent", "instructions")
        }
    return setup_page(request, study, "preview", {"subtasks": subtasks, **words})


@require_safe
def preview_page(request: UserRequest, slug: str, subtask: int, page: int) -> HttpResponse:
    """Show a page as evaluators see it; nothing is saved."""
    study = study_for(request.user, slug, Right.RUN)
    offer_languages(request, study)
    rating_page = page_as_previewed(study, subtask, page)
    context = {"enrolment": PreviewEnrolment(study), "rating_page": rating_page, "is_preview": True}
    return render(request, "annotations/questionnaire/page.html", context)


@require_POST
def sign_off(request: UserRequest, slug: str) -> HttpResponse:
    """Declare the material of a draft right."""
    study = study_for(request.user, slug, Right.RUN)
    try:
        lifecycle.sign_off(study, by=request.user)
    except Refused as refused:
        return refused_page(request, study, _("The material is not signed off"), refused)
    messages.success(request, _("The material is signed off."))
    return redirect("annotations:setup", slug)


@require_http_methods(["GET", "HEAD", "POST"])
def launch(request: UserRequest, slug: str) -> HttpResponse:
    """Ask whether a draft shall be launched and say what it holds; open it to its evaluators."""
    study = study_for(request.user, slug, Right.RUN)
    if request.method != "POST":
        if study.state != Study.State.DRAFT or checklist(study).launch_obstacles:
            return redirect("annotations:setup", slug)
        return ask(request, launch_question(study), "annotations/setup/launch.html", study=study)
    try:
        lifecycle.launch(study, by=request.user, without_plan="without_plan" in request.POST)
    except Refused as refused:
        return refused_page(request, study, _("The study is not launched"), refused)
    messages.success(request, _("The study is launched. Now evaluators can be invited."))
    return redirect("annotations:setup", slug)


def launch_question(study: Study) -> Question:
    checks = material_checks(study)
    held = _("Prompts: %(prompts)d · methods: %(methods)d · criteria: %(criteria)d · sub-tasks: %(subtasks)d")
    counts = {
        "prompts": checks.prompts,
        "methods": len(checks.methods),
        "criteria": study.criteria.count(),
        "subtasks": checks.subtasks,
    }
    has_plan = AnalysisPlan.objects.filter(study=study).exists()
    without = _(
        "No plan of the analysis is locked. It can still be locked until the first answer; without one the report"
        " says that the study was launched without a plan."
    )
    return Question(
        _("Launch “%(title)s”?") % {"title": study.title},
        (
            *(() if has_plan else (without,)),
            _(
                "From then on its material, its criteria and its rules are fixed: there is no way back to a draft."
            ),
            held % counts,
            *missing_words(study, study.criteria.all()),
        ),
        _("Launch the study") if has_plan else _("Launch without a plan"),
        reverse("annotations:setup", args=[study.slug]),
        () if has_plan else (("without_plan", "1"),),
    )


def refused_page(request: UserRequest, study: Study, heading: str, refused: Refused) -> HttpResponse:
    """Return the set-up page with all reasons why something was not done."""
    context = {"list": checklist(study), "refused_heading": heading, "refused_reasons": refused.reasons}
    return setup_page(request, study, "setup", context, is_bad=True)


@require_POST
def pause(request: UserRequest, slug: str) -> HttpResponse:
    """Let an open study take no answers for a time."""
    study = study_for(request.user, slug, Right.RUN)
    try:
        if lifecycle.pause(study, by=request.user):
            messages.success(request, _("The study is paused. Deadlines stay as they are."))
    except Refused as wrong:
        messages.warning(request, str(wrong))
    return redirect("annotations:setup", slug)


@require_POST
def resume(request: UserRequest, slug: str) -> HttpResponse:
    """Let a paused study take answers again."""
    study = study_for(request.user, slug, Right.RUN)
    try:
        if lifecycle.resume(study, by=request.user):
            messages.success(request, _("The study takes answers again."))
    except Refused as wrong:
        messages.warning(request, str(wrong))
    return redirect("annotations:setup", slug)


def setup_page(
    request: UserRequest, study: Study, name: str, context: dict[str, Any], *, is_bad: bool = False
) -> HttpResponse:
    """Return a page of the set-up with what all of them show."""
    shared = {"study": study, "rights": right_names(request.user, study)}
    return render(
        request, f"annotations/setup/{name}.html", {**shared, **context}, status=BAD if is_bad else OK
    )


@require_http_methods(["GET", "HEAD", "POST"])
def close(request: UserRequest, slug: str) -> HttpResponse:
    """Ask whether a study shall be closed and say who is still answering; close it, and lead to its results."""
    study = study_for(request.user, slug, Right.RUN)
    if request.method != "POST":
        still = [(one.pseudonym, progress) for one, progress in lifecycle.still_answering(study)]
        question = Question(
            _("Close “%(title)s” for good?") % {"title": study.title},
            (_("It then takes no more answers, its results may be seen, and it is never opened again."),),
            _("Close it for good"),
            reverse("annotations:setup", args=[slug]),
        )
        return ask(request, question, "annotations/setup/close_study.html", study=study, still=still)
    if lifecycle.close_study(study, staff=request.user):
        messages.success(request, _("The study is closed."))
    return redirect("annotations:results", study.slug)
