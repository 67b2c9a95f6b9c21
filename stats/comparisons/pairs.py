"""Comparisons of two texts at a time, as arrays: made of the scores of texts that shared a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from stats.ratings.table import RatingTable
from stats.scores import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Pairs:
    """
    N comparisons of the texts of two methods, of which `a` was shown before `b`.

    `outcome` (N,) is 1 where a is better, -1 where b is, 0 where neither. `evaluator`, `prompt` and `page` (N,)
    number who compared and where. `covariates` (N, K) are what is known of a less that of b, by the names in `names`.
    `weight` (N,) is 1 where it is left out.
    """

    methods: tuple[str, ...]
    a: Ints
    b: Ints
    outcome: Ints
    evaluator: Ints
    prompt: Ints
    page: Ints
    covariates: Floats
    names: tuple[str, ...] = ()
    weight: Floats = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if not self.weight.size:
            object.__setattr__(self, "weight", np.ones(len(self.a)))

    def __len__(self) -> int:
        return len(self.a)

    def rows(self, chosen: Bools) -> Pairs:
        """Return the comparisons at which `chosen` (N,) is true."""
        return replace(
            self,
            **{
                name: getattr(self, name)[chosen]
                for name in ("a", "b", "outcome", "evaluator", "prompt", "page", "covariates", "weight")
            },
        )

    def only(self, names: tuple[str, ...]) -> Pairs:
        """Return the comparisons with these covariates alone."""
        places = [self.names.index(name) for name in names]
        return replace(self, covariates=self.covariates[:, places], names=names)


def pairs_of(
    table: RatingTable, criterion: str, *, ties: bool, of_texts: Mapping[str, Floats] | None = None
) -> Pairs:
    """
    Return the comparisons that pages of one criterion hold: of two texts the one with the higher score is better.

    Equal scores are ties where `ties` says so, and nothing otherwise (as those between a best and a worst one).
    `of_texts` are numbers of the texts by name, shape (P, M), NaN without a text. A first covariate `first` is 1: a was
    shown before b; it is left out where places are not known.
    """
    ratings = table.for_criterion(criterion).first_ratings()
    pages = ratings.pages()
    direction = table.criteria[table.criterion_index(criterion)].direction
    one, other = np.triu_indices(len(table.methods), k=1)
    parts = []
    # By the methods that stand there: most pages hold few of many.
    known = ~np.isnan(pages.scores)
    for a, b in zip(one.tolist(), other.tolist(), strict=True):
        both = np.flatnonzero(known[:, a] & known[:, b])
        if len(both):
            parts.append(np.stack([both, np.full(len(both), a), np.full(len(both), b)], axis=1))
    rows = np.concatenate(parts) if parts else np.empty((0, 3), dtype=np.int64)
    rows = rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
    page, a_of, b_of = rows.T
    has_places = pages.positions is not None and bool((pages.positions[known] >= 0).all()) and len(page) > 0
    if has_places and pages.positions is not None:
        swapped = pages.positions[page, a_of] > pages.positions[page, b_of]
        a_of, b_of = np.where(swapped, b_of, a_of), np.where(swapped, a_of, b_of)
    difference = direction * (pages.scores[page, a_of] - pages.scores[page, b_of])
    names: list[str] = ["first"] if has_places else []
    columns: list[Floats] = [np.ones(len(page))] if has_places else []
    for name, values in (of_texts or {}).items():
        prompt = pages.prompt[page]
        names.append(name)
        columns.append(values[prompt, a_of] - values[prompt, b_of])
    found = Pairs(
        methods=table.methods,
        a=a_of,
        b=b_of,
        outcome=np.sign(difference).astype(np.int64),
        evaluator=pages.evaluator[page],
        prompt=pages.prompt[page],
        page=page,
        covariates=np.stack(columns, axis=1) if columns else np.empty((len(page), 0)),
        names=tuple(names),
    )
    return found if ties else found.rows(found.outcome != 0)
