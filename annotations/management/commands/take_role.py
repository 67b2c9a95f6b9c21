"""Take a role in a study."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.access.roles import take_role, user_named
from annotations.management.study_command import study_named
from generation.refusals import Refused


class Command(BaseCommand):
    help = "Take a user's role in a study."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_named(options["slug"])
        try:
            taken = take_role(study, user_named(options["username"]), by=None)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{study.slug}: {options['username']} {'has' if taken else 'had'} no role")
