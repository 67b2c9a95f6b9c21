"""The address of the size of a study."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.sample_size import views

urlpatterns: list[URLPattern] = [
    path("manage/studies/<slug:slug>/sample-size/", views.sample_size, name="sample_size"),
]
