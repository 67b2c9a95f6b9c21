"""Addresses of the game."""

from __future__ import annotations

from django.urls import path

from turing.game import views
from turing.results import views as results_views

app_name = "turing"

urlpatterns = [
    # /turing/...
    path("turing/", views.start, name="start"),
    path("turing/record/", views.record, name="record"),
    path("turing/games/<uuid:game>/", views.game, name="game"),
    path("turing/games/<uuid:game>/rounds/<int:number>/", views.round, name="round"),
    # /turing/results/...
    path("turing/results/", results_views.results, name="results"),
    path("turing/results/live/", results_views.results_live, name="results_live"),
    path("turing/results.<slug:file_format>", results_views.results_file, name="results_file"),
    # staff
    path("turing/<slug:rows>.<slug:file_format>", results_views.rows_file, name="rows_file"),
]
