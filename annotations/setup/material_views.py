"""The page of a study's material: what is there, and what may be uploaded in its place."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from annotations.access.fixed import refuse_labels, why_fixed
from annotations.access.permissions import Right, study_for
from annotations.models import Study, WaitingUpload
from annotations.requests import UserRequest
from annotations.setup.forms import CandidatesForm, LabelsForm, PromptsForm
from annotations.setup.material import material_checks, store_material, typography_checks
from annotations.setup.material.additions import add_material
from annotations.setup.study import label_methods
from annotations.setup.uploads.examples import examples_for
from annotations.setup.uploads.waiting import Kind, keep_material, read_waiting, says_all, store_read
from annotations.setup.views import setup_page
from annotations.uploads.forms import FileForm
from generation.refusals import Refused
from generation.web.once import NonceForm, make_once, was_made


@require_safe
def material(request: UserRequest, slug: str) -> HttpResponse:
    """Show the material of a study with all that there is to see in it."""
    return material_page(request, study_for(request.user, slug, Right.RUN))


@require_POST
def upload_candidates(request: UserRequest, slug: str) -> HttpResponse:
    """Keep a file with candidates until it is said what its columns are."""
    study = study_for(request.user, slug, Right.RUN)
    form = CandidatesForm(request.POST, request.FILES)
    if form.is_valid():
        upload = form.cleaned_data["candidates"]
        try:
            file = make_once(
                NonceForm(request.POST).sent_nonce(),
                f"candidates of study {study.pk} by {request.user.pk}",
                lambda: keep_material(Kind.CANDIDATES, study, upload, by=request.user),
                WaitingUpload.objects.all(),
            )
        except Refused as refused:
            form.refuse("candidates", refused)
        else:
            return redirect("annotations:confirm_columns", study.slug, file.uuid)
    return material_page(request, study, refused=form)


@require_POST
def upload_prompts(request: UserRequest, slug: str) -> HttpResponse:
    """Make prompts without any texts the material of a draft."""
    study = study_for(request.user, slug, Right.RUN)
    nonce, sender = NonceForm(request.POST).sent_nonce(), f"material of study {study.pk} by {request.user.pk}"
    if was_made(nonce, sender):
        return redirect("annotations:material", study.slug)
    form = PromptsForm(study, request.POST, request.FILES, has_material=study.subtasks.exists())
    if form.is_valid():
        upload = form.cleaned_data.get("prompts_file")

        def store() -> Study:
            if waiting is not None:
                return store_read(waiting, read_waiting(waiting), by=request.user, adds=form.is_addition)
            act = add_material if form.is_addition else store_material
            act(study, form.cleaned_data["file"], by=request.user)
            return study

        try:
            waiting = make_once(
                nonce,
                f"file with prompts of study {study.pk} by {request.user.pk}",
                lambda: keep_material(Kind.PROMPTS, study, upload, by=request.user),
                WaitingUpload.objects.all(),
            ) if upload else None  # fmt: skip
            if waiting is not None and not says_all(waiting):
                return redirect("annotations:confirm_prompts", study.slug, waiting.uuid)
            make_once(nonce, sender, store, Study.objects.all())
        except Refused as refused:
            if was_made(nonce, sender):
                return redirect("annotations:material", study.slug)
            form.refuse("prompts_file" if upload else None, refused)
        else:
            messages.success(request, _("The material is stored. Look at it, then sign it off."))
            return redirect("annotations:material", study.slug)
    return material_page(request, study, refused=form)


@require_POST
def method_labels(request: UserRequest, slug: str) -> HttpResponse:
    """Change what the methods are called in the reports of a study."""
    study = study_for(request.user, slug, Right.RUN)
    form = LabelsForm(material_checks(study).methods, request.POST)
    if form.is_valid():
        try:
            label_methods(study, form.labels(), by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("The labels are saved."))
            return redirect("annotations:material", study.slug)
    return material_page(request, study, refused=form)


def why_labels_stay(study: Study) -> str:
    """Return why the labels of methods cannot change now, or nothing."""
    try:
        refuse_labels(study)
    except Refused as refused:
        return str(refused)
    return ""


def material_page(
    request: UserRequest, study: Study, *, refused: FileForm | LabelsForm | None = None
) -> HttpResponse:
    """Return the page of the material, with the form that was refused if one was."""
    checks = material_checks(study)
    context = {
        "checks": checks,
        "typography": typography_checks(study),
        "candidates_form": refused if isinstance(refused, CandidatesForm) else CandidatesForm(),
        "prompts_form": refused
        if isinstance(refused, PromptsForm)
        else PromptsForm(study, has_material=checks.prompts > 0),
        "labels_form": refused if isinstance(refused, LabelsForm) else LabelsForm(checks.methods),
        "labels_stay": why_labels_stay(study),
        "refused": refused,
        "examples": examples_for(study.genre),
        "prompt_examples": ("prompts",),
        "fixed": why_fixed(study),
    }
    return setup_page(request, study, "material", context, is_bad=refused is not None)
