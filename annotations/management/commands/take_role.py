"""Take a role in a study."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from annotations.access.roles import take_role, user_named
from annotations.management.study_command import StudyCommand
from annotations.models import Study


class Command(StudyCommand):
    help = "Take a user's role in a study."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        taken = take_role(study, user_named(options["username"]), by=None)
        self.stdout.write(f"{study.slug}: {options['username']} {'has' if taken else 'had'} no role")
