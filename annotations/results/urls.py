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
    path("studies/<slug:slug>/ratings.<slug:file_format>", views.ratings_file, name="ratings_file"),
    path("studies/<slug:slug>/written.<slug:file_format>", views.written_file, name="written_file"),
    path("studies/<slug:slug>/turns.<slug:file_format>", views.turns_file, name="turns_file"),
    path("studies/<slug:slug>/checklist.<slug:file_format>", views.checklist_file, name="checklist_file"),
    path("studies/<slug:slug>/spans.<slug:file_format>", views.spans_file, name="spans_file"),
    path("studies/<slug:slug>/judgements.<slug:file_format>", views.judgements_file, name="judgements_file"),
    path(
        "studies/<slug:slug>/preferences-<slug:source>.<slug:file_format>",
        views.preferences_file,
        name="preferences_file",
    ),
    path("studies/<slug:slug>/preferences/", views.chosen_preferences, name="chosen_preferences"),
    path("studies/<slug:slug>/results.<slug:file_format>", views.results_file, name="results_file"),
]
