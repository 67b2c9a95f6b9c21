"""Close a study."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.models import Study
from annotations.setup.lifecycle import close_study


class Command(BaseCommand):
    help = "Close a study: it takes no more answers, and its results may be seen."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["slug"]).first()
        if study is None:
            raise CommandError(f"{options['slug']}: no such study")
        self.stdout.write(f"{study.slug}: {'closed' if close_study(study) else 'was closed already'}")
