"""The pages on which people are invited: one, those of a file, or many by an open link."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.access.permissions import Right, right_names, study_for
from annotations.models import Invitation, OpenLink, Study, WaitingUpload
from annotations.recruiting import invitations
from annotations.recruiting.forms import InviteFileForm, InviteForm, LinkForm, WaitingPeopleForm
from annotations.recruiting.invitations.waiting import (
    invite_waiting,
    says_all,
    sheets_of_list,
    waiting_people,
)
from annotations.recruiting.mail import can_mail
from annotations.recruiting.tokens import join_address
from annotations.recruiting.views import page_with
from annotations.requests import UserRequest
from annotations.uploads.forms import FileOptionsForm
from annotations.uploads.waiting import keep_waiting, waiting_upload
from generation.files.encoding import EncodingUnconfirmed
from generation.refusals import Refused
from generation.web.confirming import Question, ask
from generation.web.once import NonceForm, make_once
from stats.reports.write_rows import Columns, csv_chunks

Kind = WaitingUpload.Kind


@require_POST
def invite_one(request: UserRequest, slug: str) -> HttpResponse:
    """Invite one person."""
    study = study_for(request.user, slug, Right.RUN)
    form = InviteForm(study, request.POST)
    if not form.is_valid():
        return page_with(request, study, invite=form)
    sent = form.cleaned_data
    nonce = NonceForm(request.POST).sent_nonce()
    invitee = invitations.Invitee(sent["email"], sent["name"], sent.get("group"))
    try:
        made = invitations.invite(
            study,
            [invitee],
            by=request.user,
            days_valid=sent["days_valid"],
            nonce=nonce,
        )
    except Refused as refused:
        form.add_error("email", str(refused))
        return page_with(request, study, invite=form)
    return invited(request, study, made)


@require_POST
def invite_file(request: UserRequest, slug: str) -> HttpResponse:
    """Invite the people of a file, all or none; one that does not say how it is read waits until somebody does."""
    study = study_for(request.user, slug, Right.RUN)
    form = InviteFileForm(study, request.POST, request.FILES)
    if not form.is_valid():
        return page_with(request, study, invite_file=form)
    nonce, days = NonceForm(request.POST).sent_nonce(), form.cleaned_data["days_valid"]
    try:
        made = invitations.invited_before(study, nonce, by=request.user)
        if not made:
            waiting = make_once(
                nonce,
                f"list of people of study {study.pk} by {request.user.pk}",
                lambda: keep_waiting(Kind.PEOPLE, [form.cleaned_data["file"]], by=request.user, study=study),
                WaitingUpload.objects.all(),
            )
            if not says_all(waiting):
                return redirect(
                    f"{reverse('annotations:confirm_people', args=[slug, waiting.uuid])}?days_valid={days}"
                )
            made = invite_waiting(waiting, study, by=request.user, days_valid=days, nonce=nonce)
    except Refused as refused:
        form.add_error("file", str(refused).splitlines())
        return page_with(request, study, invite_file=form)
    return invited(request, study, made)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_people(request: UserRequest, slug: str, file: UUID) -> HttpResponse:
    """Show the people of a waiting file as it is read, and invite them once that is right."""
    study = study_for(request.user, slug, Right.RUN)
    nonce = NonceForm(request.POST).sent_nonce()
    if made := invitations.invited_before(study, nonce, by=request.user):
        return invited(request, study, made)
    waiting = waiting_upload(Kind.PEOPLE, file, by=request.user, study=study)
    is_sent = request.method == "POST"
    options = FileOptionsForm(request.POST if is_sent else request.GET)
    said = options.said()
    form = WaitingPeopleForm(request.POST if is_sent else None, initial={**request.GET.dict(), **said})
    context: dict[str, Any] = {"study": study, "waiting": waiting, "options": options, "form": form}
    try:
        context["sheets"] = sheets_of_list(waiting, **said)
        if is_sent and form.is_valid():
            days = form.cleaned_data["days_valid"]
            made = invite_waiting(waiting, study, by=request.user, days_valid=days, nonce=nonce, **said)
            return invited(request, study, made)
        context["people"] = waiting_people(waiting, study, **said)
    except EncodingUnconfirmed as refused:
        options.offer(refused)
        context["refused"] = refused
    except Refused as refused:
        context["problems"] = str(refused).splitlines()
    status = HTTPStatus.BAD_REQUEST if is_sent else HTTPStatus.OK
    return render(request, "annotations/recruiting/confirm_people.html", context, status=status)


def invited(request: UserRequest, study: Study, made: list[invitations.NewLink]) -> HttpResponse:
    """Mail the invitations, and show the links of those that no mail went out for."""
    site = request.build_absolute_uri("/")
    left = invitations.send_invitations(made, site=site)
    if sent := len(made) - len(left):
        words = ngettext("%(sent)d invitation was sent.", "%(sent)d invitations were sent.", sent)
        messages.success(request, words % {"sent": sent})
    if not left:
        return redirect("annotations:people", study.slug)
    return links_page(request, study, left)


LINK_COLUMNS: Columns = {"email": "text", "name": "text", "group": "text", "link": "text"}


def links_page(
    request: UserRequest, study: Study, links: list[invitations.NewLink], *, is_again: bool = False
) -> HttpResponse:
    """Return the page that shows links, new ones or again, and holds them as a file to keep."""
    site = request.build_absolute_uri("/")
    rows = [(link.made, join_address(link.token, site)) for link in links]
    table = [
        (
            *((made.email, made.name) if isinstance(made, Invitation) else ("", "")),
            made.group.key if made.group else "",
            address,
        )
        for made, address in rows
    ]
    context = {
        "study": study,
        "rights": right_names(request.user, study),
        "rows": rows,
        "is_open": isinstance(links[0].made, OpenLink),
        "can_mail": can_mail(),
        "is_again": is_again,
        # In the page itself, because the links are stored nowhere.
        "file": "data:text/csv;charset=utf-8," + quote(b"".join(csv_chunks(LINK_COLUMNS, table))),
    }
    return render(request, "annotations/recruiting/new_links.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: UserRequest, slug: str, invitation: UUID) -> HttpResponse:
    """Ask whether an invitation shall be taken back, and do so."""
    study = study_for(request.user, slug, Right.RUN)
    found = get_object_or_404(
        Invitation.objects.select_related("study", "used_by"), study=study, uuid=invitation
    )
    if request.method != "POST":
        return ask(request, revocation_question(found))
    if invitations.revoke_invitation(found, by=request.user):
        messages.success(request, _("The invitation is taken back: its link opens nothing any more."))
    return redirect("annotations:people", study.slug)


def revocation_question(invitation: Invitation) -> Question:
    whose = invitation.name or invitation.email
    follows = [_("Its link then opens nothing any more, and cannot be made good again; you can invite anew.")]
    if invitation.used_by:
        follows.append(
            _("%(pseudonym)s joined by it and can no longer come back by it. What they answered stays.")
            % {"pseudonym": invitation.used_by.pseudonym}
        )
    return Question(
        _("Take back the invitation of %(whose)s?") % {"whose": whose}
        if whose
        else _("Take back this invitation?"),
        tuple(follows),
        _("Take it back"),
        reverse("annotations:people", args=[invitation.study.slug]),
    )


@require_safe
def show_link(request: UserRequest, slug: str, link: UUID) -> HttpResponse:
    """Show an open link again to whoever made it."""
    study = study_for(request.user, slug, Right.RUN)
    return show_again(request, study, get_object_or_404(OpenLink, study=study, uuid=link))


@require_safe
def show_invitation(request: UserRequest, slug: str, invitation: UUID) -> HttpResponse:
    """Show the link of an invitation again to whoever made it."""
    study = study_for(request.user, slug, Right.RUN)
    return show_again(request, study, get_object_or_404(Invitation, study=study, uuid=invitation))


def show_again(request: UserRequest, study: Study, link: Invitation | OpenLink) -> HttpResponse:
    """Show the page that a link was shown on when it was made, or say on the page of the people why not."""
    try:
        shown = invitations.shown_again(link, by=request.user)
    except Refused as refused:
        messages.warning(request, str(refused))
        return redirect("annotations:people", study.slug)
    return links_page(request, study, [shown], is_again=True)


@require_POST
def add_link(request: UserRequest, slug: str) -> HttpResponse:
    """Make an open link and show it."""
    study = study_for(request.user, slug, Right.RUN)
    form = LinkForm(study, request.POST)
    if not form.is_valid():
        return page_with(request, study, link=form)
    nonce = NonceForm(request.POST).sent_nonce()
    try:
        made = invitations.make_open_link(study, by=request.user, nonce=nonce, **form.cleaned_data)
    except (Refused, ValidationError) as refused:
        form.add_error(None, refused.messages if isinstance(refused, ValidationError) else str(refused))
        return page_with(request, study, link=form)
    return links_page(request, study, [made])


@require_http_methods(["GET", "HEAD", "POST"])
def close_link(request: UserRequest, slug: str, link: UUID) -> HttpResponse:
    """Ask whether an open link shall be closed; let nobody join by it any more."""
    study = study_for(request.user, slug, Right.RUN)
    found = get_object_or_404(OpenLink.objects.select_related("study"), study=study, uuid=link)
    if request.method != "POST":
        joined = {"joined": found.enrolments.count(), "limit": found.limit}
        question = Question(
            _("Close this open link?"),
            (
                _(
                    "Nobody can then join by it any more, and it is never opened again; you can make another one."
                ),
                _("%(joined)d of %(limit)d have joined by it. They stay, and go on answering.") % joined,
            ),
            _("Close the link"),
            reverse("annotations:people", args=[slug]),
        )
        return ask(request, question)
    if invitations.close_open_link(found, by=request.user):
        messages.success(request, _("The link is closed: nobody can join by it any more."))
    return redirect("annotations:people", study.slug)
