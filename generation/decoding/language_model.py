"""What the search asks of a language model: to go on by short sentences, and how likely a text is after another.

A model computes in this process (`local_model`), or an engine elsewhere serves it (`served_model`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from generation.methods import Sampling

if TYPE_CHECKING:
    from generation.decoding.sampling import Draws

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Stop:
    """Where a short sentence ends: at a mark, at the end of the text, or after `most_tokens`.

    In verse it has just so many `characters` instead, of which the first may be given (`head`), and is followed by
    the `mark` that the form dictates. A text neither ends before it begins nor begins with a blank (`is_first`), and
    does not end at all where it may not (`may_end`).
    """

    most_tokens: int
    is_first: bool = False
    may_end: bool = True
    characters: int = 0
    head: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Beginning:
    """What a short sentence is to follow: c_p and the text so far, as tokens; `request` says whose draws decide."""

    request: int
    given: Tokens
    written: Tokens
    stop: Stop


@dataclass(frozen=True)
class Continuation:
    """A short sentence that was sampled, with its mark, and `log_prob`, that of its `chosen` tokens in nats.

    Tokens that the form dictates are not among the chosen ones. `ended` says that the model ended the text.
    """

    tokens: Tokens
    text: str
    log_prob: float
    chosen: int
    ended: bool


class SentenceWriter(Protocol):
    """One search's conversation with a model, which may remember what it read from one call to the next."""

    def continue_sentences(
        self, beginnings: Sequence[Beginning], samples: int, sampling: Sampling, draws: Draws
    ) -> list[list[Continuation]]:
        """Return `samples` next short sentences for each beginning, some of which may be the same."""

    def log_p(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[float]:
        """Return log p(text | prefix) for each pair (prefix, text), in nats."""


class LanguageModel(Protocol):
    """A causal language model, as far as the search needs it.

    `digest` tells one state of its weights from another; `positions` are the most tokens of a prompt and a text.
    """

    name: str
    digest: str
    positions: int

    def writer(self) -> SentenceWriter:
        """Return what writes for one search."""

    def without_marks(self, text: str) -> str:
        """Return a text without what would be read as a mark of the model's own, such as `<eos>`."""

    def encode(self, text: str, *, start: bool = False) -> list[int]:
        """Return the tokens of a text, after the token that starts a text if `start` and if the model has one."""

    def in_dialogue(self, message: str) -> str | None:
        """Return what a model that was made to answer reads before its answer to a message; None for another."""

    def unknown(self, text: str) -> str:
        """Return the characters of a text that the model has no token for, once each."""

    @property
    def marks(self) -> Sequence[str]:
        """The marks of the model's own, such as `<eos>`."""

    @property
    def recommended(self) -> Sampling:
        """How the model's makers say to sample from it."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What else is to be known of a text's origin: versions, or the engine and how it was asked."""
