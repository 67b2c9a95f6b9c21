"""The pages of live conversations. Anyone of age takes part; a chat is found only by those who sit in it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generation.refusals import Refused
from generation.web.addresses import address_of
from generation.web.once import NonceForm
from turing.game.players import remember, visitor_of
from turing.live import talk, verdicts
from turing.live.forms import EnterForm, MessageForm, VerdictForm
from turing.live.waiting import Wait, enter, leave, look_for_other, open_chat
from turing.models import LONGEST_MESSAGE, Chat, Round, Seat, Side, Verdict

View = Callable[..., HttpResponse]


def if_offered(view: View) -> View:
    """Let there be no such page where the site offers no live conversations."""

    @wraps(view)
    def offered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.TURING_LIVE:
            raise Http404
        return view(request, *args, **kwargs)

    return offered


@login_not_required
@if_offered
@require_http_methods(["GET", "HEAD", "POST"])
def live(request: HttpRequest) -> HttpResponse:
    """Say what a live conversation is, and let who agrees wait for another one."""
    form = EnterForm(request.POST or None)
    visitor = visitor_of(request)
    if request.method == "POST" and form.is_valid():
        entered = enter(
            visitor,
            address_of(request),
            get_language() or settings.LANGUAGE_CODE,
            may_be_read=form.cleaned_data["may_be_read"],
            nonce=NonceForm(request.POST).sent_nonce(),
        )
        response = redirect("turing:live_waiting")
        if entered.token:
            remember(response, entered.token)
        return response
    player = visitor.player()
    context = {
        "form": form,
        "chat": open_chat(player) if player else None,
        "minutes": settings.TURING_LIVE_SECONDS / 60,
        "seconds": settings.TURING_LIVE_WAIT_SECONDS,
        "days": settings.CHAT_KEEP_DAYS,
        "longest": LONGEST_MESSAGE,
    }
    status = HTTPStatus.BAD_REQUEST if request.method == "POST" else HTTPStatus.OK
    return render(request, "turing/live/start.html", context, status=status)


@login_not_required
@if_offered
@require_http_methods(["GET", "HEAD", "POST"])
def live_waiting(request: HttpRequest) -> HttpResponse:
    """Look whether somebody has come; who waits too long is led to the pairs."""
    player = visitor_of(request).player()
    if player is None:
        return redirect("turing:live")
    if request.method != "POST":
        return render(request, "turing/live/waiting.html", {"seconds": settings.TURING_LIVE_WAIT_SECONDS})
    if "leave" in request.POST:
        leave(player)
        return redirect("turing:live")
    found = look_for_other(player)
    if isinstance(found, Chat):
        return _on(request, reverse("turing:live_chat", args=[found.uuid]))
    if found is Wait.LATE:
        messages.info(request, _("Nobody came in time. Here is a game that needs nobody else."))
        return _on(request, reverse("turing:start"))
    if found is Wait.NONE:
        return _on(request, reverse("turing:live"))
    return _on(request, reverse("turing:live_waiting") if not _is_script(request) else "")


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def _on(request: HttpRequest, address: str) -> HttpResponse:
    """Lead on: a browser at once, a script by telling it where."""
    return JsonResponse({"address": address}) if _is_script(request) else redirect(address)


def seat_or_404(request: HttpRequest, chat: uuid.UUID) -> Seat:
    seat = talk.seat_of(visitor_of(request), chat)
    if seat is None:
        raise Http404
    return seat


@login_not_required
@if_offered
@require_http_methods(["GET", "HEAD", "POST"])
def live_chat(request: HttpRequest, chat: uuid.UUID) -> HttpResponse:
    """Show a chat to who sits in it, and take what they say; once it is over its end."""
    seat = seat_or_404(request, chat)
    problem = ""
    if request.method == "POST":
        form = MessageForm(request.POST)
        try:
            if not form.is_valid() or form.cleaned_data["side"] not in sides_shown(seat):
                raise Refused(_("This says nothing."))
            side = Side(form.cleaned_data["side"])
            side = side if seat.role == Seat.Role.INTERROGATOR else Side(seat.chat.human_side)
            talk.say(seat, side, form.cleaned_data["text"], form.cleaned_data["client_id"])
        except Refused as refused:
            problem = str(refused)
        if _is_script(request):
            status = HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK
            return JsonResponse({"problem": problem}, status=status)
        if not problem:
            return redirect("turing:live_chat", chat)
    found = talk.look(seat, talk.Cursor())
    if found.is_over:
        return over(request, seat, found, problem)
    context = {
        "seat": seat,
        "problem": problem,
        "sides": [Talk(seat, side, found) for side in sides_shown(seat)],
        "cursor": cursor_shown(seat, found.cursor),
        "seconds": round(found.wait_for_end),
        "longest": LONGEST_MESSAGE,
        "events_address": events_address(request, chat),
    }
    status = HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK
    return render(request, "turing/live/chat.html", context, status=status)


def sides_shown(seat: Seat) -> tuple[Side, ...]:
    """Return the sides as a page names them: a witness, who sees one, knows not which it is."""
    return tuple(Side) if seat.role == Seat.Role.INTERROGATOR else (Side.LEFT,)


def said_as_shown(seat: Seat, found: talk.Look) -> list[dict[str, Any]]:
    """Return what was said as a page is sent it."""
    own = seat.role == Seat.Role.INTERROGATOR
    return [
        {"side": one.side if own else Side.LEFT, "number": one.number, "by": one.by, "text": one.text}
        for one in found.said
    ]


def cursor_shown(seat: Seat, cursor: talk.Cursor) -> str:
    """Return a cursor as a page is sent it."""
    if seat.role == Seat.Role.WITNESS and seat.chat.human_side == Side.RIGHT:
        return str(talk.Cursor(cursor.right, 0))
    return str(cursor)


def cursor_sent(seat: Seat, text: str) -> talk.Cursor:
    """Return the cursor that a page sent."""
    cursor = talk.Cursor.parse(text)
    if seat.role == Seat.Role.WITNESS and seat.chat.human_side == Side.RIGHT:
        return talk.Cursor(0, cursor.left)
    return cursor


class Talk:
    """One conversation of a page: what was said, who begins, and the id of what is said next."""

    def __init__(self, seat: Seat, side: Side, found: talk.Look) -> None:
        self.side = side
        self.messages = [one for one in said_as_shown(seat, found) if one["side"] == side]
        of = side if seat.role == Seat.Role.INTERROGATOR else Side(seat.chat.human_side)
        self.witness_begins = seat.chat.witness_begins(of)
        self.client_id = uuid.uuid4()


def events_address(request: HttpRequest, chat: uuid.UUID) -> str:
    """Return where events of a chat are sent, or "" where there is no process for it and the page asks again."""
    base: str = settings.TURING_EVENTS_URL
    if not base:
        return ""
    if base.startswith(":"):
        base = f"{request.scheme}://{request.get_host().rsplit(':', 1)[0]}{base}"
    return base.rstrip("/") + reverse("turing:live_events", args=[chat])


def over(request: HttpRequest, seat: Seat, found: talk.Look, problem: str) -> HttpResponse:
    """Ask the interrogator for a verdict, or show what came out."""
    verdict = Verdict.objects.filter(chat=seat.chat_id).first()
    is_interrogator = seat.role == Seat.Role.INTERROGATOR
    context = {
        "seat": seat,
        "is_broken_off": seat.chat.is_broken_off(),
        "is_reported": seat.chat.reported_at is not None,
        "is_interrogator": is_interrogator,
        "verdict": verdict,
        "is_right": verdict is not None and verdict.choice == seat.chat.human_side,
        "sides": [Talk(seat, side, found) for side in sides_shown(seat)],
        "human_side": seat.chat.human_side if verdict else "",
        "confidences": Round.Confidence.choices,
        "problem": problem,
    }
    return render(request, "turing/live/over.html", context)


@login_not_required
@if_offered
@require_safe
def live_messages(request: HttpRequest, chat: uuid.UUID) -> HttpResponse:
    """Send what was said since a cursor: for pages that no events reach."""
    seat = seat_or_404(request, chat)
    found = talk.look(seat, cursor_sent(seat, request.GET.get("after", "")))
    return JsonResponse(
        {
            "said": said_as_shown(seat, found),
            "cursor": cursor_shown(seat, found.cursor),
            "is_over": found.is_over,
            "is_decided": found.is_over and Verdict.objects.filter(chat=seat.chat_id).exists(),
        }
    )


@login_not_required
@if_offered
@require_POST
def live_verdict(request: HttpRequest, chat: uuid.UUID) -> HttpResponse:
    """Take the verdict of the interrogator."""
    seat = seat_or_404(request, chat)
    form = VerdictForm(request.POST)
    if form.is_valid():
        try:
            verdicts.judge(seat, *form.verdict())
        except Refused as refused:
            messages.warning(request, str(refused))
    else:
        messages.warning(request, _("Say which witness is human; a reason has at most 1,000 characters."))
    return redirect("turing:live_chat", chat)


@login_not_required
@if_offered
@require_POST
def live_report(request: HttpRequest, chat: uuid.UUID) -> HttpResponse:
    """End a chat in which somebody was molested."""
    verdicts.report(seat_or_404(request, chat))
    return redirect("turing:live_chat", chat)


@login_not_required
@if_offered
@require_safe
def live_results(request: HttpRequest) -> HttpResponse:
    """Show how often machines were taken for the human."""
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    from turing.live.results import measured_figures, measured_groups

    figures = measured_figures()
    context = {
        "groups": measured_groups(figures),
        "fewest": figures["fewest_interrogators"],
        "broken_off": figures["broken_off"],
    }
    return render(request, "turing/live/results.html", context)


@login_not_required
@if_offered
@require_safe
def live_results_file(request: HttpRequest) -> JsonResponse:
    """Send the results of live conversations as a file."""
    from turing.live.results import measured_figures

    headers = {"Content-Disposition": 'attachment; filename="turing-live-results.json"'}
    return JsonResponse(
        measured_figures(), headers=headers, json_dumps_params={"ensure_ascii": False, "indent": 2}
    )
