"""Making accounts for researchers, who choose their password by a link, and taking the right away again."""

from __future__ import annotations

from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from annotations.access.accounts import refuse_name
from annotations.models.bounds import check_texts


def add_study() -> Permission:
    return Permission.objects.get(content_type__app_label="annotations", codename="add_study")


def researchers() -> QuerySet[User]:
    """Return those who may begin studies and are no administrators, by name."""
    may = Q(user_permissions=add_study()) | Q(groups__permissions=add_study())
    return User.objects.filter(may, is_active=True, is_staff=False).distinct().order_by("username")


@transaction.atomic
def invite_researcher(username: str, email: str = "") -> User:
    """Make an account that may begin studies and has no password yet; raise ValidationError for a taken name.

    Who was invited under this name and address and has no password yet is returned as they are.
    """
    invited = researchers().filter(username=username, email=email).first()
    if invited and not invited.has_usable_password():
        return invited
    user = User(username=username, email=email)
    user.set_unusable_password()
    check_texts(user)
    refuse_name(username)
    user.full_clean()
    user.save()
    user.user_permissions.add(add_study())
    return user


def password_link(user: User, site: str = "") -> str:
    """Return the address at which somebody chooses their password, once; it is good for `PASSWORD_RESET_TIMEOUT`."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("password_reset_confirm", args=[uid, default_token_generator.make_token(user)])
    return urljoin(site or settings.SITE_URL, path)


def take_right(user: User) -> None:
    """Let somebody begin no further studies; what they run stays theirs."""
    user.user_permissions.remove(add_study())
