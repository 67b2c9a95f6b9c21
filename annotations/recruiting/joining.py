"""Coming into a study by a link, and coming back by it: the only way in that needs no password.

An invitation is used once and then is its evaluator's key until the deadline, and so is a return link. An open link
takes as many people as it is for; whom a panel sends is the same person whenever the same id comes. A link opens no
account but one that a link has made, and no longer when somebody gave that account a password or rights.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.access.accounts import only_rates
from annotations.models import (
    Enrolment,
    EvaluatorGroup,
    Invitation,
    LinkAccount,
    OpenLink,
    ReturnLink,
    Study,
)
from annotations.recruiting.enrolment import CameBy, enrol, refuse_to_enrol, runs_study
from annotations.recruiting.panel import NOBODY, External, is_signed, needs_proof
from annotations.recruiting.sharing_out import EnrolmentRefused
from annotations.recruiting.tokens import TOKEN, first_return_link, token_digest
from generation.refusals import Refused
from generation.web.quotas import Limit, network_of, take

# Within this time a form that comes again is a second press, not somebody else at the same computer.
PRESSED_AGAIN = timedelta(minutes=5)


class LinkRefused(Refused):
    """A link that lets nobody in, with a message for people and the status of the reply."""

    def __init__(
        self,
        message: str,
        status: HTTPStatus = HTTPStatus.GONE,
        study: Study | None = None,
        way_back: OpenLink | None = None,
    ) -> None:
        self.status = status
        self.study = study
        # The panel's link of somebody who comes too late: it says where they are sent and with which code.
        self.way_back = way_back
        super().__init__(message)


class WhoIsIt(Exception):
    """Somebody else's account is logged in, and it was not said whether the link is for its owner."""


class FormSpent(Exception):
    """The form was used some time ago: who has it open still is to be asked anew."""


class Who(StrEnum):
    """As whom a visitor who is logged in goes on by a link that does not say it."""

    MYSELF = "myself"
    SOMEBODY_ELSE = "somebody-else"


@dataclass(frozen=True)
class Entrance:
    """What a link leads to, and what the visitor's browser is in already: the link decides, never the browser.

    `enrolment` is whom the link belongs to, `own` the visitor's part in the study where the link belongs to nobody
    yet, and `full` says why nobody new comes in by it.
    """

    study: Study
    link: Invitation | OpenLink | ReturnLink
    group: EvaluatorGroup | None
    enrolment: Enrolment | None = None
    external: External = NOBODY
    own: Enrolment | None = None
    full: str = ""

    def is_own(self, visitor: User | None) -> bool:
        """Whether the visitor is logged in already as the one whom the link leads to."""
        return (
            visitor is not None and self.enrolment is not None and self.enrolment.evaluator_id == visitor.pk
        )

    def takes_account(self, visitor: User | None) -> bool:
        """Whether the visitor may go on with the account that is logged in, where the link belongs to nobody yet.

        One that a link made is for the person of that link: it takes no second link; and nobody rates what they run.
        """
        if visitor is None or self.enrolment is not None:
            return False
        return self.own is not None or not (is_guest(visitor) or runs_study(self.study, visitor))


@dataclass(frozen=True)
class Joined:
    """Who came in, and the return link that was made for them, to be shown once."""

    enrolment: Enrolment
    is_new: bool
    return_token: str = ""


def joins_from_address() -> Limit:
    return Limit("joins from an address", settings.JOINS_PER_ADDRESS)


def is_guest(user: User) -> bool:
    """Whether a link made the account, and nobody gave it a password since: its personal link is the only key."""
    return not user.has_usable_password() and LinkAccount.objects.filter(user=user).exists()


def open_parts(user: User) -> list[Enrolment]:
    """Return the parts in studies to which a user can still come back by a link."""
    return list(Enrolment.objects.answering(user).taking_part().with_time_left())


def find_entrance(token: str, visitor: User | None, external: External = NOBODY) -> Entrance:
    """Return where a link leads to for a visitor (None: not logged in); raise `LinkRefused`. Writes nothing."""
    link = find_link(token)
    if isinstance(link, Invitation):
        entrance = invitation_entrance(link, visitor)
    elif isinstance(link, OpenLink):
        entrance = open_entrance(link, visitor, external)
    else:
        entrance = Entrance(link.enrolment.study, link, link.enrolment.group, link.enrolment)
    refuse_entrance(entrance, visitor)
    return entrance


