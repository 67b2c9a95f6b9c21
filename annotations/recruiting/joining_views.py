"""The pages on which people come into a study, agree to take part, and leave."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from annotations.models import Enrolment
from annotations.offered_languages import offer_languages
from annotations.recruiting.consent import give_consent
from annotations.recruiting.enrolment import runs_study
from annotations.recruiting.joining import (
    Entrance,
    FormSpent,
    Joined,
    LinkRefused,
    WhoIsIt,
    find_entrance,
    is_guest,
    join,
    may_open,
    open_parts,
    pressed_again,
)
from annotations.recruiting.joining_forms import ConsentForm, JoinForm, WithdrawForm, external_of
from annotations.recruiting.tokens import join_address, make_return_link
from annotations.recruiting.withdrawal import may_withdraw, withdraw
from annotations.requests import UserRequest
from generation.refusals import Refused
from generation.web.addresses import address_of
from generation.web.once import NonceForm
from stats.reports.numbers import exact_percent

BACKEND = "django.contrib.auth.backends.ModelBackend"


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("token")
def join_study(request: HttpRequest, token: str) -> HttpResponse:
    """Show what a link leads to; only a press of the button uses it, because mail scanners open links as well."""
    visitor = request.user if isinstance(request.user, User) else None
    external = external_of(request.GET)
    try:
        if request.method != "POST":
            return entrance_page(request, find_entrance(token, visitor, external), visitor)
        form = JoinForm(request.POST)
        joined = join(token, visitor, address=address_of(request), external=external, **form.chosen())
    except WhoIsIt:
        entrance = find_entrance(token, visitor, external)
        return entrance_page(request, entrance, visitor, status=HTTPStatus.BAD_REQUEST)
    except FormSpent:
        return redirect(request.get_full_path())
    except LinkRefused as refused:
        context = {"reason": str(refused), "study": refused.study, "way_back": refused.way_back}
        return render(request, "annotations/recruiting/link_refused.html", context, status=refused.status)
    if joined.enrolment.evaluator != visitor:
        # Makes a new session, so that nobody who knew the old one comes in with it.
        login(request, joined.enrolment.evaluator, backend=BACKEND)
    return let_in(request, joined)


def let_in(request: HttpRequest, joined: Joined) -> HttpResponse:
    """Lead whoever came in to the study, past their personal link where one was made for them."""
    if joined.return_token:
        return return_page(request, joined.enrolment, joined.return_token)
    return redirect(joined.enrolment.study)


@sensitive_variables("token")
def join_again(request: HttpRequest, visitor: User, token: str) -> HttpResponse:
    """Lead a press of a form that is out of date to where its first press led, and any other to a new form."""
    try:
        nonce = JoinForm(request.POST).sent_nonce()
        joined = pressed_again(token, visitor, external_of(request.GET), nonce)
    except LinkRefused:
        joined = None
    return let_in(request, joined) if joined else redirect(request.get_full_path())


def entrance_page(
    request: HttpRequest, entrance: Entrance, visitor: User | None, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    """Return the page before somebody joins or comes back; the link's own evaluator goes on to the study."""
    if entrance.is_own(visitor):
        return redirect(entrance.study)
    offer_languages(request, entrance.study)
    payment = entrance.group.payment_due() if entrance.group else entrance.study.payment
    context = {
        "study": entrance.study,
        "payment": payment,
        "threshold": exact_percent(float(entrance.study.inconsistency_threshold)),
        "visitor": visitor,
        "is_return": entrance.enrolment is not None,
        "own": entrance.own,
        "full": entrance.full,
        "takes_account": entrance.takes_account(visitor),
        "runs_study": visitor is not None and runs_study(entrance.study, visitor),
        # Their personal links are the only way back to what this browser is in now.
        "left_behind": open_parts(visitor) if visitor and is_guest(visitor) else [],
    }
    return render(request, "annotations/recruiting/join.html", context, status=status)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def log_out(request: HttpRequest) -> HttpResponse:
    """Log out; somebody without a password is told first that only their personal link leads back."""
    visitor = request.user if isinstance(request.user, User) else None
    if visitor and is_guest(visitor) and "is_meant" not in request.POST:
        parts = open_parts(visitor)
        if parts:
            return render(request, "annotations/recruiting/log_out.html", {"parts": parts})
    if request.method == "POST":
        logout(request)
    return redirect("home")


@require_http_methods(["GET", "HEAD", "POST"])
def consent(request: UserRequest, slug: str) -> HttpResponse:
    """Show what an evaluator is asked to agree to, and take the agreement with the short form."""
    enrolment = get_object_or_404(Enrolment.objects.answering(request.user), study__slug=slug)
    study = enrolment.study
    if not enrolment.needs_consent():
        return redirect(study)
    offer_languages(request, study)
    form = ConsentForm(study, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        give_consent(request.user, slug, form.cleaned_data["answers"])
        return redirect(study)
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return render(
        request,
        "annotations/recruiting/consent.html",
        {"study": study, "enrolment": enrolment, "form": form},
        status=status,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw_from_study(request: UserRequest, slug: str) -> HttpResponse:
    """Say what withdrawing does, and do it."""
    enrolment = get_object_or_404(Enrolment.objects.answering(request.user), study__slug=slug)
    offer_languages(request, enrolment.study)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.BAD_REQUEST
        if form.is_valid():
            try:
                withdraw(enrolment, by_evaluator=True)
            except Refused:
                status = HTTPStatus.FORBIDDEN
            else:
                return farewell(request)
    context = {"study": enrolment.study, "form": form, "may_withdraw": may_withdraw(enrolment.study)}
    return render(request, "annotations/recruiting/withdraw.html", context, status=status)


def farewell(request: UserRequest) -> HttpResponse:
    """Lead somebody who withdrew on: to their other studies, or out where the account was for this one."""
    is_active = User.objects.filter(pk=request.user.pk, is_active=True).exists()
    if not is_active:
        logout(request)
    messages.success(
        request, _("You have withdrawn. Your answers are removed, and nothing here tells who you are.")
    )
    return redirect("annotations:studies" if is_active else "home")


@require_http_methods(["GET", "HEAD", "POST"])
def return_link(request: UserRequest, slug: str) -> HttpResponse:
    """Make a link by which an evaluator without a password comes back on another device, and show it once."""
    enrolment = get_object_or_404(Enrolment.objects.answering(request.user), study__slug=slug)
    # Whoever changes the language on the page is led back here by a GET.
    if request.method != "POST" or not may_open(request.user):
        return redirect(enrolment.study)
    nonce = NonceForm(request.POST).sent_nonce()
    return return_page(request, enrolment, make_return_link(enrolment, nonce))


def return_page(request: HttpRequest, enrolment: Enrolment, token: str) -> HttpResponse:
    """Return the page that shows a return link once."""
    offer_languages(request, enrolment.study)
    address = join_address(token, request.build_absolute_uri("/"))
    context: dict[str, Any] = {"study": enrolment.study, "address": address}
    return render(request, "annotations/recruiting/return_link.html", context)
