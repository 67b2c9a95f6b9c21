"""The page on which those who run a study give roles and read what was done to it."""

from __future__ import annotations

from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.access.log_page import acts_csv, acts_of, log_entry
from annotations.access.permissions import Right, right_names, rights, study_for
from annotations.access.roles import give_role, take_role, user_named
from annotations.models import Study, StudyRole
from annotations.requests import UserRequest
from generation.refusals import Refused
from generation.web.confirming import Question, ask

ACTS_ON_PAGE = 50


class GiveRoleForm(forms.Form):
    """Who gets which role."""

    username = forms.CharField(
        max_length=150,
        label=gettext_lazy("User name"),
        help_text=gettext_lazy(
            "Of an account that exists. An evaluator of the study cannot have a role in it."
        ),
        error_messages={"required": gettext_lazy("Say whose role it is.")},
    )
    role = forms.ChoiceField(
        choices=StudyRole.Role.choices,
        initial=StudyRole.Role.OBSERVER,
        widget=forms.RadioSelect,
        label=gettext_lazy("Role"),
        error_messages={"required": gettext_lazy("Choose a role.")},
    )


class TakeRoleForm(forms.Form):
    """Whose role is taken."""

    username = forms.CharField(max_length=150)


@require_safe
def roles(request: UserRequest, slug: str) -> HttpResponse:
    """Show who has which role in a study, and the log of what was done to it."""
    return roles_page(request, study_for(request.user, slug, Right.RUN), GiveRoleForm())


def roles_page(
    request: UserRequest, study: Study, form: GiveRoleForm, *, refused: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    """Return the page of roles and log, with what was wrong with a form."""
    page = Paginator(acts_of(study), ACTS_ON_PAGE).get_page(request.GET.get("page"))
    context = {
        "study": study,
        "rights": right_names(request.user, study),
        "roles": StudyRole.objects.filter(study=study).select_related("user"),
        "form": form,
        "refused": refused,
        "page": page,
        "log": [log_entry(act) for act in page],
    }
    return render(request, "annotations/access/roles.html", context, status=status)


@require_POST
def give(request: UserRequest, slug: str) -> HttpResponse:
    """Give somebody a role."""
    study = study_for(request.user, slug, Right.RUN)
    form = GiveRoleForm(request.POST)
    if not form.is_valid():
        return roles_page(request, study, form, status=HTTPStatus.BAD_REQUEST)
    try:
        user = user_named(form.cleaned_data["username"])
        given = give_role(study, user, StudyRole.Role(form.cleaned_data["role"]), by=request.user)
    except Refused as refused:
        form.add_error("username", str(refused))
        return roles_page(request, study, form, status=HTTPStatus.BAD_REQUEST)
    if given:
        messages.success(request, _("%(user)s has the role.") % {"user": user.get_username()})
    return redirect_to_roles(request, study)


@require_http_methods(["GET", "HEAD", "POST"])
def take(request: UserRequest, slug: str) -> HttpResponse:
    """Ask whether somebody's role shall be taken, and do so."""
    study = study_for(request.user, slug, Right.RUN)
    if request.method != "POST":
        held = get_object_or_404(
            StudyRole.objects.select_related("user"),
            study=study,
            user__username=request.GET.get("username", ""),
        )
        return ask(request, taking_question(held, is_own=held.user == request.user))
    form = TakeRoleForm(request.POST)
    refused = "" if form.is_valid() else _("Say whose role it is.")
    if not refused:
        try:
            if take_role(study, user_named(form.cleaned_data["username"]), by=request.user):
                messages.success(request, _("The role is taken."))
        except Refused as error:
            refused = str(error)
    if refused:
        return roles_page(request, study, GiveRoleForm(), refused=refused, status=HTTPStatus.BAD_REQUEST)
    return redirect_to_roles(request, study)


def taking_question(held: StudyRole, *, is_own: bool) -> Question:
    follows = (
        _("It is your own: you will not be able to take it again; somebody else has to give it to you.")
        if is_own
        else _("From then on the study's pages are closed to them. What they did stays in the log.")
    )
    name = held.user.get_username()
    return Question(
        _("Take the role “%(role)s” from %(user)s?") % {"role": held.get_role_display(), "user": name},
        (follows,),
        _("Take the role"),
        reverse("annotations:roles", args=[held.study.slug]),
        (("username", name),),
    )


def redirect_to_roles(request: UserRequest, study: Study) -> HttpResponse:
    """Return to the page of roles, or, for whoever has just given up their own role there, to their studies."""
    if Right.RUN in rights(request.user, study):
        return redirect("annotations:roles", study.slug)
    return redirect("annotations:studies")


@require_safe
def log_file(request: UserRequest, slug: str) -> StreamingHttpResponse:
    """Send the log of a study as a CSV file."""
    study = study_for(request.user, slug, Right.RUN)
    return StreamingHttpResponse(
        acts_csv(study),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{study.slug}-log.csv"'},
    )