def find_link(token: str) -> Invitation | OpenLink | ReturnLink:
    """Return the link of a token; raise `LinkRefused` for one that was never made."""
    if TOKEN.fullmatch(token):
        digest = {"token_hash": token_digest(token)}
        invitations = Invitation.objects.select_related("study", "group", "used_by__evaluator")
        open_links = OpenLink.objects.select_related("study", "group")
        return_links = ReturnLink.objects.select_related(
            "enrolment__study", "enrolment__evaluator", "enrolment__group"
        )
        for links in (invitations, open_links, return_links):
            if link := links.filter(**digest).first():
                return link
    raise LinkRefused(
        _("There is no such link. Copy the whole address from your invitation."), HTTPStatus.NOT_FOUND
    )


def study_of(link: Invitation | OpenLink | ReturnLink) -> Study:
    return link.enrolment.study if isinstance(link, ReturnLink) else link.study


def invitation_entrance(found: Invitation, visitor: User | None) -> Entrance:
    if found.revoked_at:
        raise LinkRefused(_("This invitation was taken back."), study=found.study)
    if not found.used_by and found.expires_at <= timezone.now():
        raise LinkRefused(_("This invitation has expired. Ask for a new one."), study=found.study)
    own = None if found.used_by else own_enrolment(found.study, visitor)
    return Entrance(found.study, found, found.group, found.used_by, own=own)


def open_entrance(found: OpenLink, visitor: User | None, external: External) -> Entrance:
    enrolment = own = None
    if found.takes_external_ids:
        if not external.id:
            raise LinkRefused(
                _(
                    "Open the study from the site that sent you here: the address lacks your id (PROLIFIC_PID or"
                    " workerId)."
                ),
                HTTPStatus.BAD_REQUEST,
                found.study,
            )
        if found.needs_signature and not external.signature:
            raise LinkRefused(
                _("The address lacks the signature of your id. Open it from the site that sent you."),
                HTTPStatus.FORBIDDEN,
                found.study,
            )
        same = Enrolment.objects.filter(study=found.study, external_id=external.id)
        enrolment = same.select_related("evaluator").with_is_over().first()
        if external.signature and not is_signed(found.study, external):
            raise LinkRefused(
                _(
                    "The signature in the address is not that of your id. Open it from the site that sent you."
                ),
                HTTPStatus.FORBIDDEN,
                found.study,
            )
        is_here = enrolment is not None and visitor is not None and enrolment.evaluator_id == visitor.pk
        if enrolment and not is_here and not external.signature and needs_proof(enrolment):
            raise LinkRefused(
                _(
                    "Somebody has begun with this id in another browser. Go on there, or open the personal link"
                    " that you were shown."
                ),
                HTTPStatus.FORBIDDEN,
                found.study,
            )
    else:
        external = NOBODY
    if enrolment is None:
        own = own_enrolment(found.study, visitor)
        if own and external.id and own.external_id not in ("", external.id):
            # Another member of the panel at the same computer.
            own = None
    full = ""
    if enrolment or found.study.state == Study.State.CLOSED:
        pass  # That the study is closed says more than that the link is.
    elif found.closed_at:
        full = _("This link is closed: nobody can join by it any more.")
    elif found.enrolments.count() >= found.limit:
        full = _("As many people have joined by this link as it is for.")
    return Entrance(found.study, found, found.group, enrolment, external, own, full)


def own_enrolment(study: Study, visitor: User | None) -> Enrolment | None:
    if visitor is None:
        return None
    own = Enrolment.objects.filter(study=study, evaluator=visitor, source=Enrolment.Source.QUESTIONNAIRE)
    return own.select_related("evaluator").with_is_over().first()


def refuse_entrance(entrance: Entrance, visitor: User | None) -> None:
    """Refuse whom the link does not let in (any more), and tell those whom a panel sent the way back to it."""
    try:
        refuse_whom_it_excludes(entrance, visitor)
    except LinkRefused as refused:
        if entrance.external.id and isinstance(entrance.link, OpenLink):
            refused.way_back = entrance.link
        raise


def refuse_whom_it_excludes(entrance: Entrance, visitor: User | None) -> None:
    study, enrolment = entrance.study, entrance.enrolment
    if enrolment is None:
        if entrance.own and not entrance.own.withdrawn_at:
            return
        if entrance.full:
            raise LinkRefused(entrance.full, study=study)
        if study.state == Study.State.PAUSED:
            raise LinkRefused(
                _("This study is paused, and takes nobody for the time being. Come back later."),
                HTTPStatus.FORBIDDEN,
                study,
            )
        try:
            # Whoever comes gets an account of their own, which runs nothing.
            refuse_to_enrol(study, User())
        except EnrolmentRefused as refused:
            raise LinkRefused(str(refused), HTTPStatus.FORBIDDEN, study) from refused
        return
    if enrolment.withdrawn_at:
        raise LinkRefused(
            _("You have withdrawn from this study. Nothing that you answered is kept."), study=study
        )
    if entrance.is_own(visitor):
        return
    if enrolment.is_over:
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
        and only_rates(user)
    )


