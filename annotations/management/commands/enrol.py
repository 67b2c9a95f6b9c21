"""Enrol evaluators in a study."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from annotations.access.accounts import create_account
from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.recruiting.enrolment import enrol_by_staff
from annotations.recruiting.invitations import group_of


class Command(StudyCommand):
    help = (
        "Enrol evaluators in a study: in all its sub-tasks, or in as many as it gives each. Who is enrolled already "
        "stays as they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("usernames", nargs="+", metavar="USERNAME")
        parser.add_argument(
            "--create", action="store_true", help="make missing accounts, and print their passwords once"
        )

        parser.add_argument("--group", default="", metavar="KEY", help="group of those who are new")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        if study.state == Study.State.CLOSED:
            raise CommandError(f"Study {study} is closed.")
        usernames = list(dict.fromkeys(options["usernames"]))
        missing = [name for name in usernames if not User.objects.filter(username=name).exists()]
        if missing and not options["create"]:
            raise CommandError(f"There is no user {', '.join(missing)}; --create makes the accounts.")
        with transaction.atomic():
            group = group_of(study, options["group"])
            passwords = {name: new_password(name) for name in missing}
            enrolments = [
                enrol_by_staff(study, User.objects.get(username=name), by=None, group=group)
                for name in usernames
            ]
        for name, enrolment in zip(usernames, enrolments, strict=True):
            password = f", password {passwords[name]}" if name in passwords else ""
            self.stdout.write(f"{name}: {enrolment.pseudonym} in {study}{password}")


def new_password(username: str) -> str:
    """Make an account and return its password."""
    try:
        return create_account(username)
    except ValidationError as error:
        raise CommandError(f"{username}: {' '.join(error.messages)}") from error
