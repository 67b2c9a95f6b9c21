"""What all commands have in common that do an act of the site."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from generation.refusals import Refused
from generation.texts.characters import UNSTORABLE


class ActCommand(BaseCommand):
    """A command whose act may be refused: the reason is one line on its standard error, and it ends with 1.

    The checks of Django load every page and the API, which takes longer than most acts: `manage.py check` and `migrate`
    make them.
    """

    requires_system_checks = ()

    def execute(self, *args: Any, **options: Any) -> str | None:
        refuse_unstorable(options)
        try:
            return super().execute(*args, **options)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        except ValidationError as error:
            raise CommandError(words(error)) from error


def refuse_unstorable(options: Mapping[str, Any]) -> None:
    """Raise `CommandError` for an argument that is no text, such as bytes that are not UTF-8."""
    for name, given in options.items():
        for one in given if isinstance(given, list | tuple) else [given]:
            if isinstance(one, str | Path) and UNSTORABLE.search(str(one)):
                said = _("This text has a character that is none.")
                raise CommandError(f"{str(one)!a} ({name}): {said}")


def words(error: ValidationError) -> str:
    """Return what is wrong in one line, with the options' names."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return "; ".join(
        f"--{name.replace('_', '-')}: {' '.join(found)}" for name, found in error.message_dict.items()
    )
