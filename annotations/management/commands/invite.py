"""Invite people to rate a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import study_named
from annotations.models import Invitation
from annotations.recruiting.invitations import (
    DAYS_VALID,
    Invitee,
    group_of,
    invite,
    read_invitees,
    send_invitations,
)
from annotations.recruiting.tokens import join_address
from generation.files.problems import FileRefused
from generation.management.act_command import ActCommand
from generation.refusals import Refused


class Command(ActCommand):
    help = (
        "Invite people to rate a study, by mail where the site has a mail server; the links of all others are printed, "
        "this once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument("emails", nargs="*", metavar="EMAIL")
        parser.add_argument("--file", type=Path, help="CSV or JSON Lines with the columns email, group, name")
        parser.add_argument(
            "--links", type=int, default=0, metavar="N", help="so many links for nobody in particular"
        )
        parser.add_argument(
            "--group", default="", metavar="KEY", help="group of those who are not in the file"
        )
        parser.add_argument(
            "--days", type=int, default=DAYS_VALID, help="in which they must be accepted (30)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_named(options["slug"])
        try:
            group = group_of(study, options["group"])
            invitees = [Invitee(email, group=group) for email in options["emails"]]
            invitees += [Invitee(group=group)] * options["links"]
            if options["file"]:
                invitees += read_invitees(options["file"], options["file"].name, study)
            if not invitees:
                raise CommandError("Name somebody: e-mail addresses, --file or --links")
            made = invite(study, invitees, by=None, days_valid=options["days"])
        except FileRefused as refused:
            raise CommandError(f"Nobody was invited.\n{refused}") from refused
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        except Refused as refused:
            raise CommandError(f"Nobody was invited. {refused}") from refused
        left = send_invitations(made)
        for link in left:
            email = link.made.email if isinstance(link.made, Invitation) else ""
            self.stdout.write(f"{email or '-'}\t{join_address(link.token)}")
        self.stderr.write(f"{len(made)} invited to {study}, {len(made) - len(left)} by mail")
