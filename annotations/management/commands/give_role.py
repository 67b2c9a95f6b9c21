"""Give a role in a study."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.access.roles import give_role, user_named
from annotations.management.study_command import study_named
from annotations.models import StudyRole
from generation.refusals import Refused


class Command(BaseCommand):
    help = "Give a user a role in a study, in place of any other: owner, analyst or observer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument("username")
        parser.add_argument("role", choices=StudyRole.Role.values)

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_named(options["slug"])
        try:
            given = give_role(
                study, user_named(options["username"]), StudyRole.Role(options["role"]), by=None
            )
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(
            f"{study.slug}: {options['username']} {'is' if given else 'was already'} {options['role']}"
        )
