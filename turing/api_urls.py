"""Addresses of the API of the game."""

from __future__ import annotations

from django.urls import path

from turing import api

urlpatterns = [
    path("turing/results/", api.GameResults.as_view(), name="turing_results"),
    path("turing/pairs/", api.Pairs.as_view(), name="turing_pairs"),
    path("turing/conversations/", api.Conversations.as_view(), name="turing_conversations"),
    path("turing/rounds/", api.Rounds.as_view(), name="turing_rounds"),
]
