"""The pages of the game. Anyone plays; a game is found only by whom it belongs to."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generation.web.addresses import address_of
from generation.web.once import NonceForm
from turing.game import play
from turing.game.forms import BeginForm, ChoiceForm, StepForm
from turing.game.pages import (
    Result,
    first_open,
    load_round,
    record_of,
    result_of,
    revealed,
    share_text,
    table_of,
)
from turing.game.players import Visitor, keep_record, remember, visitor_of
from turing.game.wording import WORDING
from turing.models import Kind

STARTS = {
    Kind.PAIRS: "turing:start",
    Kind.TEXT: "turing:start_text",
    Kind.BOUNDARY: "turing:start_boundary",
    Kind.CHATS: "turing:start_chats",
    Kind.CHAT: "turing:start_chat",
}
RESULTS = {
    Kind.PAIRS: "turing:results",
    Kind.TEXT: "turing:results_text",
    Kind.BOUNDARY: "turing:results_boundary",
    Kind.CHATS: "turing:results_chats",
    Kind.CHAT: "turing:results_chat",
}
ROUNDS = {
    Kind.PAIRS: "turing/game/round.html",
    Kind.TEXT: "turing/game/text.html",
    Kind.BOUNDARY: "turing/game/boundary.html",
    Kind.CHATS: "turing/game/round.html",
    Kind.CHAT: "turing/game/text.html",
}
REVEALS = {
    Kind.PAIRS: "turing/game/reveal.html",
    Kind.TEXT: "turing/game/text_reveal.html",
    Kind.BOUNDARY: "turing/game/boundary_reveal.html",
    Kind.CHATS: "turing/game/reveal.html",
    Kind.CHAT: "turing/game/text_reveal.html",
}


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, kind: Kind = Kind.PAIRS) -> HttpResponse:
    """Say what a kind of game is, and begin one."""
    if request.method == "POST":
        return begin(request, kind)
    visitor = visitor_of(request)
    player = visitor.player()
    offered = [genre for genre in kind.genres if play.in_play_of(kind, genre).exists()]
    wording = WORDING[kind, offered[0] if offered else kind.genres[0]]
    context = {
        "doors": [
            (genre.value, WORDING[kind, genre], play.open_game(visitor, genre, kind)) for genre in offered
        ],
        "kind": kind,
        "results_address": RESULTS[kind],
        "kinds": [(one, STARTS[one]) for one in Kind],
        "wording": wording,
        "record": record_of(visitor, kind) if player else None,
        "can_keep": player is not None and player.user_id is None,
        "is_live": settings.TURING_LIVE,
        "has_simulated": play.has_simulated(kind),
    }
    return render(request, "turing/game/start.html", context)


def begin(request: HttpRequest, kind: Kind) -> HttpResponse:
    """Begin a game, or go on with the one that is not finished."""
    form = BeginForm(request.POST)
    if not form.is_valid() or form.cleaned_data["genre"] not in kind.genres:
        return redirect(STARTS[kind])
    address = address_of(request)
    nonce = NonceForm(request.POST).sent_nonce()
    try:
        begun = play.begin(
            visitor_of(request),
            address,
            form.cleaned_data["genre"],
            nonce=nonce,
            kind=kind,
        )
    except play.NoPairs:
        messages.info(request, _("There is nothing to play with yet."))
        return redirect(STARTS[kind])
    response = redirect("turing:game", begun.game.uuid)
    if begun.token:
        remember(response, begun.token)
    return response


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def round(request: HttpRequest, game: UUID, number: int) -> HttpResponse:
    """Show the texts of a round and take the answer; once it is given, show the truth."""
    visitor = visitor_of(request)
    problem = ""
    if request.method == "POST" and "act" in request.POST:
        if take_step(visitor, game, number, StepForm(request.POST)):
            return redirect("turing:round", game, number)
        problem = _("Say whether the machine begins here, or go on.")
    elif request.method == "POST":
        form = ChoiceForm(request.POST)
        if form.is_valid():
            # Whether it was this request that chose or an earlier one: the round tells.
            play.answer(visitor, game, number, form.answer())
            return redirect("turing:round", game, number)
        problem = _("Press one of the two texts.")
    shown = load_round(visitor, game, number)
    if shown.is_answered():
        return render(request, REVEALS[Kind(shown.kind)], {"revealed": revealed(shown, game)})
    expected = first_open(shown)
    if expected != number:
        return redirect("turing:round", game, expected)
    if request.method == "GET":
        play.mark_shown(shown)
    context = {"table": table_of(shown), "confidences": type(shown).Confidence.choices, "problem": problem}
    return render(
        request,
        ROUNDS[Kind(shown.kind)],
        context,
        status=HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK,
    )


def take_step(visitor: Visitor, game: UUID, number: int, form: StepForm) -> bool:
    """Go on to the next sentence or take where the machine is said to begin; return whether something was said."""
    if not form.is_valid():
        return False
    # Whether it was this request that did so or an earlier one: the round tells.
    if stop := form.stop():
        play.stop(visitor, game, number, stop)
    else:
        play.go_on(visitor, game, number, form.cleaned_data["step"])
    return True


@login_not_required
@require_safe
def game(request: HttpRequest, game: UUID) -> HttpResponse:
    """Show how a game went; one that is not over goes on with its next round."""
    visitor = visitor_of(request)
    result = result_of(visitor, game)
    if not isinstance(result, Result):
        return redirect("turing:round", game, result)
    player = visitor.player()
    context = {
        "result": result,
        "can_keep": player is not None and player.user_id is None,
        "start": STARTS[result.kind],
        "results_address": RESULTS[result.kind],
        "share_text": share_text(result, request.build_absolute_uri(reverse(STARTS[result.kind]))),
    }
    return render(request, "turing/game/game.html", context)


@require_POST
def record(request: HttpRequest) -> HttpResponse:
    """Put the visitor's record under their account."""
    if keep_record(visitor_of(request)):
        messages.success(request, _("Your record is kept with your account."))
    return redirect("turing:start")
