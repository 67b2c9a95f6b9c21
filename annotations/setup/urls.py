"""Addresses of setting a study up: /manage/studies/..."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.setup import material_views, run_views, views
from annotations.setup.checklist_items.views import checklist_items
from annotations.setup.error_categories.views import error_categories
from annotations.setup.quality import views as quality_views
from annotations.setup.uploads import views as upload_views
from annotations.setup.uploads.examples import example_file

urlpatterns: list[URLPattern] = [
    path("manage/studies/", views.managed_studies, name="managed_studies"),
    # Before the slugs: no study can be called `new`.
    path("manage/studies/new/", views.new_study, name="new_study"),
    path("manage/studies/<slug:slug>/", views.setup, name="setup"),
    path("manage/studies/<slug:slug>/settings/", views.study_settings, name="study_settings"),
    path("manage/studies/<slug:slug>/consent/", views.consent_settings, name="consent_settings"),
    path("manage/studies/<slug:slug>/criteria/", views.criteria, name="criteria"),
    path("manage/studies/<slug:slug>/criteria/rubric/", views.rubric, name="rubric"),
    path("manage/studies/<slug:slug>/criteria/rubric.json", views.rubric_file, name="rubric_file"),
    path("manage/studies/<slug:slug>/checklist/", checklist_items, name="checklist_items"),
    path("manage/studies/<slug:slug>/errors/", error_categories, name="error_categories"),
    path("manage/studies/<slug:slug>/material/", material_views.material, name="material"),
    path(
        "manage/studies/<slug:slug>/material/candidates/",
        material_views.upload_candidates,
        name="upload_candidates",
    ),
    path("manage/studies/<slug:slug>/material/labels/", material_views.method_labels, name="method_labels"),
    path(
        "manage/studies/<slug:slug>/material/prompts/", material_views.upload_prompts, name="upload_prompts"
    ),
    path(
        "manage/studies/<slug:slug>/material/candidates/<uuid:file>/",
        upload_views.confirm_columns,
        name="confirm_columns",
    ),
    path(
        "manage/studies/<slug:slug>/material/prompts/<uuid:file>/",
        upload_views.confirm_prompts,
        name="confirm_prompts",
    ),
    path("manage/examples/<str:name>.<str:file_format>", example_file, name="example_file"),
    # Generated texts
    path("manage/studies/<slug:slug>/runs/", run_views.study_runs, name="study_runs"),
    path("manage/studies/<slug:slug>/runs/<uuid:run>/add/", run_views.add, name="add_run"),
    path("manage/studies/<slug:slug>/preview/", views.preview, name="preview"),
    path(
        "manage/studies/<slug:slug>/preview/subtasks/<int:subtask>/pages/<int:page>/",
        views.preview_page,
        name="preview_page",
    ),
    path("manage/studies/<slug:slug>/quality/", quality_views.quality, name="quality"),
    path("manage/studies/<slug:slug>/quality/rules/", quality_views.quality_rules, name="quality_rules"),
    path("manage/studies/<slug:slug>/quality/answer/", quality_views.known_answer, name="known_answer"),
    path("manage/studies/<slug:slug>/quality/take-out/", quality_views.take_page_out, name="take_page_out"),
    path("manage/studies/<slug:slug>/sign-off/", views.sign_off, name="sign_off"),
    path("manage/studies/<slug:slug>/launch/", views.launch, name="launch"),
    path("manage/studies/<slug:slug>/pause/", views.pause, name="pause"),
    path("manage/studies/<slug:slug>/resume/", views.resume, name="resume"),
    path("manage/studies/<slug:slug>/close/", views.close, name="close"),
]
