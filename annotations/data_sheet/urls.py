"""The addresses of a study's data sheet."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.data_sheet import views

urlpatterns: list[URLPattern] = [
    path("studies/<slug:slug>/heds.md", views.heds_file, name="heds_file"),
    path("studies/<slug:slug>/heds.json", views.heds_form_file, name="heds_form_file"),
]
