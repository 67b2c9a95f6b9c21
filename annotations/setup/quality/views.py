"""The page on which the quality control of a study is declared."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from annotations.access.fixed import why_fixed
from annotations.access.permissions import Right, study_for
from annotations.models import Page, QualityControl, Study
from annotations.requests import UserRequest
from annotations.setup.quality.declaration import (
    DeclaredPage,
    change_rules,
    declare_answer,
    declared,
    take_out,
)
from annotations.setup.quality.forms import KnownAnswerForm, RulesForm
from annotations.setup.views import setup_page
from generation.models import prompt_heading
from generation.refusals import Refused

# As much of a prompt as tells which one it is.
LONGEST_NAME = 60


@require_safe
def quality(request: UserRequest, slug: str) -> HttpResponse:
    """Show what a study declares of its quality control."""
    return quality_page(request, study_for(request.user, slug, Right.RUN))


@require_POST
def quality_rules(request: UserRequest, slug: str) -> HttpResponse:
    """Change the rules."""
    study = study_for(request.user, slug, Right.RUN)
    form = RulesForm(request.POST)
    if form.is_valid():
        try:
            change_rules(study, form.rules(), by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("The rules of the quality control are saved."))
            return redirect("annotations:quality", study.slug)
    return quality_page(request, study, rules=form)


@require_POST
def known_answer(request: UserRequest, slug: str) -> HttpResponse:
    """Say what is right on a page."""
    study = study_for(request.user, slug, Right.RUN)
    form = KnownAnswerForm(study, list(page_names(study).items()), request.POST)
    if form.is_valid():
        try:
            declare_answer(study, form.page(), by=request.user)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(
                request, _("The page does not count any more, and what is right there is saved.")
            )
            return redirect("annotations:quality", study.slug)
    return quality_page(request, study, answer=form)


@require_POST
def take_page_out(request: UserRequest, slug: str) -> HttpResponse:
    """Let a page count again."""
    study = study_for(request.user, slug, Right.RUN)
    try:
        take_out(study, request.POST.get("prompt", ""), by=request.user)
    except Refused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("The page counts again."))
    return redirect("annotations:quality", study.slug)


def page_names(study: Study) -> dict[str, str]:
    """Return the pages of the material as 'sub-task/page' with the beginning of their prompts."""
    pages = Page.objects.but_repeats().filter(subtask__study=study)
    return {
        f"{subtask}/{number}": f"{subtask}/{number} {study.shown_prompt(heading)[:LONGEST_NAME]}"
        for subtask, number, heading in pages.values_list(
            "subtask__number", "number", prompt_heading("prompt__")
        )
    }


def quality_page(request: UserRequest, study: Study, **forms: Any) -> HttpResponse:
    """Return the page with its forms, or why it is fixed."""
    found = declared(study)
    names = page_names(study)
    fixed = why_fixed(study)
    rules, answer = forms.get("rules"), forms.get("answer")
    context: dict[str, Any] = {
        "fixed": fixed,
        "pages": [(page, names[page.prompt], answer_words(study, page)) for page in found.pages],
        "rules": rules or RulesForm(instance=QualityControl(**found.rules)),
        "declared": found.rules,
        "answer": answer or KnownAnswerForm(study, list(names.items())),
        "wrong": rules or answer,
    }
    if fixed:
        for one in context["rules"].fields.values():
            one.disabled = True
    return setup_page(request, study, "quality", context, is_bad=bool(forms))


def answer_words(study: Study, page: DeclaredPage) -> list[str]:
    """Return what is right on a page, a sentence a text."""
    methods = study.study_methods.names()
    criteria = {one.key: one for one in study.criteria.all()}
    said = []
    for one in page.answers:
        names = {
            "method": methods[one.method],
            "criterion": str(criteria[one.criterion].label) if one.criterion else "",
        }
        if not one.is_best:
            scores = f"{one.lowest:g}" if one.lowest == one.highest else f"{one.lowest:g}–{one.highest:g}"
            said.append(_("%(method)s: %(criterion)s %(scores)s") % {**names, "scores": scores})
        elif one.criterion:
            said.append(_("%(method)s is the best by %(criterion)s") % names)
        else:
            said.append(_("%(method)s is the best") % names)
    return said
