"""Ratings as a long table: one row a rating, in memory that grows with the ratings and not with the design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from stats.scores import Bools, Criterion, Floats, Ints, ScoreTable


@dataclass(frozen=True, eq=False)
class RatingTable:
    """
    N ratings: who rated which method's text for which prompt on which criterion, and how.

    `evaluator`, `prompt`, `method` and `criterion` (N,) are places in the tuples of names; `score` (N,) is
    finite, whole or not. A rating of the same text and criterion by the same evaluator may come again; the
    first one counts (`first_ratings`). The arrays are copied and read-only.
    """

    evaluator: Ints
    prompt: Ints
    method: Ints
    criterion: Ints
    score: Floats
    evaluators: tuple[str, ...]
    prompts: tuple[str, ...]
    methods: tuple[str, ...]
    criteria: tuple[Criterion, ...]

    def __post_init__(self) -> None:
        score = np.array(self.score, dtype=np.float64)
        if score.ndim != 1 or not np.isfinite(score).all():
            raise ValueError("score must be one row of finite numbers")
        score.setflags(write=False)
        object.__setattr__(self, "score", score)
        keys = tuple(criterion.key for criterion in self.criteria)
        names = (
            ("evaluator", self.evaluators),
            ("prompt", self.prompts),
            ("method", self.methods),
            ("criterion", keys),
        )
        for name, levels in names:
            if len(set(levels)) != len(levels):
                raise ValueError(f"every {name} must be named once")
            codes = np.array(getattr(self, name), dtype=np.int64)
            if codes.shape != score.shape:
                raise ValueError(f"{name} must have the shape {score.shape}, got {codes.shape}")
            if codes.size and (codes.min() < 0 or codes.max() >= len(levels)):
                raise ValueError(f"{name} must be 0 to {len(levels) - 1}")
            codes.setflags(write=False)
            object.__setattr__(self, name, codes)

    def __len__(self) -> int:
        return len(self.score)

    @classmethod
    def of_scores(cls, table: ScoreTable) -> RatingTable:
        """Return the ratings of a table of complete or incomplete pages."""
        evaluator, prompt, method, criterion = np.nonzero(~np.isnan(table.scores))
        return cls(
            evaluator=evaluator,
            prompt=prompt,
            method=method,
            criterion=criterion,
            score=table.scores[evaluator, prompt, method, criterion],
            evaluators=table.evaluators,
            prompts=table.prompts,
            methods=table.methods,
            criteria=table.criteria,
        )

    def rows(self, chosen: Bools) -> RatingTable:
        """Return the ratings at which `chosen` (N,) is true; the names stay."""
        return replace(
            self,
            evaluator=self.evaluator[chosen],
            prompt=self.prompt[chosen],
            method=self.method[chosen],
            criterion=self.criterion[chosen],
            score=self.score[chosen],
        )

    def for_criterion(self, key: str) -> RatingTable:
        """Return the ratings on one criterion."""
        keys = [criterion.key for criterion in self.criteria]
        if key not in keys:
            raise ValueError(f"criterion must be one of {', '.join(keys)}; got {key!r}")
        return self.rows(self.criterion == keys.index(key))

    def of_methods(self, methods: Sequence[int]) -> RatingTable:
        """Return the ratings of these methods alone, which are numbered anew in this order."""
        place = np.full(len(self.methods), -1, dtype=np.int64)
        place[list(methods)] = np.arange(len(methods))
        kept = self.rows(place[self.method] >= 0)
        return replace(
            kept, method=place[kept.method], methods=tuple(self.methods[number] for number in methods)
        )

    @cached_property
    def page(self) -> Ints:
        """Return the page of every rating (N,): evaluator and prompt in one number."""
        return self.evaluator * len(self.prompts) + self.prompt

    @cached_property
    def text(self) -> Ints:
        """Return the text of every rating (N,): prompt and method in one number."""
        return self.prompt * len(self.methods) + self.method

    def first_ratings(self) -> RatingTable:
        """Return the table without repeats: of each evaluator, text and criterion the first rating."""
        key = (self.page * len(self.methods) + self.method) * len(self.criteria) + self.criterion
        _, first = np.unique(key, return_index=True)
        if len(first) == len(self):
            return self
        chosen = np.zeros(len(self), dtype=np.bool_)
        chosen[first] = True
        return self.rows(chosen)

    def method_means(self) -> Floats:
        """Return the mean of all ratings of each method (M,), NaN without one."""
        counts = np.bincount(self.method, minlength=len(self.methods))
        sums = np.bincount(self.method, self.score, len(self.methods))
        means: Floats = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
        return means

    def share_on_whole_pages(self) -> float:
        """
        Return the share of ratings on pages that hold every method of their prompt, by the first criterion given.

        The table is of one criterion. A method belongs to a prompt where anybody rated its text.
        """
        if not len(self):
            return 1.0
        table = self.first_ratings()
        texts = np.unique(table.text)
        methods_of_prompt = np.bincount(texts // len(self.methods), minlength=len(self.prompts))
        pages, place, rated = np.unique(table.page, return_inverse=True, return_counts=True)
        whole = rated == methods_of_prompt[pages % len(self.prompts)]
        return float(whole[place].mean())
