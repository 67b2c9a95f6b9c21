"""Make an open link to a study."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Count

from annotations.management.study_command import StudyCommand
from annotations.models import OpenLink, Study
from annotations.recruiting.invitations import close_open_link, group_of, make_open_link, shown_again
from annotations.recruiting.tokens import join_address
from generation.refusals import Refused


class Command(StudyCommand):
    help = "Make a link by which a number of people may join a study, and print it; or list the links, or close them."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--limit", type=int, metavar="N", help="how many people may join by it")
        what.add_argument("--close", action="store_true", help="close all open links of the study")
        what.add_argument(
            "--list",
            action="store_true",
            help="list the links, with the addresses of those made by this command",
        )
        parser.add_argument("--name", default="", help="what you call it; nobody who joins sees it")
        parser.add_argument("--group", default="", metavar="KEY")
        parser.add_argument("--prolific", action="store_true", help="its address must bring PROLIFIC_PID")
        parser.add_argument("--signed", action="store_true", help="the panel must sign every id")
        parser.add_argument("--code", default="", help="completion code, for whoever has answered everything")
        parser.add_argument(
            "--return-to", default="", metavar="URL", help="where the button at the end leads"
        )

        parser.add_argument("--late-code", default="", help="code for whom a panel sends too late")
        parser.add_argument("--late-return-to", default="", metavar="URL", help="where they are sent back to")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        if options["close"]:
            closed = sum(close_open_link(link, by=None) for link in OpenLink.objects.filter(study=study))
            self.stdout.write(f"{study}: {closed} links closed")
            return
        if options["list"]:
            for link in (
                OpenLink.objects.filter(study=study).annotate(joined=Count("enrolments")).order_by("pk")
            ):
                try:
                    address = join_address(shown_again(link, by=None).token)
                except Refused as refused:
                    address = str(refused)
                self.stdout.write(
                    f"{link.name or link.uuid}: {link.joined} of {link.limit} joined. {address}"
                )
            return
        made = make_open_link(
            study,
            name=options["name"],
            limit=options["limit"],
            by=None,
            group=group_of(study, options["group"]),
            takes_external_ids=options["prolific"],
            needs_signature=options["signed"],
            completion_code=options["code"],
            completion_url=options["return_to"],
            turned_away_code=options["late_code"],
            turned_away_url=options["late_return_to"],
        )
        self.stdout.write(join_address(made.token))
