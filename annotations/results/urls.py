"""Addresses of results: the report, its prompts, and the files."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.results import prompt_views, sharing_views, views

urlpatterns: list[URLPattern] = [
    # /studies/<slug>/results/...
    path("studies/<slug:slug>/results/", views.results, name="results"),
    path("studies/<slug:slug>/results/unblind/", views.unblind, name="unblind"),
    path("studies/<slug:slug>/results/prompts/", prompt_views.prompts, name="prompts"),
    path("studies/<slug:slug>/results/prompts/<int:subtask>/<int:page>/", prompt_views.prompt, name="prompt"),
    path("studies/<slug:slug>/results/share/", sharing_views.share, name="share"),
    path("studies/<slug:slug>/results/share/<uuid:link>/end/", sharing_views.unshare, name="unshare"),
    path("reports/<str:token>/", sharing_views.shared_report, name="shared_report"),
    # files
    *(
        path(
            f"studies/<slug:slug>/{rows}.<slug:file_format>",
            views.answers_file,
            {"rows": rows},
            name=f"{rows}_file",
        )
        for rows in views.CHUNKS
    ),
    path(
        "studies/<slug:slug>/preferences-<slug:source>.<slug:file_format>",
        views.preferences_file,
        name="preferences_file",
    ),
    path("studies/<slug:slug>/preferences/", views.chosen_preferences, name="chosen_preferences"),
    path("studies/<slug:slug>/results.<slug:file_format>", views.results_file, name="results_file"),
]
