"""Addresses of those who rate."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.questionnaire import views
from annotations.questionnaire.written.views import written

urlpatterns: list[URLPattern] = [
    # /studies/<slug>/...
    path("studies/<slug:slug>/", views.study, name="study"),
    path("studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/", views.page, name="page"),
    path(
        "studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/answers/", views.answers, name="answers"
    ),
    path("studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/events/", views.events, name="events"),
    path(
        "studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/checklist/",
        views.checklist,
        name="checklist",
    ),
    path("studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/written/", written, name="written"),
    path(
        "studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/judgements/",
        views.judgements,
        name="judgements",
    ),
    path(
        "studies/<slug:slug>/subtasks/<int:subtask>/pages/<int:page>/markings/",
        views.markings,
        name="markings",
    ),
]
