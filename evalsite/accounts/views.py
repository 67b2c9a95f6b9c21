"""The pages on which a password is changed, or a lost password or link is replaced."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from annotations.recruiting.joining import open_parts
from annotations.recruiting.mail import can_mail

set_password = PasswordChangeView.as_view(
    template_name="registration/change_password.html", success_url=reverse_lazy("annotations:studies")
)


@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponseBase:
    """Change the password of whoever has one; show all others how they come back without."""
    if isinstance(request.user, User) and not request.user.has_usable_password():
        return render(request, "registration/change_password.html", {"parts": open_parts(request.user)})
    return set_password(request)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def forgot(request: HttpRequest) -> HttpResponse:
    """Mail a link to a new password, where the site can; say to those who came by a link how they come back."""
    form = PasswordResetForm(request.POST if request.method == "POST" and can_mail() else None)
    if form.is_valid():
        form.save(request=request, use_https=request.is_secure())
        # The same whether there is such an account or not.
        messages.success(
            request, _("If an account with a password has this address, a letter is on its way to it.")
        )
        return redirect("login")
    return render(request, "registration/forgot.html", {"form": form, "can_mail": can_mail()})
