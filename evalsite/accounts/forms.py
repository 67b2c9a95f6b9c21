"""Logging in by a name in any case."""

from __future__ import annotations

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User

from annotations.access.accounts import stored_name

LONGEST_NAME = User._meta.get_field("username").max_length or 0


class NameField:
    """Names that differ by case only are one, unless two accounts have them; no account has a longer one."""

    def clean_username(self: forms.Form) -> str:  # type: ignore[misc]
        username: str = self.cleaned_data["username"]
        if len(username) > LONGEST_NAME:
            raise self.get_invalid_login_error()  # type: ignore[attr-defined]
        return stored_name(username)


class LoginForm(NameField, AuthenticationForm):
    """The log-in of the site."""


class AdminLoginForm(NameField, AdminAuthenticationForm):
    """The same for the administrators' pages."""
