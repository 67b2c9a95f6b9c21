"""What those who run a study see of its people: names and addresses stand here and on no other page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import Enrolment, Invitation, OpenLink, Study
from annotations.questionnaire.progress import Progress, progress_of
from annotations.recruiting.panel import panel_secret

PER_PAGE = 100


@dataclass(frozen=True)
class Person:
    """An evaluator as the owner sees them."""

    enrolment: Enrolment
    # The name and address of the invitation, or of the account.
    name: str
    email: str
    progress: Progress

    @property
    def state(self) -> str:
        """What the evaluator is at, as a key: withdrawn, consent, finished, over, begun or joined."""
        if self.enrolment.withdrawn_at:
            return "withdrawn"
        if self.progress.total and self.progress.is_finished:
            return "finished"
        if not self.progress.total:
            return "given_back"
        if self.enrolment.is_over:
            return "over"
        if self.enrolment.needs_consent():
            return "consent"
        return "begun" if self.progress.is_started else "joined"

    @property
    def state_in_words(self) -> str:
        return {
            "withdrawn": _("withdrawn"),
            "finished": _("finished"),
            "given_back": _("sub-tasks given to others"),
            "over": _("time over, unfinished"),
            "consent": _("has not agreed yet"),
            "begun": _("under way"),
            "joined": _("not begun"),
        }[self.state]


def invitation_state(invitation: Invitation, now: datetime) -> str:
    """Return what has become of an invitation, as a key: revoked, used, expired, sent or made."""
    if invitation.revoked_at:
        return "revoked"
    if invitation.used_at:
        return "used"
    if invitation.expires_at <= now:
        return "expired"
    return "sent" if invitation.sent_at else "made"


def invitation_states() -> dict[str, str]:
    return {
        "revoked": _("taken back"),
        "used": _("accepted"),
        "expired": _("expired"),
        "sent": _("sent"),
        "made": _("made, not sent by mail"),
    }


@dataclass(frozen=True)
class InvitationRow:
    """An invitation and what has become of it."""

    invitation: Invitation
    state: str
    state_in_words: str


def evaluators(study: Study) -> QuerySet[Enrolment]:
    """Return those who answer a study's questionnaire, with all that a row of the page needs."""
    return (
        Enrolment.objects.filter(study=study, source=Enrolment.Source.QUESTIONNAIRE)
        .select_related("study", "evaluator__link_account", "group", "invitation", "open_link")
        .with_is_over()
        .order_by("number")
    )


def person_of(enrolment: Enrolment, progress: Progress) -> Person:
    """Return an evaluator with their name: that of the invitation, or of an account that is their own."""
    invitation: Invitation | None = getattr(enrolment, "invitation", None)
    user = enrolment.evaluator
    if enrolment.withdrawn_at:
        name = email = ""
    else:
        own_name = "" if hasattr(user, "link_account") else user.get_full_name() or user.get_username()
        name = (invitation.name if invitation else "") or own_name or enrolment.external_id
        email = (invitation.email if invitation else "") or user.email
    return Person(enrolment, name, email, progress)


def people_page(study: Study, page: str | None, invitations_page: str | None) -> dict[str, Any]:
    """Return the groups, links, invitations and evaluators of a study, in a constant number of queries."""
    now = timezone.now()
    shown: Page[Enrolment] = Paginator(evaluators(study), PER_PAGE).get_page(page)
    progress = progress_of(shown)
    invitations: Page[Invitation] = Paginator(
        Invitation.objects.filter(study=study).select_related("group", "used_by").order_by("-pk"), PER_PAGE
    ).get_page(invitations_page)
    words = invitation_states()
    open_links = list(
        OpenLink.objects.filter(study=study)
        .select_related("group")
        .order_by("pk")
        .annotate(joined=Count("enrolments"))
    )
    return {
        "groups": study.groups.annotate(evaluators=Count("enrolments")),
        "open_links": open_links,
        "panel_secret": panel_secret(study) if any(one.takes_external_ids for one in open_links) else "",
        "people": [person_of(one, progress[one.pk]) for one in shown],
        "people_pages": shown,
        "invitations": [
            InvitationRow(one, state, words[state])
            for one in invitations
            for state in [invitation_state(one, now)]
        ],
        "invitation_pages": invitations,
    }
