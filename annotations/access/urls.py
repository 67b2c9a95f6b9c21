"""Addresses of the roles in a study and of its log."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.access import views

urlpatterns: list[URLPattern] = [
    # /manage/studies/<slug>/roles/
    path("manage/studies/<slug:slug>/roles/", views.roles, name="roles"),
    path("manage/studies/<slug:slug>/roles/give/", views.give, name="give_role"),
    path("manage/studies/<slug:slug>/roles/take/", views.take, name="take_role"),
    path("manage/studies/<slug:slug>/log.csv", views.log_file, name="log_file"),
]
