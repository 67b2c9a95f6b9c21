"""The page on which a user makes a token of the API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from evalsite.accounts.tokens import make_token, replaces_token, take_back_token
from evalsite.models import ApiToken
from generation.web.confirming import Question, ask
from generation.web.once import NonceForm


class UserRequest(HttpRequest):
    """A request behind the log-in."""

    user: User


class NewTokenForm(forms.Form):
    """The wish for a new token; where it makes another one void, that must be meant."""

    is_meant = forms.BooleanField(
        label=gettext_lazy("Make the token void that I have. Scripts that send it are refused from then on."),
        error_messages={"required": gettext_lazy("Tick the box to replace the token.")},
    )

    def __init__(self, *args: Any, replaces: bool) -> None:
        super().__init__(*args)
        if not replaces:
            del self.fields["is_meant"]


@require_http_methods(["GET", "HEAD", "POST"])
def api_token(request: UserRequest) -> HttpResponse:
    """Say whether there is a token; a POST makes a new one and shows it, this once."""
    nonce = NonceForm(request.POST).sent_nonce()
    sent = request.POST if request.method == "POST" else None
    form = NewTokenForm(sent, replaces=replaces_token(request.user, nonce))
    token = make_token(request.user, nonce) if form.is_valid() else ""
    if token:
        form = NewTokenForm(replaces=True)
    stored = ApiToken.objects.filter(user=request.user).first()
    context = {"token": token, "stored": stored, "form": form}
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return render(request, "registration/api_token.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def delete_api_token(request: UserRequest) -> HttpResponse:
    """Ask whether the token shall be void, and make it so."""
    if request.method != "POST":
        question = Question(
            _("Make your API token void?"),
            (_("Every script that sends it is refused from then on. You can make a new one."),),
            _("Make the token void"),
            reverse("api_token"),
        )
        return ask(request, question)
    if take_back_token(request.user):
        messages.success(request, _("The token is void."))
    return redirect("api_token")
