"""Ratings as a long table: one row a rating, in memory that grows with the ratings and not with the design."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stats.ratings.cells import PairedRatings
from stats.ratings.numbering import count_levels, renumbered
from stats.scores import Bools, Criterion, Floats, Ints, ScoreTable


def read_only(values: NDArray[Any]) -> NDArray[Any]:
    """Return an array that nobody else holds as one that cannot change, so that a table takes it as it is."""
    values.setflags(write=False)
    return values


def kept(values: NDArray[Any], dtype: type[np.generic]) -> NDArray[Any]:
    """Return values as a read-only array: themselves where they are one, because tables made of tables share it."""
    if isinstance(values, np.ndarray) and values.dtype == dtype and not values.flags.writeable:
        return values
    return read_only(np.array(values, dtype=dtype))


@dataclass(frozen=True, eq=False)
class Picks:
    """Who picked which method's text as the best of which prompt (K,), and where it stood, -1 where unknown."""

    evaluator: Ints
    prompt: Ints
    method: Ints
    position: Ints

    def __len__(self) -> int:
        return len(self.method)

    @classmethod
    def none(cls) -> Picks:
        """Return no picks."""
        nobody = np.empty(0, dtype=np.int64)
        return cls(nobody, nobody, nobody, nobody)

    def rows(self, chosen: Bools) -> Picks:
        """Return the picks at which `chosen` (K,) is true."""
        return Picks(self.evaluator[chosen], self.prompt[chosen], self.method[chosen], self.position[chosen])


@dataclass(frozen=True, eq=False)
class Pages:
    """
    The K pages of one criterion that have a rating, each of one evaluator and one prompt.

    `scores` (K, M) has NaN and `positions` (K, M) -1 where a method has none.
    """

    evaluator: Ints
    prompt: Ints
    scores: Floats
    positions: Ints | None

    def __len__(self) -> int:
        return len(self.evaluator)

    def pair(self, a: int, b: int) -> PairedRatings:
        """Return the ratings of two methods, by their places, on the pages that have both."""
        one, other = self.scores[:, a], self.scores[:, b]
        both = ~np.isnan(one) & ~np.isnan(other)
        if both.all():
            return PairedRatings(self.evaluator, self.prompt, one, other)
        return PairedRatings(self.evaluator[both], self.prompt[both], one[both], other[both])


