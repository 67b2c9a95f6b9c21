"""The pages of the game. Anyone plays; a game is found only by whom it belongs to."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

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
from turing.game.forms import BeginForm, ChoiceForm
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
from turing.game.players import keep_record, remember, visitor_of
from turing.game.wording import WORDING
from turing.models import Genre, PoemPair


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Say what the game is, and begin one."""
    if request.method == "POST":
        return begin(request)
    visitor = visitor_of(request)
    player = visitor.player()
    offered = [genre for genre in Genre if PoemPair.objects.in_play(genre).exists()]
    context = {
        "doors": [(genre.value, WORDING[genre], play.open_game(visitor, genre)) for genre in offered],
        "question": WORDING[offered[0] if offered else Genre.POEM].question,
        "record": record_of(visitor) if player else None,
        "can_keep": player is not None and player.user_id is None,
    }
    return render(request, "turing/game/start.html", context)


def begin(request: HttpRequest) -> HttpResponse:
    """Begin a game, or go on with the one that is not finished."""
    form = BeginForm(request.POST)
    if not form.is_valid():
        return redirect("turing:start")
    address = address_of(request)
    nonce = NonceForm(request.POST).sent_nonce()
    try:
        begun = play.begin(
            visitor_of(request),
            address,
            form.cleaned_data["genre"],
            nonce=nonce,
        )
    except play.NoPairs:
        messages.info(request, _("There is nothing to play with yet."))
        return redirect("turing:start")
    response = redirect("turing:game", begun.game.uuid)
    if begun.token:
        remember(response, begun.token)
    return response


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def round(request: HttpRequest, game: UUID, number: int) -> HttpResponse:
    """Show the two texts of a round and take the choice; once it is made, show the truth."""
    visitor = visitor_of(request)
    problem = ""
    if request.method == "POST":
        form = ChoiceForm(request.POST)
        if form.is_valid():
            # Whether it was this request that chose or an earlier one: the round tells.
            play.answer(visitor, game, number, form.answer())
            return redirect("turing:round", game, number)
        problem = _("Press one of the two texts.")
    shown = load_round(visitor, game, number)
    if shown.is_answered():
        return render(request, "turing/game/reveal.html", {"revealed": revealed(shown, game)})
    expected = first_open(shown)
    if expected != number:
        return redirect("turing:round", game, expected)
    if request.method == "GET":
        play.mark_shown(shown)
    context = {"table": table_of(shown), "confidences": type(shown).Confidence.choices, "problem": problem}
    return render(
        request,
        "turing/game/round.html",
        context,
        status=HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK,
    )


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
        "share_text": share_text(result, request.build_absolute_uri(reverse("turing:start"))),
    }
    return render(request, "turing/game/game.html", context)


@require_POST
def record(request: HttpRequest) -> HttpResponse:
    """Put the visitor's record under their account."""
    if keep_record(visitor_of(request)):
        messages.success(request, _("Your record is kept with your account."))
    return redirect("turing:start")
