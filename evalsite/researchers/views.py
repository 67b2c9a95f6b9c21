"""The page on which administrators invite researchers; for anybody else there is no such page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from evalsite.researchers.inviting import invite_researcher, password_link, researchers, take_right
from generation.web.confirming import Question, ask


class ResearcherForm(forms.Form):
    """Whom to invite."""

    username = forms.CharField(
        max_length=150,
        label=gettext_lazy("User name"),
        help_text=gettext_lazy("Letters, digits and @ . + - _ only; they log in by it."),
    )
    email = forms.EmailField(required=False, label=gettext_lazy("E-mail address (optional)"))


def refuse_others(request: HttpRequest) -> None:
    if not request.user.is_staff:
        raise Http404


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """List the researchers, and make an account for another one, whose link is shown once."""
    refuse_others(request)
    form = ResearcherForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        try:
            user = invite_researcher(form.cleaned_data["username"], form.cleaned_data["email"])
        except ValidationError as error:
            known = {name: said for name, said in error_dict(error).items() if name in form.fields}
            form.add_error(None if not known else next(iter(known)), error.messages)
        else:
            context = {"form": ResearcherForm(), **invited(request, user)}
    context["researchers"] = researchers()
    status = 400 if form.errors else 200
    return render(request, "researchers/researchers.html", context, status=status)


def error_dict(error: ValidationError) -> dict[str, Any]:
    return dict(error.error_dict) if hasattr(error, "error_dict") else {}


def invited(request: HttpRequest, user: User) -> dict[str, Any]:
    return {
        "invited": user,
        "link": password_link(user, request.build_absolute_uri("/")),
        "days": timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT).days,
    }


@require_POST
def new_link(request: HttpRequest, username: str) -> HttpResponse:
    """Show another link by which a researcher chooses a password; one that was shown before ends when it is used."""
    refuse_others(request)
    user = get_object_or_404(researchers(), username=username)
    context = {"form": ResearcherForm(), "researchers": researchers(), **invited(request, user)}
    return render(request, "researchers/researchers.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, username: str) -> HttpResponse:
    """Ask whether a researcher shall begin no further studies, and take the right away."""
    refuse_others(request)
    user = get_object_or_404(researchers(), username=username)
    if request.method != "POST":
        question = Question(
            _("Shall %(user)s begin no further studies?") % {"user": username},
            (
                _("What they run stays theirs."),
                _("The right can be given back only in Django's admin, as a permission of the account."),
            ),
            _("No further studies"),
            reverse("researchers"),
        )
        return ask(request, question)
    take_right(user)
    messages.success(
        request, _("%(user)s begins no further studies; what they run stays theirs.") % {"user": username}
    )
    return redirect("researchers")
