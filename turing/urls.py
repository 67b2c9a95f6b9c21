"""Addresses of the game."""

from __future__ import annotations

from django.urls import path

from turing.game import views
from turing.live import views as live_views
from turing.live.events import live_events
from turing.models import Kind
from turing.pairs import views as pairs_views
from turing.results import views as results_views
from turing.rooms import views as rooms_views

app_name = "turing"

# Games with pairs have the shorter addresses.
OTHERS = [kind for kind in Kind if kind != Kind.PAIRS]

urlpatterns = [
    # /turing/...
    path("turing/", views.start, name="start"),
    *(path(f"turing/{kind}/", views.start, {"kind": kind}, name=f"start_{kind}") for kind in OTHERS),
    path("turing/record/", views.record, name="record"),
    path("turing/games/<uuid:game>/", views.game, name="game"),
    path("turing/games/<uuid:game>/rounds/<int:number>/", views.round, name="round"),
    # /turing/results/...
    path("turing/results/", results_views.results, name="results"),
    *(
        path(f"turing/results/{kind}/", results_views.results, {"kind": kind}, name=f"results_{kind}")
        for kind in OTHERS
    ),
    *(
        path(
            f"turing/results/{kind}.<slug:file_format>",
            results_views.results_file,
            {"kind": kind},
            name=f"results_{kind}_file",
        )
        for kind in OTHERS
    ),
    path("turing/results/live/", results_views.results_live, name="results_live"),
    path("turing/results.<slug:file_format>", results_views.results_file, name="results_file"),
    # /turing/rooms/...
    path("turing/rooms/<uuid:room>/", rooms_views.room, name="room"),
    path("turing/rooms/<uuid:room>/card/", rooms_views.room_card, name="room_card"),
    path("turing/rooms/<uuid:room>/results/", rooms_views.room_results, name="room_results"),
    path("turing/rooms/<uuid:room>/results/live/", rooms_views.room_results_live, name="room_results_live"),
    path(
        "turing/rooms/<uuid:room>/results.<slug:file_format>",
        rooms_views.room_results_file,
        name="room_results_file",
    ),
    # /turing/live/...
    path("turing/live/", live_views.live, name="live"),
    path("turing/live/waiting/", live_views.live_waiting, name="live_waiting"),
    path("turing/results/live-conversations/", live_views.live_results, name="live_results"),
    path("turing/results/live-conversations.json", live_views.live_results_file, name="live_results_file"),
    path("turing/live/<uuid:chat>/", live_views.live_chat, name="live_chat"),
    path("turing/live/<uuid:chat>/messages/", live_views.live_messages, name="live_messages"),
    path("turing/live/<uuid:chat>/events/", live_events, name="live_events"),
    path("turing/live/<uuid:chat>/verdict/", live_views.live_verdict, name="live_verdict"),
    path("turing/live/<uuid:chat>/report/", live_views.live_report, name="live_report"),
    # staff
    path("turing/rooms/", rooms_views.rooms, name="rooms"),
    path("turing/rooms/<uuid:room>/closing/", rooms_views.room_closing, name="room_closing"),
    path("turing/texts/", pairs_views.texts, name="texts"),
    path("turing/conversations/", pairs_views.conversations, name="conversations"),
    path("turing/<slug:rows>.<slug:file_format>", results_views.rows_file, name="rows_file"),
]
