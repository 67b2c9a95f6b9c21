"""How large the numbers and how long the texts of an act may be: for its page, the API and its command alike."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

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
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise ValidationError({name: _("This text has a character that is none.")})
