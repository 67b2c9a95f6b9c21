"""Launch a study."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.models import Study
from annotations.setup.lifecycle import launch
from generation.refusals import Refused


class Command(BaseCommand):
    help = "Open a draft to its evaluators, for good: material, criteria and rules are fixed from then on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["slug"]).first()
        if study is None:
            raise CommandError(f"{options['slug']}: no such study")
        try:
            launch(study, by=None)
        except Refused as refused:
            raise CommandError("\n".join([f"{study.slug}:", *refused.reasons])) from refused
        self.stdout.write(f"{study.slug}: launched. Next: manage.py enrol {study.slug} USERNAME ...")
