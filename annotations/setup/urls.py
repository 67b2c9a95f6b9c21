"""Addresses of setting a study up: /manage/studies/..."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.setup import material_views
from annotations.setup import views as setup_views

urlpatterns: list[URLPattern] = [
    path("manage/studies/", setup_views.managed_studies, name="managed_studies"),
    # Before the slugs: no study can be called `new`.
    path("manage/studies/new/", setup_views.new_study, name="new_study"),
    path("manage/studies/<slug:slug>/", setup_views.setup, name="setup"),
    path("manage/studies/<slug:slug>/settings/", setup_views.study_settings, name="study_settings"),
    path("manage/studies/<slug:slug>/consent/", setup_views.consent_settings, name="consent_settings"),
    path("manage/studies/<slug:slug>/criteria/", setup_views.criteria, name="criteria"),
    path("manage/studies/<slug:slug>/criteria/rubric/", setup_views.rubric, name="rubric"),
    path("manage/studies/<slug:slug>/material/", material_views.material, name="material"),
    path(
        "manage/studies/<slug:slug>/material/candidates/",
        material_views.upload_candidates,
        name="upload_candidates",
    ),
    path(
        "manage/studies/<slug:slug>/material/prompts/", material_views.upload_prompts, name="upload_prompts"
    ),
    path("manage/studies/<slug:slug>/preview/", setup_views.preview, name="preview"),
    path(
        "manage/studies/<slug:slug>/preview/subtasks/<int:subtask>/pages/<int:page>/",
        setup_views.preview_page,
        name="preview_page",
    ),
    path("manage/studies/<slug:slug>/sign-off/", setup_views.sign_off, name="sign_off"),
    path("manage/studies/<slug:slug>/launch/", setup_views.launch, name="launch"),
    path("manage/studies/<slug:slug>/pause/", setup_views.pause, name="pause"),
    path("manage/studies/<slug:slug>/resume/", setup_views.resume, name="resume"),
]
