"""Addresses of the API of runs."""

from __future__ import annotations

from django.urls import path

from generation.runs import api

urlpatterns = [
    path("runs/", api.Runs.as_view(), name="runs"),
    path("runs/<uuid:run>/", api.Run.as_view(), name="run"),
    path("runs/<uuid:run>/texts/", api.RunTexts.as_view(), name="run_texts"),
    path("runs/<uuid:run>/cancel/", api.CancelRun.as_view(), name="cancel_run"),
    path("runs/<uuid:run>/retry/", api.RetryRun.as_view(), name="retry_run"),
    path("workload/", api.CurrentWorkload.as_view(), name="workload"),
]
