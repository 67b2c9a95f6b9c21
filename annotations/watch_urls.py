"""Addresses of watching a study: progress, payments, roles and the log."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
