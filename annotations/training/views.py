"""The page of the training round, and its two buttons."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from annotations.models import Enrolment
from annotations.offered_languages import offer_languages
from annotations.requests import UserRequest
from annotations.training.training import check_training, feedback, training_of
from generation.refusals import Refused


@require_safe
def training(request: UserRequest, slug: str) -> HttpResponse:
    """Say how the training round goes: what is still to be answered, and how the last attempt was."""
    enrolment = own_enrolment(request, slug)
    if enrolment.needs_consent():
        return redirect(enrolment.study)
    offer_languages(request, enrolment.study)
    found = training_of(enrolment)
    if found is None:
        raise Http404
    last = found.last
    context = {
        "enrolment": enrolment,
        "study": enrolment.study,
        "training": found,
        "pages": feedback(enrolment, found),
        "right": len(last.right) if last else 0,
        "asked": len(last.asked) if last else 0,
    }
    return render(request, "annotations/training/training.html", context)


@require_POST
def check(request: UserRequest, slug: str) -> HttpResponse:
    """Check the answers to the training pages."""
    enrolment = own_enrolment(request, slug)
    try:
        attempt = check_training(enrolment)
    except Refused as refused:
        messages.warning(request, str(refused))
    else:
        if attempt.is_passed:
            messages.success(request, _("You have passed the training. The study is open to you now."))
    return redirect("annotations:training", slug)


def own_enrolment(request: UserRequest, slug: str) -> Enrolment:
    own = Enrolment.objects.answering(request.user).select_related("study__quality_control")
    return get_object_or_404(own, study__slug=slug)
