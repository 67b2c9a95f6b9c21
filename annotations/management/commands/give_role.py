"""Give a role in a study."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from annotations.access.roles import give_role, user_named
from annotations.management.study_command import StudyCommand
from annotations.models import Study, StudyRole


class Command(StudyCommand):
    help = "Give a user a role in a study, in place of any other: owner, analyst or observer."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username")
        parser.add_argument("role", choices=StudyRole.Role.values)

    def act(self, study: Study, options: dict[str, Any]) -> None:
        given = give_role(study, user_named(options["username"]), StudyRole.Role(options["role"]), by=None)
        self.stdout.write(
            f"{study.slug}: {options['username']} {'is' if given else 'was already'} {options['role']}"
        )
