from __future__ import annotations

from django.apps import AppConfig


class EvalsiteConfig(AppConfig):
    name = "evalsite"