def join(
    token: str,
    visitor: User | None,
    *,
    address: str,
    external: External = NOBODY,
    who: Who | None = None,
    nonce: str = "",
) -> Joined:
    """Let a visitor in by a link: as the one whom it belongs to, with the account logged in, or with a new one.

    A form that is sent twice comes with the same `nonce`, and lets in once. Raises `LinkRefused`, `WhoIsIt`,
    `FormSpent` and `TooMany`, and then nothing has changed. The one who is let in is `enrolment.evaluator`; the caller
    logs them in.
    """
    take(joins_from_address(), network_of(address))
    try:
        return join_once(token, visitor, external, who, nonce)
    except EnrolmentRefused as refused:
        link = find_link(token)
        way_back = link if isinstance(link, OpenLink) and external.id else None
        raise LinkRefused(str(refused), HTTPStatus.FORBIDDEN, study_of(link), way_back) from refused


@transaction.atomic
def join_once(token: str, visitor: User | None, external: External, who: Who | None, nonce: str) -> Joined:
    """Join in one transaction. The study is locked first: what is found then stays so until the end."""
    study = study_of(find_link(token))
    Study.objects.locked(study)
    if joined := joined_before(study, visitor, nonce, external):
        return joined
    entrance = find_entrance(token, visitor, external)
    if entrance.enrolment:
        # Whose sub-tasks were all given to others gets new ones, where there are any.
        return Joined(enrol(entrance.study, entrance.enrolment.evaluator), is_new=False)
    if visitor is not None and who is None and not (entrance.external.id and is_guest(visitor)):
        raise WhoIsIt
    if visitor is not None and who == Who.MYSELF:
        if entrance.own:
            return Joined(enrol(entrance.study, visitor), is_new=False)
        if is_guest(visitor):
            raise WhoIsIt
        return take_part(entrance, visitor, "")
    if entrance.full:
        raise LinkRefused(entrance.full, study=study)
    return take_part(entrance, new_guest(), nonce)


def joined_before(study: Study, visitor: User | None, nonce: str, external: External) -> Joined | None:
    """Return who came in by this very form a moment ago; raise `FormSpent` where that is longer ago."""
    if not nonce:
        return None
    enrolment = (
        Enrolment.objects.filter(study=study, join_nonce=token_digest(nonce))
        .select_related("study", "evaluator", "open_link")
        .first()
    )
    if enrolment is None:
        return None
    is_late = enrolment.created_at < timezone.now() - PRESSED_AGAIN
    if enrolment.evaluator != visitor and (is_late or not may_open(enrolment.evaluator)):
        raise FormSpent
    token = "" if external.signature else first_return_link(enrolment, nonce)
    return Joined(enrolment, is_new=False, return_token=token)


def pressed_again(token: str, visitor: User, external: External, nonce: str) -> Joined | None:
    """Return whom the form with this nonce has let in, where that is who is logged in now; raise `LinkRefused`.

    For a form that is out of date by its own first press, which began another session.
    """
    try:
        joined = joined_before(study_of(find_link(token)), visitor, nonce, external)
    except FormSpent:
        return None
    return joined if joined and joined.enrolment.evaluator == visitor else None


def take_part(entrance: Entrance, evaluator: User, nonce: str) -> Joined:
    """Enrol an account by a link that belongs to nobody yet, and use the link up; to be called under the lock."""
    link = entrance.link
    came_by = CameBy(
        link if isinstance(link, OpenLink) else None,
        entrance.external.id,
        entrance.external.session,
        token_digest(nonce) if nonce else "",
    )
    enrolment = enrol(entrance.study, evaluator, group=entrance.group, came_by=came_by)
    if isinstance(link, Invitation):
        unused = Invitation.objects.filter(pk=link.pk, used_by=None, revoked_at=None)
        if not unused.update(used_by=enrolment, used_at=Now()):
            # It was taken back this moment: the account and the enrolment go with the transaction.
            raise LinkRefused(_("This invitation was taken back."), study=entrance.study)
    # Whom the panel vouches for comes back by its own address.
    is_keyless = is_guest(evaluator) and not entrance.external.signature
    token = first_return_link(enrolment, nonce) if is_keyless else ""
    return Joined(enrolment, is_new=True, return_token=token)


def new_guest() -> User:
    """Return a new account that only links open."""
    user = User.objects.create_user(f"guest-{secrets.token_hex(8)}")
    LinkAccount.objects.create(user=user)
    return user
