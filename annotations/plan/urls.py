"""The address of a study's plan."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.plan import views

urlpatterns: list[URLPattern] = [
    path("studies/<slug:slug>/plan/", views.plan, name="plan"),
]
