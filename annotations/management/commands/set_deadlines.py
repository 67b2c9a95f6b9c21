"""Set one deadline for many evaluators."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.recruiting.deadlines import set_deadlines, unfinished, with_deadlines


class Command(StudyCommand):
    help = "Give many evaluators one deadline, and tell them by mail if that is asked; all of them or none."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("evaluators", nargs="*", metavar="EVALUATOR", help="as in E003")
        parser.add_argument("--all", action="store_true", help="every evaluator")
        parser.add_argument("--unfinished", action="store_true", help="all with something left to answer")
        parser.add_argument(
            "--until", required=True, metavar="TIME", help="as in 2027-01-31T18:00, by the clock of the site"
        )
        parser.add_argument("--tell", action="store_true", help="tell those who have an address by mail")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        named = options["evaluators"]
        if bool(named) + options["all"] + options["unfinished"] != 1:
            raise CommandError("name evaluators, or give --all or --unfinished")
        if options["all"]:
            named = list(with_deadlines(study).values_list("pseudonym", flat=True))
        elif options["unfinished"]:
            named = unfinished(study)
        try:
            until = datetime.fromisoformat(options["until"])
        except ValueError as error:
            raise CommandError(
                f"--until {options['until']}: must be a time as in 2027-01-31T18:00"
            ) from error
        if timezone.is_naive(until):
            until = timezone.make_aware(until)
        moved = set_deadlines(study, named, until, by=None, tell=options["tell"])
        self.stdout.write(f"{study}: {len(moved.enrolments)} deadlines moved, {moved.letters} letters sent")
