"""Invite people to rate a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import StudyCommand
from annotations.management.table_options import add_table_options, table_options
from annotations.models import Invitation, Study
from annotations.recruiting.invitations import (
    DAYS_VALID,
    Invitee,
    group_of,
    invite,
    read_invitees,
    send_invitations,
)
from annotations.recruiting.tokens import join_address


class Command(StudyCommand):
    help = (
        "Invite people to rate a study, by mail where the site has a mail server; the links of all others are printed, "
        "this once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("emails", nargs="*", metavar="EMAIL")
        parser.add_argument("--file", type=Path, help="a table with a column email, or a list of addresses")
        add_table_options(parser)
        parser.add_argument(
            "--links", type=int, default=0, metavar="N", help="so many links for nobody in particular"
        )
        parser.add_argument(
            "--group", default="", metavar="KEY", help="group of those who are not in the file"
        )
        parser.add_argument(
            "--days", type=int, default=DAYS_VALID, help="in which they must be accepted (30)"
        )

    def act(self, study: Study, options: dict[str, Any]) -> None:
        try:
            group = group_of(study, options["group"])
            invitees = [Invitee(email, group=group) for email in options["emails"]]
            invitees += [Invitee(group=group)] * options["links"]
            if options["file"]:
                invitees += read_invitees(
                    options["file"], options["file"].name, study, **table_options(options)
                )
            if not invitees:
                raise CommandError("Name somebody: e-mail addresses, --file or --links")
            made = invite(study, invitees, by=None, days_valid=options["days"])
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        left = send_invitations(made)
        for link in left:
            email = link.made.email if isinstance(link.made, Invitation) else ""
            self.stdout.write(f"{email or '-'}\t{join_address(link.token)}")
        self.stderr.write(f"{len(made)} invited to {study}, {len(made) - len(left)} by mail")
