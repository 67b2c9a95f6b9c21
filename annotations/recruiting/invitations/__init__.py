"""Asking people to take part: groups, invitations for one person each, open links for many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.models import EvaluatorGroup, Invitation, OpenLink, Study
from annotations.models.bounds import (
    MOST_DAYS,
    MOST_INVITED,
    check_number,
    check_row,
    check_text,
    check_texts,
)
from annotations.models.texts_by_language import TextsByLanguage
from annotations.recruiting.mail import Letter, can_mail, send_letters, write_letter
from annotations.recruiting.tokens import join_address, token_of, uuid_from
from generation.files.people import read_people
from generation.files.problems import Place, listed, shown
from generation.refusals import Refused

DAYS_VALID = 30
LONGEST_NAME = 150
LONGEST_KEY = 40
LONGEST_EMAIL = 254


@dataclass(frozen=True)
class Invitee:
    """Somebody to be invited; without an address the link must be handed over by other means."""

    email: str = ""
    name: str = ""
    group: EvaluatorGroup | None = None


@dataclass(frozen=True)
class NewLink:
    """An invitation or an open link as it was made, with its token."""

    made: Invitation | OpenLink
    token: str
    # Not where the same form had made it before.
    is_new: bool = True


@transaction.atomic
def put_group(
    study: Study, key: str, *, name: Mapping[str, str], payment: Decimal | None, by: User | None
) -> EvaluatorGroup:
    """Make a group of evaluators, or change the one of that key, and log it; raise `ValidationError`."""
    check_texts(EvaluatorGroup(key=key, name=TextsByLanguage(name)))
    Study.objects.locked(study)
    group = EvaluatorGroup.objects.filter(study=study, key=key).first() or EvaluatorGroup(
        study=study, key=key
    )
    group.name, group.payment = TextsByLanguage(name), payment
    group.full_clean()
    group.save()
    log_act(study, by, "people.group", group=key, payment=None if payment is None else str(payment))
    return group


def group_of(study: Study, key: str) -> EvaluatorGroup | None:
    """Return the group of a key, or none without a key; raise `Refused`."""
    if not key:
        return None
    check_text("group", key, longest=LONGEST_KEY)
    if group := EvaluatorGroup.objects.filter(study=study, key=key).first():
        return group
    known = listed(study.groups.values_list("key", flat=True))
    raise Refused(
        _("There is no group %(key)s. The groups of this study are: %(known)s.")
        % {"key": shown(key), "known": known or _("none")}
    )


def live(study: Study) -> set[str]:
    """Return the addresses, in small letters, that have an invitation to the study which was not taken back."""
    live = Invitation.objects.filter(study=study, revoked_at=None).exclude(email="")
    return set(live.values_list(Lower("email"), flat=True))


def read_invitees(
    path: Path, name: str, study: Study, *, encoding: str = "", sheet: str = ""
) -> list[Invitee]:
    """Return the people in a list (`generation.files.people`), with groups by their keys; raise `FileRefused`.

    Everything wrong is told by its place and field.
    """
    people, problems = read_people(path, name, encoding=encoding, sheet=sheet)
    groups = {group.key: group for group in study.groups.all()}
    invited = live(study)
    seen: dict[str, Place] = {}
    invitees = []
    for one in people:
        place, email, key, person = one.place, one.email, one.group, one.name
        before = len(problems)
        if problem := problem_of_email(email, invited):
            problems.add(place, "email", problem)
        elif email.lower() in seen:
            problems.add(place, "email", _("stands in %(place)s already"), place=seen[email.lower()])
        seen.setdefault(email.lower(), place)
        if key and key not in groups:
            problems.add(
                place, "group", _("%(key)s is no group of the study; its groups are: %(known)s"),
                key=shown(key), known=listed(groups) or _("none"),
            )  # fmt: skip
        if len(person) > LONGEST_NAME or not person.isprintable():
            problems.add(
                place, "name", _("must be at most %(most)d characters in one line"), most=LONGEST_NAME
            )
        if len(problems) == before:
            invitees.append(Invitee(email, person, groups.get(key)))
    if not seen and not problems:
        problems.add(0, "", _("has no rows"))
    if len(seen) > MOST_INVITED:
        problems.add(
            0, "", _("has %(rows)d rows; at most %(most)d at once"), rows=len(seen), most=MOST_INVITED
        )
    problems.refuse_if_any()
    return invitees


def problem_of_email(email: str, invited: set[str]) -> str:
    """Return what is wrong with an address, or nothing."""
    if not email:
        return _("is missing")
    try:
        validate_email(email)
    except ValidationError:
        return _("%(email)s is no e-mail address") % {"email": shown(email)}
    if len(email) > LONGEST_EMAIL:
        return _("%(email)s is no e-mail address") % {"email": shown(email)}
    if email.lower() in invited:
        return _("%(email)s is invited already") % {"email": shown(email)}
    return ""


@transaction.atomic
def invite(
    study: Study,
    invitees: Sequence[Invitee],
    *,
    by: User | None,
    days_valid: int = DAYS_VALID,
    nonce: str = "",
) -> list[NewLink]:
    """Make an invitation for each of the people, all or none, and log it; raise `Refused`.

    A second call with the nonce of the first returns what that made, with the same links and nobody invited twice. The
    study's row is locked, because of two requests that invite the same address only one may.
    """
    study = Study.objects.locked(study)
    if study.state == Study.State.CLOSED:
        raise Refused(_("This study is closed."))
    if before := invited_before(study, nonce, by=by):
        return before
    check_number("days", days_valid, most=MOST_DAYS)
    check_number("people", len(invitees), most=MOST_INVITED)
    invited = live(study)
    for invitee in invitees:
        check_texts(Invitation(email=invitee.email, name=invitee.name))
        if invitee.email and (problem := problem_of_email(invitee.email, invited)):
            raise Refused(_("The e-mail address %(problem)s.") % {"problem": problem})
        invited.add(invitee.email.lower())
    made = []
    for place, invitee in enumerate(invitees):
        uuid = uuid_from(nonce, invitation_purpose(study, by, place))
        token = token_of(uuid)
        invitation = Invitation(
            uuid=uuid,
            study=study,
            made_by=by,
            group=invitee.group,
            email=invitee.email,
            name=invitee.name,
            token_hash=token.digest,
            expires_at=timezone.now() + timedelta(days=days_valid),
        )
        made.append(NewLink(invitation, token.text))
    Invitation.objects.bulk_create([one.made for one in made if isinstance(one.made, Invitation)])
    log_act(study, by, "people.invited", invitations=len(made), days_valid=days_valid)
    return made


def invitation_purpose(study: Study, by: User | None, place: int) -> str:
    """Return what tells the invitation at a place from the others that one form makes."""
    return f"invitation {place} to {study.pk} by {by.pk if by else 0}"


def invited_before(study: Study, nonce: str, *, by: User | None) -> list[NewLink]:
    """Return the invitations that the same form has made already, in their order, with their links."""
    if not nonce:
        return []
    ids = [uuid_from(nonce, invitation_purpose(study, by, place)) for place in range(MOST_INVITED)]
    found = study.invitations.select_related("study", "group").filter(uuid__in=ids).order_by("pk")
    return [NewLink(one, token_of(one.uuid).text, is_new=False) for one in found]


def shown_again(link: Invitation | OpenLink, *, by: User | None) -> NewLink:
    """Return a link to whoever made it; raise `Refused` for anybody else, and where it opens nothing any more."""
    if link.made_by_id != (by.pk if by else None):
        raise Refused(_("Only whoever made this link can have it shown again."))
    is_over = link.revoked_at or link.used_at if isinstance(link, Invitation) else link.closed_at
    if is_over:
        raise Refused(_("Nobody can join by this link any more."))
    token = token_of(link.uuid)
    if token.digest != link.token_hash:
        raise Refused(_("This link was made by an earlier version of the site and cannot be shown again."))
    return NewLink(link, token.text, is_new=False)


def send_invitations(links: Sequence[NewLink], *, site: str = "") -> list[NewLink]:
    """Mail invitations to those who have an address, and return the links that did not go out."""
    to_send = [link for link in links if has_address(link) and link.is_new]
    went = send_letters([letter_of(link, site) for link in to_send])
    sent = [link for link, is_sent in zip(to_send, went, strict=True) if is_sent]
    Invitation.objects.filter(pk__in=[link.made.pk for link in sent]).update(sent_at=Now())
    # The letter of an earlier press may be on its way.
    mailed = [link for link in links if not link.is_new and can_mail() and has_address(link)]
    return [link for link in links if link not in sent and link not in mailed]


def has_address(link: NewLink) -> bool:
    return isinstance(link.made, Invitation) and bool(link.made.email)


def letter_of(link: NewLink, site: str) -> Letter:
    """Return the letter that invites somebody, in both languages of the site."""
    invitation = link.made
    if not isinstance(invitation, Invitation):
        raise TypeError("only an invitation is sent to somebody")
    study = invitation.study
    context = {
        "name": invitation.name,
        "address": join_address(link.token, site),
        "days": (invitation.expires_at - timezone.now()).days + 1,
        "rate": study.days_to_rate,
        "contact": study.contact,
    }
    return write_letter("invitation", invitation.email, study, context)


@transaction.atomic
def revoke_invitation(invitation: Invitation, *, by: User | None) -> bool:
    """Take an invitation back: its link opens nothing any more. Log it, and return whether this call did so."""
    # Before the invitation, as whoever joins by it does, so that neither waits for the other for ever.
    Study.objects.locked(invitation.study_id)
    revoked = Invitation.objects.filter(pk=invitation.pk, revoked_at=None).update(revoked_at=Now()) == 1
    if revoked:
        log_act(invitation.study, by, "people.invitation_revoked", invitation=str(invitation.uuid))
    return revoked


@transaction.atomic
def make_open_link(
    study: Study,
    *,
    limit: int,
    by: User | None,
    name: str = "",
    group: EvaluatorGroup | None = None,
    takes_external_ids: bool = False,
    needs_signature: bool = False,
    completion_code: str = "",
    completion_url: str = "",
    turned_away_code: str = "",
    turned_away_url: str = "",
    nonce: str = "",
) -> NewLink:
    """Make a link by which up to `limit` people may join, and log it.

    Raises `Refused` for a closed study, `ValidationError` for what a link cannot have.
    """
    study = Study.objects.locked(study)
    if study.state == Study.State.CLOSED:
        raise Refused(_("This study is closed."))
    uuid = uuid_from(nonce, f"link to {study.pk} by {by.pk if by else 0}")
    token = token_of(uuid)
    if before := OpenLink.objects.filter(study=study, uuid=uuid).first():
        return NewLink(before, token.text, is_new=False)
    link = OpenLink(
        uuid=uuid,
        study=study,
        name=name,
        made_by=by,
        group=group,
        token_hash=token.digest,
        limit=limit,
        takes_external_ids=takes_external_ids,
        needs_signature=needs_signature,
        completion_code=completion_code,
        completion_url=completion_url,
        turned_away_code=turned_away_code,
        turned_away_url=turned_away_url,
    )
    check_row(link, exclude=["closed_at"])
    link.validate_constraints()
    link.save()
    group_key = group.key if group else None
    log_act(study, by, "people.link", link=name or str(link.uuid), limit=limit, group=group_key)
    return NewLink(link, token.text)


@transaction.atomic
def close_open_link(link: OpenLink, *, by: User | None) -> bool:
    """Let nobody join by a link any more, log it, and return whether this call did so."""
    Study.objects.locked(link.study_id)
    closed = OpenLink.objects.filter(pk=link.pk, closed_at=None).update(closed_at=Now()) == 1
    if closed:
        log_act(link.study, by, "people.link_closed", link=str(link.uuid))
    return closed
