"""Addresses of the API of the game."""

from __future__ import annotations

from django.urls import path

from turing import api
from turing.rooms import api as rooms_api

urlpatterns = [
    path("turing/results/", api.GameResults.as_view(), name="turing_results"),
    path("turing/pairs/", api.Pairs.as_view(), name="turing_pairs"),
    path("turing/conversations/", api.Conversations.as_view(), name="turing_conversations"),
    path("turing/rooms/", rooms_api.Rooms.as_view(), name="turing_rooms"),
    path("turing/rooms/<uuid:room>/", rooms_api.OneRoom.as_view(), name="turing_room"),
    path("turing/rooms/<uuid:room>/close/", rooms_api.Close.as_view(), name="turing_room_close"),
    path("turing/rooms/<uuid:room>/reopen/", rooms_api.Reopen.as_view(), name="turing_room_reopen"),
    path("turing/rounds/", api.Rounds.as_view(), name="turing_rounds"),
]
