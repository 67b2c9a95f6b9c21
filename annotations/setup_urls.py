"""Addresses of setting a study up: /manage/studies/..."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
