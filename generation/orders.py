"""What a method is asked for and what it gives back (pure): the words between the site and the language models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from generation.refusals import Refused

# The most characters of what people type.
LONGEST = {"title": 30, "question": 500, "description": 2_000, "author": 20}


@dataclass(frozen=True)
class Order:
    """A text to be written; the same order gives the same text with the same model and versions.

    `prompt` is the title of a poem or text, or the question. `form` is the key of a poem form, `tune` the name of a
    tune (for SongCi), `heads` the given first characters of the short sentences (an acrostic), `opening` the short
    sentences of a poem that stand already and are gone on from. Empty means: as the method, the genre and the model
    have it.
    """

    method: str
    genre: str
    prompt: str
    description: str = ""
    author: str = ""
    form: str = ""
    tune: str = ""
    heads: str = ""
    opening: str = ""
    model: str = ""
    preset: str = ""
    seed: int = 0


@dataclass(frozen=True)
class SentenceScore:
    """A short sentence with its mark, and what it was worth.

    `inverse` is log p(c_p' | s'), in nats, None where the scorer has no such term; `forward` is the sum of the log
    probabilities of its tokens, in nats.
    """

    text: str
    forward: float
    inverse: float | None = None


@dataclass(frozen=True)
class ScoredText:
    """A finished text with its score by term; the terms are weighted, so that they add up to the score."""

    text: str
    score: float
    terms: Mapping[str, float]
    sentences: tuple[SentenceScore, ...]


@dataclass(frozen=True)
class Written:
    """A text with all that is to be kept of how it came about.

    `runners_up` are the other final hypotheses, best first; `unknown` the characters of the order that the model does
    not know; `provenance` names model, checkpoint digest, template, preset, seed and versions.
    """

    best: ScoredText
    runners_up: tuple[ScoredText, ...] = ()
    unknown: str = ""
    seconds: float = 0.0
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """How far the writing is: short sentences done, the most there can be, and the best text so far."""

    sentence: int
    most: int
    text: str


Report = Callable[[Step], None]


class OrderRefused(Refused):
    """An order that cannot be carried out as it stands; the message is for people and names the field."""
