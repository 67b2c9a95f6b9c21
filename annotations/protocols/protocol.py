"""What a protocol is: everything that a page, a save, a report and a rehearsal need to know of it (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from typing import Protocol as Typed

from generation.refusals import Refused

if TYPE_CHECKING:
    import numpy as np
    from django_stubs_ext import StrPromise

    from stats.scores import Floats


class BadJudgement(Refused):
    """An answer that the protocol of its study does not have."""

    status = HTTPStatus.BAD_REQUEST


class Asks(Typed):
    """What a protocol reads of a study."""

    preference_scale: str


@dataclass(frozen=True)
class Judged:
    """An answer about a whole page: which of two is preferred, or an order of its texts.

    `preference` runs from -2 (the first text is much better) to 2 (the second is), 0 where they are equally good or
    `both_bad`. `places` names texts by their place on the page, from 0, in the order in which they were chosen.
    """

    preference: int | None = None
    both_bad: bool = False
    places: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Option:
    """One of the answers that a page offers; `number` is sent, and is the key that chooses it."""

    number: int
    label: str


@dataclass(frozen=True)
class Page:
    """How a protocol asks about a whole page."""

    # What stands below the texts, under `templates/`.
    template: str
    # The rows of the list of keys: what is pressed, and what it does.
    keys: Sequence[tuple[str, StrPromise]] = ()
    # The answers to choose from, for a study; none where texts are put in an order.
    options: Callable[[Asks], Sequence[Option]] = lambda study: ()
    # How many texts of a page of so many are to be chosen in an order.
    places: Callable[[int], int] = lambda texts: 0
    # What stands over the question where the criterion has none of its own.
    hint: StrPromise | str = ""


@dataclass(frozen=True)
class Judgements:
    """N answers about pages as arrays (N,): `places` (N, most), -1 behind the last; `texts` is the size of the page."""

    preference: np.ndarray[Any, Any]
    both_bad: np.ndarray[Any, Any]
    places: np.ndarray[Any, Any]
    texts: np.ndarray[Any, Any]


@dataclass(frozen=True)
class AnswerToPage:
    """The answers about pages that a protocol takes, how they are checked, counted and turned into scores."""

    page: Page
    # Return the answer that was sent as the number of an option, or as places; raise `BadJudgement`.
    read: Callable[[Asks, int | None, Sequence[int] | None, int], Judged]
    # The number of the option that an answer is, where the protocol has options.
    number_of: Callable[[Asks, Judged], int | None]
    # SQL: whether the row `judgement` is a whole answer; `{texts}` is the number of texts of its page.
    is_whole: str
    # The score of the text at each place, from 0 (the worst) to 1, shape (N, most places); NaN without one.
    scores: Callable[[Judgements, Asks], Floats]
    # Return the answer of somebody to whom the texts, in their places, are worth so much.
    simulated: Callable[[Asks, Sequence[float]], Judged]


@dataclass(frozen=True)
class AnswerToTexts:
    """Answers about each text of a page that are no scores by criteria, and of which one score of the text is made."""

    # The rows of the list of keys, as those of a `Page`.
    keys: Sequence[tuple[str, StrPromise]]
    # The ends of the scores, and whether the lowest is the best.
    scale: tuple[float, float, bool]
    # SQL within `annotations.questionnaire.completeness.page_sums`: how many answers the page asks for,
    asked: str
    # and, as a query of `answers`, `first_at` and `last_at`, how many are given.
    given: str


@dataclass(frozen=True)
class Protocol:
    """One way to ask: its words, how many texts share a page, and what an answer is."""

    key: str
    label: StrPromise
    # For the methods section of a report: how evaluators were asked, and how scores come of the answers.
    methods_text: StrPromise
    # What is answered about a page as a whole, or about each text. None of both where texts are rated by criteria.
    answer: AnswerToPage | None = None
    texts: AnswerToTexts | None = None
    # A page has so many texts at least and at most.
    fewest: int = 1
    most: int = 26
    # Rows of the settings that are asked for this protocol alone, by the names of their fields.
    settings: frozenset[str] = field(default_factory=frozenset)
    # Whether errors are marked in each text before it is rated (`annotations.questionnaire.marking`).
    marks_errors: bool = False
    # What a criterion can be reckoned from instead of being rated, with its words (`Criterion.derived`).
    derives: Mapping[str, StrPromise] = field(default_factory=dict)

    @property
    def keys(self) -> Sequence[tuple[str, StrPromise]]:
        """The rows of the list of keys that are its own; none where texts are rated."""
        if self.texts is not None:
            return self.texts.keys
        return () if self.answer is None else self.answer.page.keys

    @property
    def fixed_size(self) -> int | None:
        """How many texts a page has where the protocol leaves no choice."""
        return self.fewest if self.fewest == self.most else None


Table = Mapping[str, Protocol]