@dataclass(frozen=True, eq=False)
class RatingTable:
    """
    N ratings: who rated which method's text for which prompt on which criterion, and how.

    `evaluator`, `prompt`, `method` and `criterion` (N,) are places in the tuples of names; `score` (N,) is
    finite, whole or not. A rating of the same text and criterion by the same evaluator may come again; the
    first one counts (`first_ratings`). `position` (N,), where it is known, is the place at which the text was
    shown, from 0, or -1. `written` (P, M) says which methods have a text for which prompt, all where it is left
    out. The arrays are read-only; those that are not yet are copied.
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
    position: Ints | None = None
    picks: Picks = field(default_factory=Picks.none)
    written: Bools | None = None

    def __post_init__(self) -> None:
        score = kept(self.score, np.float64)
        if score.ndim != 1 or not np.isfinite(score).all():
            raise ValueError("score must be one row of finite numbers")
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
            codes = kept(getattr(self, name), np.int64)
            if codes.shape != score.shape:
                raise ValueError(f"{name} must have the shape {score.shape}, got {codes.shape}")
            if codes.size and (codes.min() < 0 or codes.max() >= len(levels)):
                raise ValueError(f"{name} must be 0 to {len(levels) - 1}")
            object.__setattr__(self, name, codes)
        texts = (len(self.prompts), len(self.methods))
        if self.written is not None and self.written.shape != texts:
            raise ValueError(f"written must have the shape {texts}, got {self.written.shape}")
        if self.position is not None and self.position.shape != score.shape:
            raise ValueError(f"position must have the shape {score.shape}, got {self.position.shape}")

    def __len__(self) -> int:
        return len(self.score)

    @classmethod
    def of_scores(cls, table: ScoreTable) -> RatingTable:
        """Return the ratings of a table of complete or incomplete pages."""
        evaluator, prompt, method, criterion = np.nonzero(~np.isnan(table.scores))
        by, on = np.nonzero(table.best >= 0)
        best = table.best[by, on]
        places = table.positions
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
            position=None if places is None else places[evaluator, prompt, method],
            picks=Picks(by, on, best, np.full(len(best), -1) if places is None else places[by, on, best]),
        )

    @cached_property
    def overall(self) -> Criterion | None:
        """Return the overall criterion, or None where the study has none."""
        return next((criterion for criterion in self.criteria if criterion.is_overall), None)

    def criterion_index(self, key: str) -> int:
        """Return the place of a criterion among all."""
        keys = [criterion.key for criterion in self.criteria]
        if key not in keys:
            raise ValueError(f"criterion must be one of {', '.join(keys)}; got {key!r}")
        return keys.index(key)

    def rows(self, chosen: Bools) -> RatingTable:
        """Return the ratings at which `chosen` (N,) is true; the names stay."""
        if chosen.all():
            return self
        return replace(
            self,
            evaluator=read_only(self.evaluator[chosen]),
            prompt=read_only(self.prompt[chosen]),
            method=read_only(self.method[chosen]),
            criterion=read_only(self.criterion[chosen]),
            score=read_only(self.score[chosen]),
            position=None if self.position is None else read_only(self.position[chosen]),
        )

    def for_criterion(self, key: str) -> RatingTable:
        """Return the ratings on one criterion."""
        return self.rows(self.criterion == self.criterion_index(key))

    def with_prompts(self, prompt: Ints, prompts: int) -> RatingTable:
        """Return the ratings with their prompts (N,) numbered anew."""
        return replace(self, prompt=prompt, prompts=tuple(str(number) for number in range(prompts)))

    def off_scale(self) -> Bools:
        """Return which ratings lie outside their criterion's scale (N,)."""
        low = np.array([criterion.minimum for criterion in self.criteria], dtype=np.float64)
        high = np.array([criterion.maximum for criterion in self.criteria], dtype=np.float64)
        outside: Bools = (self.score < low[self.criterion]) | (self.score > high[self.criterion])
        return outside

    def with_off_scale_missing(self) -> RatingTable:
        """Return the table without the ratings that lie off their scale."""
        return self.rows(~self.off_scale())

    def only_evaluators(self, keys: Iterable[str]) -> RatingTable:
        """Return the table of these evaluators alone, in the order of this table."""
        wanted = set(keys)
        unknown = wanted.difference(self.evaluators)
        if unknown:
            raise ValueError(f"keys has evaluators who are not in the table: {', '.join(sorted(unknown))}")
        if len(wanted) == len(self.evaluators):
            return self
        stays = np.array([evaluator in wanted for evaluator in self.evaluators], dtype=np.bool_)
        number = np.cumsum(stays) - 1
        kept, picks = self.rows(stays[self.evaluator]), self.picks.rows(stays[self.picks.evaluator])
        return replace(
            kept,
            evaluator=number[kept.evaluator],
            evaluators=tuple(evaluator for evaluator in self.evaluators if evaluator in wanted),
            picks=replace(picks, evaluator=number[picks.evaluator]),
        )

    def of_methods(self, methods: Sequence[int]) -> RatingTable:
        """Return the ratings of these methods alone, which are numbered anew in this order."""
        place = np.full(len(self.methods), -1, dtype=np.int64)
        place[list(methods)] = np.arange(len(methods))
        kept, picks = self.rows(place[self.method] >= 0), self.picks.rows(place[self.picks.method] >= 0)
        return replace(
            kept,
            method=place[kept.method],
            methods=tuple(self.methods[number] for number in methods),
            picks=replace(picks, method=place[picks.method]),
            written=None if self.written is None else self.written[:, list(methods)],
        )

    @cached_property
    def texts_of_prompt(self) -> Ints:
        """Return how many methods have a text for each prompt (P,)."""
        if self.written is None:
            return np.full(len(self.prompts), len(self.methods))
        texts: Ints = self.written.sum(axis=1, dtype=np.int64)
        return texts

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
        if count_levels(key) == len(self):
            return self
        _, first = np.unique(key, return_index=True)
        chosen = np.zeros(len(self), dtype=np.bool_)
        chosen[first] = True
        return self.rows(chosen)

    def only_prompts(self, keys: Iterable[str]) -> RatingTable:
        """Return the table of these prompts alone, in the order of this table."""
        wanted = set(keys)
        unknown = wanted.difference(self.prompts)
        if unknown:
            raise ValueError(f"keys has prompts that are not in the table: {', '.join(sorted(unknown))}")
        stays = np.array([prompt in wanted for prompt in self.prompts], dtype=np.bool_)
        number = np.cumsum(stays) - 1
        kept, picks = self.rows(stays[self.prompt]), self.picks.rows(stays[self.picks.prompt])
        return replace(
            kept,
            prompt=number[kept.prompt],
            prompts=tuple(prompt for prompt in self.prompts if prompt in wanted),
            picks=replace(picks, prompt=number[picks.prompt]),
            written=None if self.written is None else self.written[stays],
        )

    def averaged(self, samples_of: Sequence[object]) -> RatingTable:
        """
        Return the table with the mean rating of all prompts that are samples of one, under the first one's name.

        `samples_of` (P,) says of what each prompt is a sample. Picks and places, which are those of single
        pages, are left out.
        """
        first = {what: place for place, what in reversed(list(enumerate(samples_of)))}
        names = sorted(first.values())
        number = {place: new for new, place in enumerate(names)}
        merged = np.array([number[first[what]] for what in samples_of], dtype=np.int64)
        ratings = self.first_ratings()
        prompt = merged[ratings.prompt]
        shape = (len(self.evaluators), len(names), len(self.methods), max(len(self.criteria), 1))
        keys = np.ravel_multi_index((ratings.evaluator, prompt, ratings.method, ratings.criterion), shape)
        cells, cell = np.unique(keys, return_inverse=True)
        means = np.bincount(cell, ratings.score, len(cells)) / np.maximum(np.bincount(cell), 1)
        evaluator, prompt, method, criterion = np.unravel_index(cells, shape)
        written = None
        if self.written is not None:
            written = np.zeros((len(names), len(self.methods)), dtype=np.bool_)
            np.logical_or.at(written, merged, self.written)
        return RatingTable(
            evaluator=evaluator,
            prompt=prompt,
            method=method,
            criterion=criterion,
            score=means,
            evaluators=self.evaluators,
            prompts=tuple(self.prompts[place] for place in names),
            methods=self.methods,
            criteria=self.criteria,
            written=written,
        )

    def pages(self) -> Pages:
        """Return the ratings page by page; the table is of one criterion, without repeats."""
        keys, place = renumbered(self.page)
        # A method's ratings lie side by side: they are read by pairs of methods.
        scores = np.full((len(keys), len(self.methods)), np.nan, order="F")
        scores[place, self.method] = self.score
        positions = None
        if self.position is not None:
            positions = np.full(scores.shape, -1, dtype=np.int64, order="F")
            positions[place, self.method] = self.position
        prompts = max(len(self.prompts), 1)
        return Pages(keys // prompts, keys % prompts, scores, positions)

    def picks_below_best(self, key: str) -> tuple[Bools, Bools]:
        """
        Return which picks (K,) have a rating on a criterion, and which have one below the best of their page.

        A tie for the best is not below it.
        """
        ratings, picks = self.for_criterion(key).first_ratings(), self.picks
        score = ratings.score * self.criteria[self.criterion_index(key)].direction
        pages, place = np.unique(ratings.page, return_inverse=True)
        highest = np.full(len(pages) + 1, -np.inf)
        np.maximum.at(highest, place, score)
        order = np.argsort(ratings.page * len(self.methods) + ratings.method)
        texts = (ratings.page * len(self.methods) + ratings.method)[order]
        page = picks.evaluator * len(self.prompts) + picks.prompt
        wanted = page * len(self.methods) + picks.method
        at = np.minimum(np.searchsorted(texts, wanted), len(texts) - 1)
        if not len(texts):
            return np.zeros(len(picks), dtype=np.bool_), np.zeros(len(picks), dtype=np.bool_)
        known: Bools = texts[at] == wanted
        below: Bools = known & (score[order][at] < highest[np.searchsorted(pages, page)])
        return known, below

    def without_pages_of(self, chosen: Bools) -> RatingTable:
        """Return the table without the ratings and picks of the pages of chosen picks (K,)."""
        page = self.picks.evaluator * len(self.prompts) + self.picks.prompt
        kept = self.rows(~np.isin(self.page, page[chosen]))
        return replace(kept, picks=self.picks.rows(~chosen))

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
        texts, _ = renumbered(table.text)
        methods_of_prompt = np.bincount(texts // len(self.methods), minlength=len(self.prompts))
        pages, place = renumbered(table.page)
        whole = np.bincount(place) == methods_of_prompt[pages % len(self.prompts)]
        return float(whole[place].mean())


def long_table(table: RatingTable | ScoreTable) -> RatingTable:
    """Return a table as a long one."""
    return RatingTable.of_scores(table) if isinstance(table, ScoreTable) else table
