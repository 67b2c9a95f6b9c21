"""The pages on which those who run a study recruit people: groups, invitations, open links, evaluators."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.access.permissions import Right, right_names, study_for
from annotations.models import Enrolment, Study
from annotations.questionnaire.progress import progress_of
from annotations.recruiting import invitations
from annotations.recruiting.consent import label_of
from annotations.recruiting.enrolment import enrol_by_staff, extend_deadline
from annotations.recruiting.forms import (
    EnrolForm,
    ExtendForm,
    GroupForm,
    InviteFileForm,
    InviteForm,
    LinkForm,
    RemoveForm,
    StudyForm,
)
from annotations.recruiting.mail import can_mail
from annotations.recruiting.new_login import make_new_login
from annotations.recruiting.people import evaluators, people_page, person_of
from annotations.recruiting.sharing_out import EnrolmentRefused
from annotations.recruiting.tokens import join_address
from annotations.recruiting.withdrawal import withdraw
from annotations.requests import UserRequest
from generation.refusals import Refused
from generation.web.confirming import Question, ask
from generation.web.once import NonceForm, make_once

FORMS: dict[str, type[StudyForm]] = {
    "group": GroupForm,
    "invite": InviteForm,
    "invite_file": InviteFileForm,
    "link": LinkForm,
    "enrol": EnrolForm,
}


@require_safe
def people(request: UserRequest, slug: str) -> HttpResponse:
    """Show everybody who is asked to rate a study or does, and the forms that ask more."""
    return page_with(request, study_for(request.user, slug, Right.RUN))


def page_with(request: UserRequest, study: Study, **refused: StudyForm) -> HttpResponse:
    """Return the page; a form that was refused takes the place of the empty one, and opens."""
    context: dict[str, Any] = {
        "study": study,
        "rights": right_names(request.user, study),
        "can_mail": can_mail(),
        "forms": {name: form(study) for name, form in FORMS.items()} | refused,
        "refused": next(iter(refused), ""),
        "people_examples": ("people",),
        "refused_form": next(iter(refused.values()), None),
        **people_page(study, request.GET.get("page"), request.GET.get("invitations")),
    }
    status = HTTPStatus.BAD_REQUEST if refused else HTTPStatus.OK
    return render(request, "annotations/recruiting/people.html", context, status=status)


@require_POST
def add_group(request: UserRequest, slug: str) -> HttpResponse:
    """Make or change a group."""
    study = study_for(request.user, slug, Right.RUN)
    form = GroupForm(study, request.POST)
    if not form.is_valid():
        return page_with(request, study, group=form)
    try:
        group = invitations.put_group(study, by=request.user, **form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, error.messages)
        return page_with(request, study, group=form)
    messages.success(request, _("The group %(name)s is stored.") % {"name": group.name})
    return redirect("annotations:people", study.slug)


@require_POST
def enrol_user(request: UserRequest, slug: str) -> HttpResponse:
    """Enrol a user who has an account."""
    study = study_for(request.user, slug, Right.RUN)
    form = EnrolForm(study, request.POST)
    if not form.is_valid():
        return page_with(request, study, enrol=form)
    user = form.cleaned_data["username"]
    try:
        enrolment = enrol_by_staff(study, user, by=request.user, group=form.cleaned_data.get("group"))
    except EnrolmentRefused as refused:
        form.add_error("username", str(refused))
        return page_with(request, study, enrol=form)
    words = _("%(user)s is enrolled as %(pseudonym)s.")
    messages.success(request, words % {"user": user, "pseudonym": enrolment.pseudonym})
    return redirect("annotations:people", study.slug)


@require_safe
def person(request: UserRequest, slug: str, number: int) -> HttpResponse:
    """Show one evaluator: who it is, what they answered to the form, how far they are."""
    study = study_for(request.user, slug, Right.RUN)
    return person_page(request, evaluator_for(study, number))


def evaluator_for(study: Study, number: int) -> Enrolment:
    """Return an evaluator of the study by the number that addresses have, counted from 1."""
    return get_object_or_404(evaluators(study), number=number - 1)


def person_page(
    request: UserRequest,
    enrolment: Enrolment,
    *,
    extend_form: ExtendForm | None = None,
    remove_form: RemoveForm | None = None,
) -> HttpResponse:
    """Return the page of an evaluator with its two forms."""
    progress = progress_of([enrolment])[enrolment.pk]
    labels = {question["key"]: label_of(question) for question in enrolment.study.questions}
    context = {
        "study": enrolment.study,
        "rights": right_names(request.user, enrolment.study),
        "person": person_of(enrolment, progress),
        "number": enrolment.number + 1,
        "answers": [(labels.get(key, key), answer) for key, answer in enrolment.form_answers.items()],
        "extend_form": extend_form or ExtendForm(),
        "remove_form": remove_form or RemoveForm(),
    }
    is_refused = extend_form is not None or remove_form is not None
    return render(
        request,
        "annotations/recruiting/person.html",
        context,
        status=HTTPStatus.BAD_REQUEST if is_refused else HTTPStatus.OK,
    )


@require_POST
def extend(request: UserRequest, slug: str, number: int) -> HttpResponse:
    """Give an evaluator more days."""
    enrolment = evaluator_for(study_for(request.user, slug, Right.RUN), number)
    form = ExtendForm(request.POST)
    if not form.is_valid():
        return person_page(request, enrolment, extend_form=form)
    make_once(
        NonceForm(request.POST).sent_nonce(),
        f"deadline of {enrolment.pk} by {request.user.pk}",
        lambda: extend_deadline(enrolment, days=form.cleaned_data["days"], by=request.user),
        Enrolment.objects.all(),
    )
    messages.success(request, _("The deadline is moved."))
    return redirect("annotations:person", slug, number)


@require_POST
def remove(request: UserRequest, slug: str, number: int) -> HttpResponse:
    """Remove an evaluator's answers at their wish, also after the study was closed."""
    enrolment = evaluator_for(study_for(request.user, slug, Right.RUN), number)
    form = RemoveForm(request.POST)
    if not form.is_valid():
        return person_page(request, enrolment, remove_form=form)
    withdraw(enrolment, by=request.user)
    messages.success(request, _("The answers are removed."))
    return redirect("annotations:person", slug, number)


@require_http_methods(["GET", "HEAD", "POST"])
def new_login(request: UserRequest, slug: str, number: int) -> HttpResponse:
    """Ask whether an evaluator shall get a new log-in; make it and show it once."""
    study = study_for(request.user, slug, Right.RUN)
    enrolment = evaluator_for(study, number)
    if request.method != "POST":
        question = Question(
            _("Make a new log-in for %(pseudonym)s?") % {"pseudonym": enrolment.pseudonym},
            (
                _("Earlier links, passwords and log-ins end at once."),
                _("What takes their place is shown to you this once, for you to hand on."),
            ),
            _("Make a new log-in"),
            reverse("annotations:person", args=[slug, number]),
        )
        return ask(request, question)
    try:
        made = make_new_login(enrolment, by=request.user, nonce=NonceForm(request.POST).sent_nonce())
    except Refused as refused:
        messages.warning(request, str(refused))
        return redirect("annotations:person", slug, number)
    site = request.build_absolute_uri("/")
    context = {
        "study": study,
        "enrolment": enrolment,
        "number": number,
        "password": made.password,
        "address": join_address(made.token, site) if made.token else "",
    }
    return render(request, "annotations/recruiting/new_login.html", context)
