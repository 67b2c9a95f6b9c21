"""Addresses of the training round."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.training import views

urlpatterns: list[URLPattern] = [
    # /studies/<slug>/training/
    path("studies/<slug:slug>/training/", views.training, name="training"),
    path("studies/<slug:slug>/training/check/", views.check, name="check_training"),
]
