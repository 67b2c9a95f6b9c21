"""Accounts in Django's admin: no name differs from another one's by case only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import User

from annotations.access.accounts import refuse_name

if TYPE_CHECKING:
    ChangeForm = UserChangeForm[User]
    Accounts = UserAdmin[User]
else:
    ChangeForm = UserChangeForm
    Accounts = UserAdmin


class AccountForm(ChangeForm):
    """An account whose name may be changed."""

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if "username" in self.changed_data:
            refuse_name(username, user=self.instance)
        return username


admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(Accounts):
    form = AccountForm
