"""Addresses of recruiting: for those who run a study and for those who join one."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
