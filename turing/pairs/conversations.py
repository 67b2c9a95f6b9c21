"""Finished conversations as the texts of pairs: what an interrogator and a witness said, in its order (pure).

A conversation is stored as one text, a line a message: `Q: ` before what the interrogator said, `A: ` before what the
witness said, and a tab before every further line of a message. When each was said is never part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

INTERROGATOR, WITNESS = "interrogator", "witness"
# The source of conversations that nobody held, to try the game with.
SIMULATED = "simulated"
NEXT = re.compile(r"\n(?!\t)")
MARKS = {INTERROGATOR: "Q: ", WITNESS: "A: "}


@dataclass(frozen=True, slots=True)
class Message:
    """What one of the two said at a time."""

    by: str
    text: str


def transcript(messages: Iterable[Message]) -> str:
    """Return a conversation as it is stored.

    >>> transcript([Message("interrogator", "Are you human?"), Message("witness", "Yes.\\nAre you?")])
    'Q: Are you human?\\nA: Yes.\\n\\tAre you?'
    """
    return "\n".join(MARKS[one.by] + one.text.replace("\n", "\n\t") for one in messages)


def messages_of(text: str) -> tuple[Message, ...]:
    """Return the messages of a stored conversation.

    >>> messages_of("Q: Are you human?\\nA: Yes.\\n\\tAre you?")[1]
    Message(by='witness', text='Yes.\\nAre you?')
    """
    speakers = {mark: by for by, mark in MARKS.items()}
    said = NEXT.split(text)
    return tuple(Message(speakers[one[:3]], one[3:].replace("\n\t", "\n")) for one in said)


def words_of_witness(text: str) -> str:
    """Return what the witness of a stored conversation said, a message a line."""
    return "\n".join(one.text for one in messages_of(text) if one.by == WITNESS)
