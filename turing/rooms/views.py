"""The pages of a room: whoever has its address plays there and sees its results; staff open and close rooms."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generation.refusals import Refused
from generation.web.addresses import address_of
from generation.web.once import NonceForm, make_once
from turing.game import play
from turing.game.players import remember, visitor_of
from turing.game.wording import WORDING
from turing.models import Genre, Kind, Results, Room, RoomName
from turing.results.views import render_results, send_results
from turing.rooms.forms import RoomForm
from turing.rooms.rooms import board_of, call_player, close_room, open_room, reopen_room


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def room(request: HttpRequest, room: UUID) -> HttpResponse:
    """Say what is played in a room, and begin a game there."""
    found = get_object_or_404(Room, uuid=room)
    visitor = visitor_of(request)
    if request.method == "POST":
        try:
            begun = play.begin(
                visitor,
                address_of(request),
                found.genre,
                nonce=NonceForm(request.POST).sent_nonce(),
                room=found,
            )
        except (play.NoPairs, play.RoomClosed) as refused:
            messages.info(request, str(refused) or _("There is nothing to play with yet."))
            return redirect("turing:room", room)
        try:
            call_player(found, begun.game.player, request.POST.get("name", ""))
        except Refused as refused:
            messages.warning(request, str(refused))
        response = redirect("turing:game", begun.game.uuid)
        if begun.token:
            remember(response, begun.token)
        return response
    player = visitor.player()
    context = {
        "room": found,
        "wording": WORDING[Kind(found.kind), Genre(found.genre)],
        "open_game": play.open_game(visitor, found.genre, found.kind, found),
        "is_closed": is_closed(found),
        "name": RoomName.objects.filter(room=found, player=player).values_list("name", flat=True).first()
        or ""
        if player
        else "",
    }
    return render(request, "turing/rooms/room.html", context)


def is_closed(room: Room) -> bool:
    """Whether no game begins there; the act of beginning looks at the database's clock again."""
    return room.is_simulated or (room.closes_at is not None and room.closes_at <= timezone.now())


@login_not_required
@require_safe
def room_card(request: HttpRequest, room: UUID) -> HttpResponse:
    """Show a card to share or to print: what is played, the address, and the address as a QR code."""
    # It loads a parser of XML, for this page alone.
    import segno

    found = get_object_or_404(Room, uuid=room)
    address = request.build_absolute_uri(reverse("turing:room", args=[room]))
    code = segno.make(address, error="m")
    path = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(code.matrix) for x, dark in enumerate(row) if dark
    )
    context = {
        "room": found,
        "wording": WORDING[Kind(found.kind), Genre(found.genre)],
        "address": address,
        "share_text": f"{found.name}\n{WORDING[Kind(found.kind), Genre(found.genre)].question}\n{address}",
        "qr": path,
        "side": len(code.matrix),
    }
    return render(request, "turing/rooms/card.html", context)


@login_not_required
@require_safe
def room_results(request: HttpRequest, room: UUID) -> HttpResponse:
    """Show the results of a room with its board."""
    found = get_object_or_404(Room, uuid=room)
    of = Results.objects.of_room(found)
    player = visitor_of(request).player()
    more = {
        "room": found,
        "board": board_of(found, of),
        "live_address": reverse("turing:room_results_live", args=[room]),
        "own": player.pk if player else None,
        "files": [(name, reverse("turing:room_results_file", args=[room, name])) for name in ("json", "csv")],
    }
    return render_results(request, of, more)


@login_not_required
@require_safe
def room_results_live(request: HttpRequest, room: UUID) -> HttpResponse:
    """Show the part of a room's results that changes with every record."""
    from turing.results.figures import live_results
    from turing.results.page import live_view

    of = Results.objects.of_room(get_object_or_404(Room, uuid=room))
    return render(request, "turing/results/_results_live.html", {"live": live_view(live_results(of))})


@login_not_required
@require_safe
def room_results_file(request: HttpRequest, room: UUID, file_format: str) -> HttpResponse:
    """Send the results of a room as a file."""
    return send_results(request, Results.objects.of_room(get_object_or_404(Room, uuid=room)), file_format)


def staff_of(request: HttpRequest) -> User:
    """Return who opens and closes rooms; for anybody else there are no such pages."""
    if not isinstance(request.user, User) or not request.user.is_staff:
        raise Http404
    return request.user


@require_http_methods(["GET", "HEAD", "POST"])
def rooms(request: HttpRequest) -> HttpResponse:
    """List the rooms and open another one."""
    staff = staff_of(request)
    form = RoomForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            made = make_once(
                NonceForm(request.POST).sent_nonce(),
                f"rooms of {staff.pk}",
                lambda: open_room(**wanted, owner=staff),
                Room.objects.all(),
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("turing:room_card", made.uuid)
    found = [(one, is_closed(one)) for one in Room.objects.order_by("-pk")[:100]]
    status = HTTPStatus.BAD_REQUEST if request.method == "POST" else HTTPStatus.OK
    return render(request, "turing/rooms/rooms.html", {"form": form, "rooms": found}, status=status)


@require_POST
def room_closing(request: HttpRequest, room: UUID) -> HttpResponse:
    """Close a room, or open it again."""
    staff_of(request)
    found = get_object_or_404(Room, uuid=room)
    try:
        if "reopen" in request.POST:
            reopen_room(found)
        else:
            close_room(found)
    except Refused as refused:
        messages.warning(request, str(refused))
    return redirect("turing:rooms")
