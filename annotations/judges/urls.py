"""Addresses of judges: /manage/studies/.../judges/"""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.judges import views

urlpatterns: list[URLPattern] = [
    path("manage/studies/<slug:slug>/judges/", views.judges, name="judges"),
    path("manage/studies/<slug:slug>/judges/ask/", views.start, name="start_judge"),
    path(
        "manage/studies/<slug:slug>/judges/runs/<uuid:judge_run>/stop/",
        views.change_run,
        {"act": "stop"},
        name="stop_judge_run",
    ),
    path(
        "manage/studies/<slug:slug>/judges/runs/<uuid:judge_run>/go-on/",
        views.change_run,
        {"act": "go on"},
        name="go_on_judge_run",
    ),
    path("manage/studies/<slug:slug>/judges/<slug:judge>/delete/", views.delete, name="delete_judge"),
]
