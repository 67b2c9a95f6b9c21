from __future__ import annotations

from django.apps import AppConfig


class TuringConfig(AppConfig):
    name = "turing"
