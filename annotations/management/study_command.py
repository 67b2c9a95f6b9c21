"""What commands have in common that do one thing to one study."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from annotations.models import Enrolment, Study
from generation.management.act_command import ActCommand, words
from generation.refusals import Refused


class StudyCommand(ActCommand):
    """A command that does one thing to the study whose slug comes first, and says in one line why it does not."""

    @abstractmethod
    def act(self, study: Study, options: dict[str, Any]) -> None:
        """Do it; raise `Refused`, `ValidationError`, or `CommandError` for options that do not fit the study."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["slug"]
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            raise CommandError(f"{slug}: no such study")
        try:
            self.act(study, options)
        except Refused as refused:
            raise CommandError(f"{slug}: {refused}") from refused
        except ValidationError as error:
            raise CommandError(f"{slug}: {words(error)}") from error


def evaluators_named(study: Study, pseudonyms: list[str]) -> list[Enrolment]:
    """Return the evaluators of these pseudonyms, in this order; raise `CommandError` where one is nobody's."""
    found = {
        one.pseudonym: one
        for one in study.enrolments.filter(pseudonym__in=pseudonyms).select_related("study")
    }
    if unknown := [name for name in pseudonyms if name not in found]:
        raise CommandError(f"{study}: nobody is called {', '.join(unknown)}")
    return [found[name] for name in pseudonyms]
