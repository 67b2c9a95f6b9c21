"""What comparisons of texts say of their methods: what a report prints, as frozen results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import scipy

from stats.comparisons.davidson import Davidson, davidson
from stats.comparisons.fragility import Circle, Flip, circles, fewest_to_flip
from stats.comparisons.orders import BestWorst, best_worst, orders_of, plackett_luce, split_half
from stats.comparisons.pairs import Pairs, pairs_of
from stats.ranking import rank_sets
from stats.ratings.choice import FEWEST_EVALUATORS
from stats.ratings.table import RatingTable
from stats.scores import Floats
from stats.significance import FEWEST_PROMPTS

Kind = Literal["pairwise", "ranking", "best_worst"]
ALPHA = 0.05


@dataclass(frozen=True)
class Strength:
    """
    A method's strength (log odds, the mean over methods is zero) without and with what is known of the texts.

    `rank_low` and `rank_high` are the best and the worst rank that the comparisons leave open; `luce` is the strength
    by successive choices, where pages were put in order.
    """

    method: str
    strength: float
    se: float | None
    rank: int
    rank_low: int
    rank_high: int
    strength_adjusted: float
    se_adjusted: float | None
    rank_adjusted: int
    luce: float | None = None


@dataclass(frozen=True)
class Effect:
    """By how much the log odds of a text rise with what is known of it: `first` where it was shown first."""

    name: str
    gamma: float
    se: float | None
    p: float | None


@dataclass(frozen=True)
class Preferences:
    """The methods by comparisons of their texts on one criterion, strongest first."""

    criterion: str
    comparisons: int
    pages: int
    ties: int
    nu: float
    strengths: tuple[Strength, ...]
    effects: tuple[Effect, ...]
    left_out: tuple[str, ...]
    is_regularised: bool
    judgements_to_flip: Flip | None
    # How many triads of methods run in a circle, and those that do beyond chance.
    circles: int
    circles_beyond_chance: tuple[Circle, ...]
    best_worst: tuple[BestWorst, ...] = ()
    split_half: float | None = None
    # What the adjusted strengths allow for, those that say nothing of their own included.
    adjusted_for: tuple[str, ...] = ()

    @property
    def order_changes(self) -> bool:
        """Whether the order of the methods is another with what is known of the texts taken out."""
        return any(one.rank != one.rank_adjusted for one in self.strengths)

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        plain = asdict(self)
        if self.judgements_to_flip is not None:
            flip = self.judgements_to_flip
            plain["judgements_to_flip"] |= {"share": flip.share, "is_fragile": flip.is_fragile}
        plain["best_worst"] = [asdict(one) | {"score": one.score} for one in self.best_worst]
        return plain


def preferences(
    table: RatingTable,
    criterion: str,
    kind: Kind,
    *,
    of_texts: Mapping[str, Floats],
    samples_of: Sequence[int] | None = None,
    covariates: Sequence[str] | None = None,
    rng: np.random.Generator,
) -> Preferences | None:
    """
    Compare the methods by the texts that shared a page; None without comparisons.

    `of_texts` are numbers of the texts by name, shape (P, M); `samples_of` (P,) says which pages are of one prompt.
    `covariates` are those that strengths are adjusted for (`first`, or names of `of_texts`), all if left out.
    """
    pairs = pairs_of(table, criterion, ties=kind == "pairwise", of_texts=of_texts)
    if samples_of is not None:
        _, prompt_of = np.unique(np.array(samples_of), return_inverse=True)
        pairs = replace(pairs, prompt=prompt_of[pairs.prompt])
    planned = tuple(name for name in pairs.names if covariates is None or name in covariates)
    plain = davidson(pairs.only(()))
    adjusted = davidson(pairs.only(planned))
    if plain is None or adjusted is None:
        return None
    rings = circles(plain)
    is_order = kind == "ranking"
    return Preferences(
        criterion=criterion,
        comparisons=len(pairs),
        pages=len(np.unique(pairs.page)),
        ties=int((pairs.outcome == 0).sum()),
        nu=plain.nu,
        strengths=_strengths(plain, adjusted, _luce(table, criterion) if is_order else None),
        effects=_effects(adjusted),
        left_out=adjusted.left_out,
        adjusted_for=planned,
        is_regularised=plain.is_regularised,
        judgements_to_flip=fewest_to_flip(plain),
        circles=len(rings),
        circles_beyond_chance=tuple(one for one in rings if one.p is not None and one.p < ALPHA),
        best_worst=best_worst(table, criterion) if kind == "best_worst" else (),
        split_half=split_half(table, criterion, rng) if kind == "best_worst" else None,
    )


def _luce(table: RatingTable, criterion: str) -> Floats | None:
    orders, evaluator, prompt = orders_of(table, criterion)
    fit = plackett_luce(orders, evaluator, prompt, len(table.methods))
    return None if fit is None else fit.strengths


def _clusters(pairs: Pairs) -> tuple[int, int]:
    return len(np.unique(pairs.evaluator)), len(np.unique(pairs.prompt))


def _strengths(plain: Davidson, adjusted: Davidson, luce: Floats | None) -> tuple[Strength, ...]:
    methods = plain.pairs.methods
    size = len(methods)
    evaluators, prompts = _clusters(plain.pairs)
    low, high = np.ones(size, dtype=np.int64), np.full(size, size)
    if plain.covariance is not None and evaluators >= FEWEST_EVALUATORS and prompts >= FEWEST_PROMPTS:
        covariance = plain.covariance[:size, :size]
        low, high = rank_sets(plain.strengths, covariance, min(evaluators, prompts) - 1)
    order = np.argsort(-plain.strengths, kind="stable").tolist()
    adjusted_order = np.argsort(-adjusted.strengths, kind="stable").tolist()
    errors, adjusted_errors = plain.errors, adjusted.errors
    return tuple(
        Strength(
            method=methods[m],
            strength=float(plain.strengths[m]),
            se=None if errors is None else float(errors[m]),
            rank=rank,
            rank_low=int(low[m]),
            rank_high=int(high[m]),
            strength_adjusted=float(adjusted.strengths[m]),
            se_adjusted=None if adjusted_errors is None else float(adjusted_errors[m]),
            rank_adjusted=adjusted_order.index(m) + 1,
            luce=None if luce is None else float(luce[m]),
        )
        for rank, m in enumerate(order, start=1)
    )


def _effects(fit: Davidson) -> tuple[Effect, ...]:
    size, errors = len(fit.strengths), fit.errors
    df = min(_clusters(fit.pairs)) - 1
    found = []
    for place, name in enumerate(fit.pairs.names):
        gamma = float(fit.gamma[place])
        se = None if errors is None else float(errors[size + place])
        p = None
        if se and df >= 1:
            p = float(2 * scipy.special.stdtr(df, -abs(gamma / se)))
        found.append(Effect(name, gamma, se, p))
    return tuple(found)
