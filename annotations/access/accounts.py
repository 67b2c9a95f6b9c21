"""Accounts with a password: names that no other differs from by case only, and new log-ins for who lost theirs."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from annotations.models import StudyRole
from annotations.models.bounds import check_texts
from generation.texts.characters import control_characters


def stored_name(username: str) -> str:
    """Return the name of the account that somebody means who logs in as `username`, whatever its case.

    Where accounts differ by case only, it is their exact name that counts.
    """
    if User.objects.filter(username=username).exists():
        return username
    found = User.objects.filter(username__iexact=username).values_list("username", flat=True)[:2]
    return found[0] if len(found) == 1 else username


def case_twins() -> list[list[str]]:
    """Return the names that differ by case only, those that are alike together."""
    lower = User.objects.annotate(lower=Lower("username"))
    shared = lower.values("lower").annotate(accounts=Count("pk")).filter(accounts__gt=1)
    twins: dict[str, list[str]] = {}
    found = lower.filter(lower__in=shared.values("lower")).order_by("lower", "username")
    for name, username in found.values_list("lower", "username"):
        twins.setdefault(name, []).append(username)
    return list(twins.values())


def refuse_name(username: str, *, user: User | None = None) -> None:
    """Raise `ValidationError` for a new name, of `user` or of nobody yet, that tells nobody apart.

    That is one that another account has but for its case, one of signs alone (`.`), and one with characters that
    nobody sees, such as those that turn the direction of the text.
    """
    if control_characters(username) or not any(one.isalnum() for one in username):
        raise ValidationError(_("A user name has a letter or a digit, and no characters that nobody sees."))
    others = User.objects.filter(username__iexact=username).exclude(pk=user.pk if user and user.pk else 0)
    if other := others.values_list("username", flat=True).first():
        raise ValidationError(
            _("There is an account %(other)s already, and case does not tell accounts apart.")
            % {"other": other}
        )


def create_account(username: str) -> str:
    """Create a user who can log in and return their new password; raise `ValidationError`."""
    password = secrets.token_urlsafe(12)
    user = User(username=username)
    user.set_password(password)
    check_texts(user)
    refuse_name(username)
    user.full_clean()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        # Somebody has taken the name since it was looked up.
        refuse_name(username)
        raise
    return password


def only_rates(user: User) -> bool:
    """Whether an account can do nothing but rate."""
    return not (
        user.is_staff
        or user.is_superuser
        or user.groups.exists()
        or user.user_permissions.exists()
        or StudyRole.objects.filter(user=user).exists()
    )
