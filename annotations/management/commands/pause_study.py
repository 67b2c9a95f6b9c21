"""Pause a study."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.models import Study
from annotations.setup.lifecycle import pause
from generation.refusals import Refused


class Command(BaseCommand):
    help = "Let an open study take no answers for a time; deadlines stay as they are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["slug"]).first()
        if study is None:
            raise CommandError(f"{options['slug']}: no such study")
        try:
            changed = pause(study, by=None)
        except Refused as wrong:
            raise CommandError(f"{study.slug}: {wrong}") from wrong
        self.stdout.write(f"{study.slug}: {'paused' if changed else 'was paused already'}")
