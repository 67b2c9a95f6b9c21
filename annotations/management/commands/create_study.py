"""Begin a study."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from annotations.management.text_options import add_text_options, text_from
from annotations.setup.rubrics import RUBRIC_HELP, load_rubric
from annotations.setup.study import create_study
from generation.files.problems import FileRefused
from generation.management.act_command import ActCommand


class Command(ActCommand):
    help = "Begin a study as a draft: it has criteria, and no material yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument("--rubric", required=True, help=f"the criteria: {RUBRIC_HELP}")
        add_text_options(parser, "title", "the slug if left out")
        parser.add_argument("--owner", metavar="USERNAME", help="who is to run it beside the administrators")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = None
        if options["owner"]:
            owner = User.objects.filter(username=options["owner"]).first()
            if owner is None:
                raise CommandError(f"--owner {options['owner']}: no such user")
        try:
            study = create_study(
                slug=options["slug"],
                rubric=load_rubric(options["rubric"]),
                title=text_from(options, "title"),
                by=owner,
            )
        except FileRefused as refused:
            raise CommandError(f"Nothing was stored.\n{refused}") from refused
        except ValidationError as error:
            raise CommandError(f"{options['slug']}: {' '.join(error.messages)}") from error
        self.stdout.write(f"{study.slug}: a draft. Next: manage.py upload_material {study.slug} FILE")
