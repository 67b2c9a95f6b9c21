"""What the search is asked for, and what it finds: a request, and the hypotheses that grow from it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from generation.decoding.templates import Template
from generation.orders import ScoredText, SentenceScore

MARKS = "，。？！；、：,.?!;:…"


class Penalty(Protocol):
    @property
    def total(self) -> float: ...


class Form(Protocol):
    """What the search needs to know of a poem form; `poem_format.PoemForm` is one."""

    @property
    def lengths(self) -> tuple[int, ...]: ...
    @property
    def marks(self) -> tuple[str, ...]: ...
    @property
    def heads(self) -> str: ...
    def penalty(self, sentences: Sequence[str]) -> Penalty: ...


@dataclass(frozen=True)
class Request:
    """A text to write: the fields for the template, a form if it is verse in one, and the seed of the sampling.

    `pairs` says that every second short sentence is asked about together with the one before it, as in couplets.
    `about` holds other words for what the text is about: the inverse score is the mean over them and the title.
    `opening` holds the short sentences, with their marks, that stand already.
    """

    template: Template
    fields: Mapping[str, str]
    form: Form | None = None
    pairs: bool = False
    seed: int = 0
    about: tuple[str, ...] = ()
    opening: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        """c_p: what the text follows."""
        return self.template.write_prompt(self.fields)

    @property
    def inverse_text(self) -> str:
        """c_p': what is to follow from each short sentence."""
        return self.template.write_inverse_text(self.fields)

    @property
    def inverse_texts(self) -> list[str]:
        """All that is to follow from each short sentence: the title, and the other words for it."""
        words = ({**self.fields, "title": word} for word in self.about)
        return [self.inverse_text, *map(self.template.write_inverse_text, words)]

    @property
    def subjects(self) -> list[str]:
        """What the text is to be near to in meaning: the title or question, and the other words for it."""
        return [self.fields.get("title") or self.fields["question"], *self.about]

    def inverse_prompt(self, hypothesis: Hypothesis) -> str:
        """s': the question about a hypothesis's last short sentence."""
        number = 2 if self.pairs and len(hypothesis.sentences) % 2 == 0 else 1
        text = "".join(sentence.text for sentence in hypothesis.sentences[-number:])
        return self.template.write_inverse_prompt(self.fields, text.strip())


@dataclass(frozen=True)
class Hypothesis:
    """A partial or final text: its tokens, its short sentences with their scores, its weighted terms.

    `length` counts the tokens that were chosen; marks that a form dictates are not among them, nor in the forward
    score. `ended` says that nothing can follow. The first `given` short sentences are not the model's.
    """

    request: int
    tokens: tuple[int, ...] = ()
    length: int = 0
    sentences: tuple[SentenceScore, ...] = ()
    terms: Mapping[str, float] = field(default_factory=dict)
    ended: bool = False
    given: int = 0

    @property
    def forward(self) -> float:
        """log p(c_g | c_p), in nats."""
        return sum(sentence.forward for sentence in self.sentences)

    @property
    def score(self) -> float:
        return sum(self.terms.values())

    @property
    def text(self) -> str:
        return "".join(sentence.text for sentence in self.sentences)

    def bare_sentences(self) -> list[str]:
        """Return the short sentences without the marks at their ends."""
        return [re.sub(f"[{MARKS}]+$", "", sentence.text) for sentence in self.sentences]

    def scored_text(self) -> ScoredText:
        return ScoredText(self.text.strip(), self.score, dict(self.terms), self.sentences)
