"""Options of commands for a text by language: one a language."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from annotations.models.texts_by_language import EARLIER_NAMES, language_codes, name_in


def add_text_options(parser: CommandParser, name: str, help_text: str) -> None:
    """Add an option a language: --title-en, and what it was called before; the first language's is --title as well."""
    for place, (code, language) in enumerate(settings.LANGUAGES):
        others = [earlier for earlier, now in EARLIER_NAMES.items() if now == code]
        flags = [f"--{name}-{code}", *(f"--{name}-{other}" for other in others)]
        if place == 0:
            flags.append(f"--{name}")
        parser.add_argument(
            *flags, dest=name_in(name, code), help=f"{help_text}, in {language}", metavar="TEXT"
        )


def text_from(options: dict[str, Any], name: str) -> dict[str, str]:
    """Return the text in the languages that were given by their options; an empty one may be among them."""
    given = {code: options[name_in(name, code)] for code in language_codes()}
    return {code: text for code, text in given.items() if text is not None}
