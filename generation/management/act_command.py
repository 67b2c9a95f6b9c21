"""What all commands have in common that do an act of the site."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from generation.refusals import Refused


class ActCommand(BaseCommand):
    """A command whose act may be refused: the reason is one line on its standard error, and it ends with 1."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        except ValidationError as error:
            raise CommandError(words(error)) from error


def words(error: ValidationError) -> str:
    """Return what is wrong in one line, with the options' names."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return "; ".join(
        f"--{name.replace('_', '-')}: {' '.join(found)}" for name, found in error.message_dict.items()
    )
