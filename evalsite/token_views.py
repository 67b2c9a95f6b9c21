"""The page on which a user makes a token of the API."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from evalsite.models import ApiToken
from evalsite.tokens import make_token, take_back_token
from generation.web.once import NonceForm


class UserRequest(HttpRequest):
    """A request behind the log-in."""

    user: User


@require_http_methods(["GET", "HEAD", "POST"])
def api_token(request: UserRequest) -> HttpResponse:
    """Say whether there is a token; a POST makes a new one and shows it, this once."""
    nonce = NonceForm(request.POST).sent_nonce()
    token = make_token(request.user, nonce) if request.method == "POST" else ""
    stored = ApiToken.objects.filter(user=request.user).first()
    return render(request, "registration/api_token.html", {"token": token, "stored": stored})


@require_POST
def delete_api_token(request: UserRequest) -> HttpResponse:
    """Make the token void."""
    if take_back_token(request.user):
        messages.success(request, _("The token is void."))
    return redirect("api_token")
