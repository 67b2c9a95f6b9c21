"""Addresses of judges: /manage/studies/.../judges/"""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.judges import views

urlpatterns: list[URLPattern] = [
    path("manage/studies/<slug:slug>/judges/", views.judges, name="judges"),
    path("manage/studies/<slug:slug>/judges/<slug:judge>/delete/", views.delete, name="delete_judge"),
]
