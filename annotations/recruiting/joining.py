"""Coming into a study by a link, and coming back by it: the only way in that needs no password.

An invitation is used once and then is its evaluator's key until the deadline, and so is a return link. An open link
takes as many people as it is for; whom a panel sends is the same person whenever the same id comes. A link opens no
account but one that a link has made, and no longer when somebody gave that account a password or rights.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import (
    Enrolment,
    EvaluatorGroup,
    Invitation,
    LinkAccount,
    OpenLink,
    ReturnLink,
    Study,
    StudyRole,
)
from annotations.recruiting.enrolment import CameBy, enrol, refuse_to_enrol
from annotations.recruiting.sharing_out import EnrolmentRefused
from annotations.recruiting.tokens import TOKEN, new_token, token_digest
from generation.web.quotas import Limit, network_of, take


class LinkRefused(Exception):
    """A link that lets nobody in, with a message for people and the status of the reply."""

    def __init__(
        self, message: str, status: HTTPStatus = HTTPStatus.GONE, study: Study | None = None
    ) -> None:
        self.status = status
        self.study = study
        super().__init__(message)


@dataclass(frozen=True)
class External:
    """Who a visitor is to the panel that sent them."""

    id: str = ""
    session: str = ""


@dataclass(frozen=True)
class Entrance:
    """What a link leads to for this visitor: their enrolment, if they have joined already, and in whose account."""

    study: Study
    link: Invitation | OpenLink | ReturnLink
    group: EvaluatorGroup | None
    enrolment: Enrolment | None = None
    external: External = External()

    def is_own(self, visitor: User | None) -> bool:
        """Whether the visitor is logged in already as the one whom the link leads to."""
        return (
            visitor is not None and self.enrolment is not None and self.enrolment.evaluator_id == visitor.pk
        )

    def opens(self) -> User | None:
        """Return the account that the link logs in, if somebody has joined already."""
        return self.enrolment.evaluator if self.enrolment else None


@dataclass(frozen=True)
class Joined:
    """Who came in, and the return link that was made for them, to be shown once."""

    enrolment: Enrolment
    is_new: bool
    return_token: str = ""


def joins_from_address() -> Limit:
    return Limit("joins from an address", settings.JOINS_PER_ADDRESS)


def find_entrance(token: str, visitor: User | None, external: External = External()) -> Entrance:
    """Return where a link leads to for a visitor (None: not logged in); raise `LinkRefused`. Writes nothing."""
    if not TOKEN.fullmatch(token):
        raise unknown()
    digest = token_digest(token)
    entrance = (
        invitation_entrance(digest, visitor)
        or open_entrance(digest, visitor, external)
        or return_entrance(digest)
    )
    if entrance is None:
        raise unknown()
    refuse_entrance(entrance, visitor)
    return entrance


def unknown() -> LinkRefused:
    return LinkRefused(
        _("There is no such link. Copy the whole address from your invitation."), HTTPStatus.NOT_FOUND
    )


def invitation_entrance(digest: str, visitor: User | None) -> Entrance | None:
    found = (
        Invitation.objects.select_related("study", "group", "used_by__evaluator")
        .filter(token_hash=digest)
        .first()
    )
    if found is None:
        return None
    if found.revoked_at:
        raise LinkRefused(_("This invitation was taken back."), study=found.study)
    if not found.used_by and found.expires_at <= timezone.now():
        raise LinkRefused(_("This invitation has expired. Ask for a new one."), study=found.study)
    # Somebody who is in the study already, with another invitation, does not use this one up.
    enrolment = found.used_by or own_enrolment(found.study, visitor)
    return Entrance(found.study, found, found.group, enrolment)


def open_entrance(digest: str, visitor: User | None, external: External) -> Entrance | None:
    found = OpenLink.objects.select_related("study", "group").filter(token_hash=digest).first()
    if found is None:
        return None
    enrolment = None
    if found.takes_external_ids:
        if not external.id:
            raise LinkRefused(
                _(
                    "Open the study from the site that sent you here: the address lacks your id (PROLIFIC_PID)."
                ),
                HTTPStatus.BAD_REQUEST,
                found.study,
            )
        same = Enrolment.objects.filter(study=found.study, external_id=external.id)
        enrolment = same.select_related("evaluator").first()
    else:
        external = External()
    enrolment = enrolment or own_enrolment(found.study, visitor)
    if enrolment and external.id and enrolment.external_id not in ("", external.id):
        # Another member of the panel at the same computer.
        enrolment = None
    if enrolment is None:
        if found.closed_at:
            raise LinkRefused(_("This link is closed: nobody can join by it any more."), study=found.study)
        if found.enrolments.count() >= found.limit:
            raise LinkRefused(_("As many people have joined by this link as it is for."), study=found.study)
    return Entrance(found.study, found, found.group, enrolment, external)


def return_entrance(digest: str) -> Entrance | None:
    found = (
        ReturnLink.objects.select_related("enrolment__study", "enrolment__evaluator", "enrolment__group")
        .filter(token_hash=digest)
        .first()
    )
    if found is None:
        return None
    return Entrance(found.enrolment.study, found, found.enrolment.group, found.enrolment)


def own_enrolment(study: Study, visitor: User | None) -> Enrolment | None:
    if visitor is None:
        return None
    own = Enrolment.objects.filter(study=study, evaluator=visitor, source=Enrolment.Source.QUESTIONNAIRE)
    return own.select_related("evaluator").first()


def refuse_entrance(entrance: Entrance, visitor: User | None) -> None:
    """Refuse whom the link does not let in (any more)."""
    study, enrolment = entrance.study, entrance.enrolment
    if enrolment is None:
        if study.state == Study.State.PAUSED:
            raise LinkRefused(
                _("This study is paused, and takes nobody for the time being. Come back later."),
                HTTPStatus.FORBIDDEN,
                study,
            )
        if visitor is None:
            # An account made by a link runs nothing, so nobody need be made to find that out.
            visitor = User()
        try:
            refuse_to_enrol(study, visitor)
        except EnrolmentRefused as refused:
            raise LinkRefused(str(refused), HTTPStatus.FORBIDDEN, study) from refused
        return
    if enrolment.withdrawn_at:
        raise LinkRefused(
            _("You have withdrawn from this study. Nothing that you answered is kept."), study=study
        )
    if entrance.is_own(visitor):
        return
    if study.state == Study.State.CLOSED or enrolment.deadline <= timezone.now():
        raise LinkRefused(_("The time for this study is over. What you answered is saved."), study=study)
    if not may_open(enrolment.evaluator):
        raise LinkRefused(
            _("This link was used with an account that has a password: log in with it."), study=study
        )


def may_open(user: User) -> bool:
    """Whether a link may log an account in: a link made it, and nobody gave it a password or rights since."""
    return (
        LinkAccount.objects.filter(user=user).exists()
        and user.is_active
        and not user.has_usable_password()
        and not user.is_staff
        and not user.is_superuser
        and not user.groups.exists()
        and not user.user_permissions.exists()
        and not StudyRole.objects.filter(user=user).exists()
    )


def join(token: str, visitor: User | None, *, address: str, external: External = External()) -> Joined:
    """Let a visitor in by a link: into their own account, the one they joined with, or a new one.

    Raises `LinkRefused` and `TooMany`, and then nothing has changed. The one who is let in is `enrolment.evaluator`;
    the caller logs them in.
    """
    take(joins_from_address(), network_of(address))
    try:
        return join_once(token, visitor, external)
    except EnrolmentRefused as refused:
        raise LinkRefused(str(refused), HTTPStatus.FORBIDDEN) from refused


@transaction.atomic
def join_once(token: str, visitor: User | None, external: External) -> Joined:
    """Join in one transaction. The study is locked first: what is found then stays so until the end."""
    study = find_entrance(token, visitor, external).study
    Study.objects.select_for_update().get(pk=study.pk)
    entrance = find_entrance(token, visitor, external)
    if entrance.enrolment:
        # Whose sub-tasks were all given to others gets new ones, where there are any.
        enrolment = enrol(entrance.study, entrance.enrolment.evaluator)
        return Joined(enrolment, is_new=False)
    evaluator = account_for(entrance, visitor)
    link = entrance.link
    came_by = CameBy(
        link if isinstance(link, OpenLink) else None, entrance.external.id, entrance.external.session
    )
    enrolment = enrol(entrance.study, evaluator, group=entrance.group, came_by=came_by)
    if isinstance(link, Invitation):
        unused = Invitation.objects.filter(pk=link.pk, used_by=None, revoked_at=None)
        if not unused.update(used_by=enrolment, used_at=Now()):
            # It was taken back this moment: the account and the enrolment go with the transaction.
            raise LinkRefused(_("This invitation was taken back."), study=study)
    needs_key = isinstance(link, OpenLink) and not entrance.external.id and evaluator != visitor
    return Joined(enrolment, is_new=True, return_token=make_return_link(enrolment) if needs_key else "")


def account_for(entrance: Entrance, visitor: User | None) -> User:
    """Return the account to join with: the visitor's own, or a new one that only links open.

    Whom a panel sends gets a new one where a link has logged the visitor in: that may be another member of it.
    """
    is_other = bool(entrance.external.id) and LinkAccount.objects.filter(user=visitor).exists()
    if visitor is not None and not is_other and not own_enrolment(entrance.study, visitor):
        return visitor
    user = User.objects.create_user(f"guest-{secrets.token_hex(8)}")
    LinkAccount.objects.create(user=user)
    return user


def make_return_link(enrolment: Enrolment) -> str:
    """Return the token of a new link by which an evaluator without a password comes back; earlier ones stay good."""
    token = new_token()
    ReturnLink.objects.create(enrolment=enrolment, token_hash=token.digest)
    return token.text
