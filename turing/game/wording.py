"""What the game says: the words for each genre, and the verdict on a score."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from turing.models import Genre, Kind

Words = str | Promise


@dataclass(frozen=True)
class Wording:
    """The words that depend on the kind of game and on what the texts are; `other` is the second answer, if any."""

    question: Words
    lead: Words
    pick: Words
    known: Words
    begin: Words
    human: Words
    machine: Words
    other: Words = ""


PAIRS_LEAD = _(
    "You see two texts under one title. One was written by a human, the other by a machine. Press the one that"
    " you think a human wrote; then you are told. Five rounds make a game."
)
TEXT_LEAD = _(
    "You see one text under its title. It was written by a human or by a machine, as a coin fell. Say which; then"
    " you are told. Five rounds make a game."
)
BOUNDARY_LEAD = _(
    "A human wrote the beginning, and from some sentence on a machine went on. Go from sentence to sentence and say"
    " where it begins: five points to the sentence, one less for each sentence too late, none too early. Five rounds"
    " make a game."
)
CHATS_LEAD = _(
    "You read two finished conversations of one person with two witnesses. One witness was a human, the other a"
    " machine. Press the one that you think was with a human; then you are told. Five rounds make a game."
)
CHAT_LEAD = _(
    "You read one finished conversation with a witness, who was a human or a machine, as a coin fell. Say which; then"
    " you are told. Five rounds make a game."
)
CHAT = {
    "begin": _("Play with conversations"),
    "human": _("The conversation with a human"),
    "machine": _("The conversation with a machine"),
}
POEM = {
    "known": _("I know one of these poems"),
    "human": _("The poem by a human"),
    "machine": _("The poem by a machine"),
}
QA = {
    "known": _("I know one of these answers"),
    "human": _("The answer by a human"),
    "machine": _("The answer by a machine"),
}
WORDING = {
    (Kind.PAIRS, Genre.POEM): Wording(
        question=_("Which poem did a human write?"),
        lead=PAIRS_LEAD,
        pick=_("A human wrote this poem"),
        begin=_("Play with poems"),
        **POEM,
    ),
    (Kind.PAIRS, Genre.QA): Wording(
        question=_("Which answer did a human write?"),
        lead=PAIRS_LEAD,
        pick=_("A human wrote this answer"),
        begin=_("Play with answers"),
        **QA,
    ),
    (Kind.TEXT, Genre.POEM): Wording(
        question=_("Did a human write this poem?"),
        lead=TEXT_LEAD,
        pick=_("A human wrote it"),
        other=_("A machine wrote it"),
        begin=_("Play with poems"),
        **POEM | {"known": _("I know this poem")},
    ),
    (Kind.TEXT, Genre.QA): Wording(
        question=_("Did a human write this answer?"),
        lead=TEXT_LEAD,
        pick=_("A human wrote it"),
        other=_("A machine wrote it"),
        begin=_("Play with answers"),
        **QA | {"known": _("I know this answer")},
    ),
    (Kind.BOUNDARY, Genre.POEM): Wording(
        question=_("Where does the machine begin?"),
        lead=BOUNDARY_LEAD,
        pick=_("The machine, from here"),
        other=_("Still the human: go on"),
        begin=_("Play with poems"),
        **POEM | {"known": _("I know this poem")},
    ),
    (Kind.BOUNDARY, Genre.QA): Wording(
        question=_("Where does the machine begin?"),
        lead=BOUNDARY_LEAD,
        pick=_("The machine, from here"),
        other=_("Still the human: go on"),
        begin=_("Play with answers"),
        **QA | {"known": _("I know this answer")},
    ),
    (Kind.CHATS, Genre.CHAT): Wording(
        question=_("Which witness is human?"),
        lead=CHATS_LEAD,
        pick=_("This witness is human"),
        known=_("I know one of these conversations"),
        **CHAT,
    ),
    (Kind.CHAT, Genre.CHAT): Wording(
        question=_("Is the witness human?"),
        lead=CHAT_LEAD,
        pick=_("The witness is human"),
        other=_("The witness is a machine"),
        known=_("I know this conversation"),
        **CHAT,
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
