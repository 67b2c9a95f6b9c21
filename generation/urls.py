"""Addresses of the staff pages of runs, and of the pages on which visitors have texts written."""

from __future__ import annotations

from django.urls import path

from generation.compose import views as compose_views
from generation.runs import views
from generation.self_training import views as self_training_views

app_name = "generation"

urlpatterns = [
    # /manage/runs/...
    path("manage/runs/", views.runs, name="runs"),
    path("manage/runs/<uuid:run>/", views.run, name="run"),
    path("manage/runs/<uuid:run>/progress/", views.progress, name="progress"),
    path("manage/runs/<uuid:run>/cancel/", views.cancel, name="cancel"),
    path("manage/runs/<uuid:run>/retry/", views.retry, name="retry"),
    path("manage/runs/<uuid:run>/prompts/<int:number>/", views.run_prompt, name="run_prompt"),
    # /manage/self-training/...
    path("manage/self-training/", self_training_views.self_trainings, name="self_trainings"),
    path("manage/self-training/<uuid:chain>/", self_training_views.self_training, name="self_training"),
    path("manage/self-training/<uuid:chain>/state/", self_training_views.state, name="self_training_state"),
    path(
        "manage/self-training/<uuid:chain>/cancel/", self_training_views.cancel, name="self_training_cancel"
    ),
    path("manage/self-training/<uuid:chain>/retry/", self_training_views.retry, name="self_training_retry"),
    # /compose/...
    path("compose/", compose_views.start, name="compose"),
    path("compose/poem/", compose_views.poem, name="compose_poem"),
    path("compose/answer/", compose_views.answer, name="compose_answer"),
    path("compose/<uuid:composition>/", compose_views.composition, name="composition"),
    path("compose/<uuid:composition>/progress/", compose_views.progress, name="composition_progress"),
    path("compose/<uuid:composition>/again/", compose_views.again, name="compose_again"),
]
