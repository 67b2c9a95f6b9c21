"""The results of the game. Anyone may see the sums; what speaks of single pairs or rounds is for staff."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from turing.game.play import has_simulated
from turing.game.players import visitor_of
from turing.game.views import STARTS
from turing.models import Kind, Results, Room

ADDRESSES = {
    Kind.PAIRS: "turing:results",
    Kind.TEXT: "turing:results_text",
    Kind.BOUNDARY: "turing:results_boundary",
    Kind.CHATS: "turing:results_chats",
    Kind.CHAT: "turing:results_chat",
}
FILES = {
    Kind.PAIRS: "turing:results_file",
    Kind.TEXT: "turing:results_text_file",
    Kind.BOUNDARY: "turing:results_boundary_file",
    Kind.CHATS: "turing:results_chats_file",
    Kind.CHAT: "turing:results_chat_file",
}


@login_not_required
@require_safe
def results(request: HttpRequest, kind: Kind = Kind.PAIRS) -> HttpResponse:
    """Show the results of a kind of game."""
    return render_results(request, Results.objects.of_site(kind), {})


def render_results(request: HttpRequest, of: Results, more: dict[str, Any]) -> HttpResponse:
    """Show results; `more` is what else their page has."""
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    from turing.results.exports import RESULT_FORMATS, ROW_FORMATS
    from turing.results.figures import PAIRS_SHOWN, breakdown, extreme_pairs, live_results
    from turing.results.kind_page import kind_view
    from turing.results.measured_page import measured_view
    from turing.results.page import live_view, pair_sections, share_sections

    live = live_results(of)
    shown = live_view(live)
    kind = Kind(of.kind)
    is_staff = request.user.is_staff
    player = visitor_of(request).player()
    measured = measured_view(of, live, player=player, with_pairs=is_staff)
    # A player who knows where others went wrong knows more than the texts say. What is measured has lists of its own.
    with_extremes = is_staff and kind == Kind.PAIRS and not measured.is_enough
    context = {
        "kind": kind,
        "kinds": [(one, ADDRESSES[one]) for one in Kind],
        "start": STARTS[kind],
        "live": shown,
        "live_address": reverse("turing:results_live"),
        "of_kind": None if kind == Kind.PAIRS else kind_view(of, live),
        "measured": measured,
        "sections": share_sections(breakdown(of)) if kind == Kind.PAIRS else (),
        "pair_sections": pair_sections(extreme_pairs(live, of)) if with_extremes else (),
        "pairs_shown": PAIRS_SHOWN,
        "files": [(name, reverse(FILES[kind], args=[name])) for name in RESULT_FORMATS],
        "row_formats": ROW_FORMATS,
        "has_simulated": has_simulated(kind),
    }
    if of.room is None and not shown.has_records:
        context["simulated"] = Room.objects.filter(is_simulated=True, kind=kind).first()
    return render(request, "turing/results/results.html", context | more)


@login_not_required
@require_safe
def results_live(request: HttpRequest) -> HttpResponse:
    """Show the part of the page that changes with every record."""
    from turing.results.figures import live_results
    from turing.results.page import live_view

    return render(request, "turing/results/_results_live.html", {"live": live_view(live_results())})


@login_not_required
@require_safe
def results_file(request: HttpRequest, file_format: str, kind: Kind = Kind.PAIRS) -> HttpResponse:
    """Send the results as a file, to staff with the hardest and easiest pairs."""
    return send_results(request, Results.objects.of_site(kind), file_format)


def send_results(request: HttpRequest, of: Results, file_format: str) -> HttpResponse:
    """Send results as a file."""
    from turing.results.exports import RESULT_FORMATS, export_results

    if file_format not in RESULT_FORMATS:
        raise Http404
    return HttpResponse(
        export_results(file_format, with_pairs=request.user.is_staff, of=of),
        content_type=RESULT_FORMATS[file_format],
        headers={"Content-Disposition": f'attachment; filename="turing-results.{file_format}"'},
    )


@require_safe
def rows_file(request: HttpRequest, rows: str, file_format: str) -> StreamingHttpResponse:
    """Stream all pairs or all answered rounds to staff; for anybody else there are none."""
    from turing.results.exports import ROW_FORMATS, ROWS, row_chunks

    if not request.user.is_staff or rows not in ROWS or file_format not in ROW_FORMATS:
        raise Http404
    return StreamingHttpResponse(
        row_chunks(rows, file_format),
        content_type=ROW_FORMATS[file_format],
        headers={"Content-Disposition": f'attachment; filename="turing-{rows}.{file_format}"'},
    )
