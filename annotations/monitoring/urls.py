"""Addresses of watching a study."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.monitoring import views

urlpatterns: list[URLPattern] = [
    # /manage/studies/<slug>/progress/
    path("manage/studies/<slug:slug>/progress/", views.progress, name="progress"),
    path("manage/studies/<slug:slug>/progress/checks/", views.progress_checks, name="progress_checks"),
    path("manage/studies/<slug:slug>/progress/live/", views.progress_live, name="progress_live"),
]
