"""How large the numbers and how long the texts of an act may be: for its page, the API and its command alike.

The bounds of a field stand on the field, as its validators and its `max_length`: an act calls `check_row` for the row
that it stores, forms and serializers take them by `bounds_of`. What is no field has a number here.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import CharField, DecimalField, Model, TextField
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.models.texts_by_language import TextsByLanguage, TextsField, language_codes, unknown_language
from generation.texts.characters import UNSTORABLE, control_characters, has_stacked_marks

# Days that a deadline is put off by at a time, or that an invitation is good for.
MOST_DAYS = 365
# Deadlines after this one are a slip of the hand; the year 10000 is one that no program here can read.
LAST_YEAR = 2999
MOST_JOINING = 100_000
MOST_INVITED = 1_000
MOST_PLANNED = 100_000
MOST_SIMULATED = 1_000
MOST_PROMPTS_PER_SUBTASK = 100
MOST_SHARING = 10_000
# As many as there are letters to name them by.
MOST_CANDIDATES_PER_PAGE = 26
LONGEST_NOTES = 2_000
LONGEST_REASON = 2_000
# Instructions, and what is agreed to.
LONGEST_TEXT = 20_000
# Zero-width joiner and non-joiner, and the marks that say in which direction a letter beside them is written.
JOINERS = "\u200c\u200d\u200e\u200f"


WHOLE_NUMBER = gettext_lazy("This must be a whole number from %(least)d to %(most)d.")


@deconstructible
class AtLeast(MinValueValidator):
    """The lower one of the bounds of a whole number; its message names both."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__(least, WHOLE_NUMBER)
        self.bounds = {"least": least, "most": most}

    def __call__(self, value: Any) -> None:
        if value < self.bounds["least"]:
            raise ValidationError(self.message, code=self.code, params=self.bounds)


@deconstructible
class AtMost(MaxValueValidator):
    """The upper one of the bounds of a whole number; its message names both."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__(most, WHOLE_NUMBER)
        self.bounds = {"least": least, "most": most}

    def __call__(self, value: Any) -> None:
        if value > self.bounds["most"]:
            raise ValidationError(self.message, code=self.code, params=self.bounds)


def whole_number(most: int, *, least: int = 1) -> list[AtLeast | AtMost]:
    """Return the validators of a whole number within bounds."""
    return [AtLeast(least, most), AtMost(least, most)]


def not_negative(amount: Decimal) -> None:
    """Raise ValidationError for an amount of money that is less than nothing."""
    # What is no number compares with nothing; the field itself refuses it.
    if amount.is_finite() and amount < 0:
        raise ValidationError(_("A payment cannot be negative."))


def a_share(share: Decimal) -> None:
    """Raise ValidationError for what is no share of a whole."""
    if share.is_finite() and not 0 <= share <= 1:
        raise ValidationError(_("This is a share: from 0 to 1."))


def bounds_of(model: type[Model], name: str) -> dict[str, Any]:
    """Return the bounds of a field as a form and a serializer take them."""
    field: Any = model._meta.get_field(name)
    if field.max_length:
        return {"max_length": field.max_length}
    if isinstance(field, DecimalField):
        bounds = {"max_digits": field.max_digits, "decimal_places": field.decimal_places}
        if a_share in field.validators:
            return bounds | {"min_value": 0, "max_value": 1}
        return bounds | ({"min_value": 0} if not_negative in field.validators else {})
    lowest = [one.limit_value for one in field.validators if isinstance(one, AtLeast)]
    highest = [one.limit_value for one in field.validators if isinstance(one, AtMost)]
    if not (lowest and highest):
        raise ValueError(f"{model.__name__}.{name} has no bounds")
    return {"min_value": lowest[0], "max_value": highest[0]}


def check_row(row: Model, *, exclude: Sequence[str] = ()) -> None:
    """Raise ValidationError, by field, for what the fields of a row cannot hold, whatever other rows there are."""
    check_texts(row)
    relations = [field.name for field in row._meta.concrete_fields if field.is_relation]
    row.full_clean(exclude=[*exclude, *relations], validate_unique=False, validate_constraints=False)


def check_number(name: str, value: int, *, most: int, least: int = 1) -> None:
    """Raise ValidationError for a number of this name, which no field stores, unless it lies within its bounds."""
    try:
        for validator in whole_number(most, least=least):
            validator(value)
    except ValidationError as error:
        raise ValidationError({name: error.messages}) from error


def check_text(name: str, value: str, *, longest: int) -> None:
    """Raise ValidationError for the field of this name where a text is too long, or is one that cannot be stored."""
    if len(value) > longest:
        raise ValidationError({name: _("Give at most %(longest)d characters.") % {"longest": longest}})
    if UNSTORABLE.search(value):
        raise ValidationError({name: _("This text has a character that is none.")})


def check_seen(name: str, value: str, *, besides: str = "") -> None:
    """Raise ValidationError for a name with a character that nobody sees, such as one that turns what follows round.

    So for a name whose marks would run over other lines.

    What joins letters or keeps them apart in scripts that need it may stand there, and what is in `besides`.
    """
    hidden = [one for one in control_characters(value) if one not in JOINERS and one not in besides]
    if hidden:
        raise ValidationError(
            {name: _("This has a character that cannot be seen: U+%(code)04X.") % {"code": ord(hidden[0])}}
        )
    if has_stacked_marks(value):
        raise ValidationError({name: _("More than three marks stand upon one letter.")})


def check_texts(row: Model) -> None:
    """Raise ValidationError with all texts of a row that are too long or cannot be stored; no query has them."""
    wrong: dict[str, list[str]] = {}
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        try:
            if isinstance(field, TextsField):
                check_by_language(field.name, value, longest=field.max_length or LONGEST_TEXT)
                if field.max_length:
                    for code, text in value.items():
                        check_seen(f"{field.name}.{code}", text, besides="\n\r\t")
            elif isinstance(field, CharField | TextField) and isinstance(value, str):
                check_text(field.name, value, longest=field.max_length or LONGEST_TEXT)
                if isinstance(field, CharField):
                    check_seen(field.name, value)
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
