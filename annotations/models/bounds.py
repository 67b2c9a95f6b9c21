"""How large the numbers and how long the texts of an act may be: for its page, the API and its command alike."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db.models import CharField, Model, TextField
from django.utils.translation import gettext as _

from annotations.models.texts_by_language import TextsByLanguage, TextsField, language_codes, unknown_language
from generation.texts.characters import UNSTORABLE

# Days that a deadline is put off by at a time, or that an invitation is good for.
MOST_DAYS = 365
# Deadlines after this one are a slip of the hand; the year 10000 is one that no program here can read.
LAST_YEAR = 2999
MOST_JOINING = 100_000
MOST_INVITED = 10_000
MOST_PLANNED = 100_000
MOST_SIMULATED = 1_000
LONGEST_NOTES = 2_000
LONGEST_REASON = 2_000
# Instructions, and what is agreed to.
LONGEST_TEXT = 20_000


def check_number(name: str, value: int, *, most: int, least: int = 1) -> None:
    """Raise ValidationError for the field of this name unless the value lies within its bounds."""
    if not least <= value <= most:
        raise ValidationError(
            {
                name: _("This must be a whole number from %(least)d to %(most)d.")
                % {"least": least, "most": most}
            }
        )


def check_text(name: str, value: str, *, longest: int) -> None:
    """Raise ValidationError for the field of this name where a text is too long, or is one that cannot be stored."""
    if len(value) > longest:
        raise ValidationError({name: _("Give at most %(longest)d characters.") % {"longest": longest}})
    if UNSTORABLE.search(value):
        raise ValidationError({name: _("This text has a character that is none.")})


def check_texts(row: Model) -> None:
    """Raise ValidationError with all texts of a row that are too long or cannot be stored; no query has them."""
    wrong: dict[str, list[str]] = {}
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        try:
            if isinstance(field, TextsField):
                check_by_language(field.name, value, longest=field.max_length or LONGEST_TEXT)
            elif isinstance(field, CharField | TextField) and isinstance(value, str):
                check_text(field.name, value, longest=field.max_length or LONGEST_TEXT)
        except ValidationError as error:
            wrong |= error.message_dict
    if wrong:
        raise ValidationError(wrong)


def check_by_language(name: str, texts: TextsByLanguage, *, longest: int) -> None:
    """Raise ValidationError with what is wrong in the languages of a text: for `title.en` that of its English."""
    wrong: dict[str, list[str]] = {}
    for code, text in texts.items():
        try:
            check_text(f"{name}.{code}", text, longest=longest)
        except ValidationError as error:
            wrong |= error.message_dict
        if code not in language_codes():
            wrong[f"{name}.{code}"] = [unknown_language(code)]
    if wrong:
        raise ValidationError(wrong)


def check_payment(name: str, value: Decimal | None) -> None:
    """Raise ValidationError for the field of this name where an amount is less than nothing."""
    if value is not None and value.is_finite() and value < 0:
        raise ValidationError({name: _("A payment cannot be negative.")})
