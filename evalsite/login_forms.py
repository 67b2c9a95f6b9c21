"""Logging in by a name in any case."""

from __future__ import annotations

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm

from annotations.access.accounts import stored_name


class LoginForm(AuthenticationForm):
    """The log-in of the site: names that differ by case only are one, unless two accounts have them."""

    def clean_username(self) -> str:
        return stored_name(self.cleaned_data["username"])


class AdminLoginForm(AdminAuthenticationForm):
    """The same for the administrators' pages."""

    def clean_username(self) -> str:
        return stored_name(self.cleaned_data["username"])
