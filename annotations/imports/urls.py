"""Addresses for those who have ratings already."""

from __future__ import annotations

from django.urls import URLPattern, path

from annotations.imports import rating_views as views

urlpatterns: list[URLPattern] = [
    path("manage/ratings/", views.upload_ratings, name="upload_ratings"),
    path("manage/ratings/<uuid:upload>/", views.look_at_ratings, name="look_at_ratings"),
    path("manage/studies/<slug:slug>/take-back/", views.take_back, name="take_back"),
]
