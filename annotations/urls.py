"""Addresses of the questionnaire and of its results."""

from __future__ import annotations

from django.urls import path

from annotations.monitoring import urls as watch_urls
from annotations.plan import views as plan_views
from annotations.questionnaire import views
from annotations.recruiting import urls as people_urls
from annotations.results import prompt_views as case_views
from annotations.results import views as results_views
from annotations.setup import run_views as generating_views
from annotations.setup import urls as setup_urls

app_name = "annotations"

urlpatterns = [
    # /studies/...
    path("studies/", views.studies, name="studies"),
    path("studies/<slug:slug>/", views.study, name="study"),
    path("studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/", views.page, name="page"),
    path(
        "studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/answers/", views.answers, name="answers"
    ),
    # /manage/studies/... (those who run a study)
    path("manage/studies/<slug:slug>/runs/", generating_views.study_runs, name="study_runs"),
    path("manage/studies/<slug:slug>/runs/<uuid:run>/add/", generating_views.add, name="add_run"),
    *setup_urls.urlpatterns,
    *people_urls.urlpatterns,
    *watch_urls.urlpatterns,
    # those who run a study
    path("studies/<slug:slug>/results/", results_views.results, name="results"),
    path("studies/<slug:slug>/results/unblind/", plan_views.unblind, name="unblind"),
    path("studies/<slug:slug>/results/close/", plan_views.close, name="close"),
    path("studies/<slug:slug>/results/prompts/", case_views.prompts, name="prompts"),
    path("studies/<slug:slug>/results/prompts/<int:subtask>/<int:page>/", case_views.prompt, name="prompt"),
    path("studies/<slug:slug>/plan/", plan_views.plan, name="plan"),
    path("studies/<slug:slug>/heds.md", results_views.heds_file, name="heds_file"),
    path("studies/<slug:slug>/ratings.<slug:file_format>", results_views.ratings_file, name="ratings_file"),
    path(
        "studies/<slug:slug>/preferences-<slug:source>.<slug:file_format>",
        results_views.preferences_file,
        name="preferences_file",
    ),
    path("studies/<slug:slug>/results.<slug:file_format>", results_views.results_file, name="results_file"),
]
