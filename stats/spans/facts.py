"""What a report says of the errors that were marked: how many, of which kinds, by method, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stats.scores import Ints
from stats.spans.agreement import CharacterAgreement, Marks, character_agreement


@dataclass(frozen=True)
class Kind:
    """A category or a severity, with the agreement on its marks alone; `penalties` are a category's, by severity."""

    key: str
    label: str
    marks: int
    agreement: CharacterAgreement
    penalties: Mapping[str, float] | None = None


@dataclass(frozen=True)
class MethodMarks:
    """The marks in the texts of a method: on average of so many texts times evaluators, in all and by kind."""

    method: str
    markings: int
    per_text: float
    without: float
    by_category: Mapping[str, float]
    by_severity: Mapping[str, float]


@dataclass(frozen=True)
class SpanFacts:
    """
    The errors that evaluators who count have marked.

    `penalty` and `penalty_per_100` are the criteria that are reckoned from them, where the study has these.
    """

    marks: int
    markings: int
    methods: tuple[MethodMarks, ...]
    categories: tuple[Kind, ...]
    severities: tuple[Kind, ...]
    agreement: CharacterAgreement
    penalty: str | None
    penalty_per_100: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return the facts, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class KindNames:
    """The keys and labels of categories or severities in their order, and penalties by severity of categories."""

    keys: Sequence[str]
    labels: Sequence[str]
    penalties: Sequence[Mapping[str, float]] | None = None


def span_facts(
    marks: Marks,
    *,
    category: Ints,
    severity: Ints,
    method: Ints,
    methods: Sequence[str],
    categories: KindNames,
    severities: KindNames,
    criteria: tuple[str | None, str | None],
    seed: int,
) -> SpanFacts:
    """
    Sum marks up by method and kind.

    :param category: the category of each mark (N,), and its `severity`, as places; -1 as start: it has no place
    :param method: the method of each text (T,), as a place in `methods`
    :param criteria: the keys of the criteria reckoned from the marks: the penalty, and that per 100 characters
    """
    placed = marks.start >= 0
    of_method = method[marks.text]
    markings = np.bincount(method[marks.done_text], minlength=len(methods))
    key = marks.done_text * (int(marks.done_evaluator.max(initial=0)) + 1) + marks.done_evaluator
    own = marks.text * (int(marks.done_evaluator.max(initial=0)) + 1) + marks.evaluator
    is_empty = ~np.isin(key, own)
    empty = np.bincount(method[marks.done_text[is_empty]], minlength=len(methods))

    def per_text(chosen: Any, number: int) -> float:
        return float((of_method[chosen] == number).sum() / markings[number]) if markings[number] else 0.0

    def kinds(names: KindNames, kind: Ints) -> tuple[Kind, ...]:
        return tuple(
            Kind(
                one,
                names.labels[place],
                int((kind == place).sum()),
                character_agreement(marks.rows(placed & (kind == place)), rng=np.random.default_rng(seed)),
                None if names.penalties is None else names.penalties[place],
            )
            for place, one in enumerate(names.keys)
        )

    return SpanFacts(
        marks=len(marks.text),
        markings=len(marks.done_text),
        methods=tuple(
            MethodMarks(
                one,
                int(markings[number]),
                per_text(np.ones(len(of_method), dtype=np.bool_), number),
                float(empty[number] / markings[number]) if markings[number] else 0.0,
                {name: per_text(category == place, number) for place, name in enumerate(categories.keys)},
                {name: per_text(severity == place, number) for place, name in enumerate(severities.keys)},
            )
            for number, one in enumerate(methods)
        ),
        categories=kinds(categories, category),
        severities=kinds(severities, severity),
        agreement=character_agreement(marks.rows(placed), rng=np.random.default_rng(seed)),
        penalty=criteria[0],
        penalty_per_100=criteria[1],
    )
