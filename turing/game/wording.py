"""What the game says: the words for each genre, and the verdict on a score."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from turing.models import Genre

Words = str | Promise


@dataclass(frozen=True)
class Wording:
    """The words that depend on what the texts are."""

    question: Words
    pick: Words
    known: Words
    begin: Words
    human: Words
    machine: Words


WORDING = {
    Genre.POEM: Wording(
        question=_("Which poem did a human write?"),
        pick=_("A human wrote this poem"),
        known=_("I know one of these poems"),
        begin=_("Play with poems"),
        human=_("The poem by a human"),
        machine=_("The poem by a machine"),
    ),
    Genre.QA: Wording(
        question=_("Which answer did a human write?"),
        pick=_("A human wrote this answer"),
        known=_("I know one of these answers"),
        begin=_("Play with answers"),
        human=_("The answer by a human"),
        machine=_("The answer by a machine"),
    ),
}

# By the number of rounds in which the human text was found.
VERDICTS = (
    _("The machine took you in every time."),
    _("The machine passed for human with you."),
    _("A coin would have done about as well."),
    _("A little better than a coin."),
    _("You are hard to take in."),
    _("You were not taken in once."),
)
