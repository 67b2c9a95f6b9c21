"""How sure Krippendorff's alpha is, of all evaluators and of groups of them: a bootstrap over prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from stats.ratings.table import RatingTable
from stats.scores import Floats, Ints

RESAMPLES = 1_000
# With more different values the ranks of the ordinal alpha are held as they are in the sample.
MOST_RANKED_ANEW = 20
FEWEST_PROMPTS = 10
PROMPTS_AT_ONCE = 4_000

Interval = tuple[float, float]


@dataclass(frozen=True)
class AlphaIntervals:
    """The intervals of the ordinal and of the interval alpha; None with fewer than 10 prompts or without spread."""

    ordinal: Interval | None
    interval: Interval | None


NO_INTERVALS = AlphaIntervals(None, None)


@dataclass(frozen=True)
class GroupAlpha:
    """The ordinal alpha among the evaluators of one group."""

    group: str
    evaluators: int
    ordinal: float | None
    ci: Interval | None


@dataclass(frozen=True)
class GroupDifference:
    """How much more the evaluators of group b agree with each other than those of group a, over the same prompts."""

    a: str
    b: str
    difference: float
    ci: Interval | None


@dataclass(frozen=True)
class GroupAgreement:
    """Agreement inside each group of evaluators, and how the groups differ in it."""

    criterion: str
    groups: tuple[GroupAlpha, ...]
    differences: tuple[GroupDifference, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the agreement, ready for JSON."""
        return {
            "criterion": self.criterion,
            "groups": [
                {
                    "group": one.group,
                    "evaluators": one.evaluators,
                    "alpha_ordinal": one.ordinal,
                    "alpha_ordinal_ci": None if one.ci is None else list(one.ci),
                }
                for one in self.groups
            ],
            "differences": [
                {
                    "a": one.a,
                    "b": one.b,
                    "difference": one.difference,
                    "ci": None if one.ci is None else list(one.ci),
                }
                for one in self.differences
            ],
        }


@dataclass(frozen=True, eq=False)
class AlphaSums:
    """
    What alpha needs of each of P prompts: coincidences (P, V, V) of few values, else sums of squared distances.

    `observed` (P, 2) sums the squared distances within texts over their number of ratings less 1, for ranks and for
    values; `totals` (P, 2, 2) sums and squares of these, `counts` (P,) the ratings of texts with two or more.
    """

    counts: Floats
    observed: Floats
    totals: Floats
    coincidences: Floats | None
    values: Floats

    @classmethod
    def of(cls, table: RatingTable, prompts: int) -> AlphaSums:
        """Sum up a table of one criterion without repeats."""
        _, text, sizes = np.unique(table.text, return_inverse=True, return_counts=True)
        kept = sizes[text] >= 2
        prompt, score = table.prompt[kept], table.score[kept]
        _, text, sizes = np.unique(text[kept], return_inverse=True, return_counts=True)
        values, level = np.unique(score, return_inverse=True)
        totals = np.bincount(level, minlength=len(values))
        ranks = np.cumsum(totals) - totals / 2
        places = [
            ranks[level] - ranks.mean() if len(values) else ranks,
            score - (score.mean() if len(score) else 0.0),
        ]
        observed, moments = np.zeros((prompts, 2)), np.zeros((prompts, 2, 2))
        for number, place in enumerate(places):
            within = place - (np.bincount(text, place) / sizes)[text] if len(text) else place
            weight = (sizes / (sizes - 1))[text] if len(text) else place
            observed[:, number] = 2 * np.bincount(prompt, within**2 * weight, prompts)
            moments[:, number, 0] = np.bincount(prompt, place, prompts)
            moments[:, number, 1] = np.bincount(prompt, place**2, prompts)
        coincidences = None
        if 0 < len(values) <= MOST_RANKED_ANEW:
            coincidences = _coincidences(prompt, text, level, sizes, prompts, len(values))
        counts: Floats = np.bincount(prompt, minlength=prompts).astype(np.float64)
        return cls(counts, observed, moments, coincidences, values)

    def alphas(self, weights: Floats) -> Floats:
        """Return the ordinal and the interval alpha (B, 2) with each prompt weighted (B, P); NaN without spread."""
        if self.coincidences is not None:
            return self._ranked_anew(weights)
        n = weights @ self.counts
        found = np.full((len(weights), 2), np.nan)
        for number in range(2):
            sums, squares = (weights @ self.totals[:, number, moment] for moment in range(2))
            expected = 2 * (n * squares - sums**2) / np.maximum(n - 1, 1)
            np.divide(weights @ self.observed[:, number], expected, out=found[:, number], where=expected > 0)
        return 1 - found

    def _ranked_anew(self, weights: Floats) -> Floats:
        size = len(self.values)
        together = np.zeros((len(weights), size * size))
        flat = np.empty((0, 0)) if self.coincidences is None else self.coincidences
        for start in range(0, weights.shape[1], PROMPTS_AT_ONCE):
            part = slice(start, start + PROMPTS_AT_ONCE)
            together += weights[:, part] @ flat[part]
        observed = together.reshape(-1, size, size)
        totals = observed.sum(axis=2)
        n = totals.sum(axis=1)
        ranks = np.cumsum(totals, axis=1) - totals / 2
        found = np.full((len(weights), 2), np.nan)
        for number, places in enumerate((ranks, np.broadcast_to(self.values, ranks.shape))):
            distances = (places[:, :, np.newaxis] - places[:, np.newaxis, :]) ** 2
            expected = np.einsum("bi,bj,bij->b", totals, totals, distances) / np.maximum(n - 1, 1)
            seen = np.einsum("bij,bij->b", observed, distances)
            np.divide(seen, expected, out=found[:, number], where=expected > 0)
        return 1 - found


def _coincidences(prompt: Ints, text: Ints, level: Ints, sizes: Ints, prompts: int, values: int) -> Floats:
    """Return how often two values stand together in the texts of each prompt (P, V x V)."""
    counts = np.bincount(text * values + level, minlength=len(sizes) * values).reshape(-1, values)
    of_text = np.zeros(len(sizes), dtype=np.int64)
    of_text[text] = prompt
    found = np.zeros((prompts, values * values))
    for one in range(values):
        pairs = counts[:, [one]] * (counts - np.eye(values, dtype=np.int64)[one])
        for other in range(values):
            weighed = pairs[:, other] / (sizes - 1)
            found[:, one * values + other] = np.bincount(of_text, weighed, prompts)
    return found


def resampled(prompts: int, rng: np.random.Generator) -> Floats:
    """Return how often each prompt is drawn in each resample, (RESAMPLES, P)."""
    weights: Floats = rng.multinomial(prompts, np.full(prompts, 1 / prompts), size=RESAMPLES).astype(
        np.float64
    )
    return weights


def percentiles(drawn: Floats, confidence_level: float) -> Interval | None:
    """Return the percentile interval of what was drawn; None without a draw that has a value."""
    known = drawn[np.isfinite(drawn)]
    if known.size < 2:
        return None
    low, high = np.percentile(known, [50 * (1 - confidence_level), 50 * (1 + confidence_level)])
    return float(low), float(high)


def alpha_intervals(
    table: RatingTable, rng: np.random.Generator, confidence_level: float = 0.95
) -> AlphaIntervals:
    """Return the intervals of alpha for a table of one criterion without repeats, by drawing prompts anew."""
    numbers, prompt = np.unique(table.prompt, return_inverse=True)
    if len(numbers) < FEWEST_PROMPTS:
        return NO_INTERVALS
    sums = AlphaSums.of(table.with_prompts(prompt, len(numbers)), len(numbers))
    drawn = sums.alphas(resampled(len(numbers), rng))
    return AlphaIntervals(*(percentiles(drawn[:, number], confidence_level) for number in range(2)))


def group_agreement(
    table: RatingTable,
    criterion: str,
    groups: Mapping[str, str],
    rng: np.random.Generator,
    confidence_level: float = 0.95,
) -> GroupAgreement | None:
    """
    Return the agreement inside each group; `groups` has the group of evaluators who have one.

    The groups are compared over the same resampled prompts. None with fewer than two groups of two evaluators.
    """
    ratings = table.for_criterion(criterion).first_ratings()
    members: dict[str, list[int]] = {}
    for place, evaluator in enumerate(table.evaluators):
        if evaluator in groups:
            members.setdefault(groups[evaluator], []).append(place)
    members = {group: places for group, places in sorted(members.items()) if len(places) >= 2}
    prompts = len(table.prompts)
    if len(members) < 2 or not prompts:
        return None
    enough = prompts >= FEWEST_PROMPTS
    weights = np.vstack([np.ones((1, prompts)), resampled(prompts, rng)]) if enough else np.ones((1, prompts))
    drawn = {
        group: AlphaSums.of(ratings.rows(np.isin(ratings.evaluator, places)), prompts).alphas(weights)[:, 0]
        for group, places in members.items()
    }
    known = {group: alphas for group, alphas in drawn.items() if np.isfinite(alphas[0])}
    return GroupAgreement(
        criterion=criterion,
        groups=tuple(
            GroupAlpha(
                group,
                len(places),
                float(drawn[group][0]) if group in known else None,
                percentiles(drawn[group][1:], confidence_level),
            )
            for group, places in members.items()
        ),
        differences=tuple(
            GroupDifference(
                a,
                b,
                float(known[b][0] - known[a][0]),
                percentiles(known[b][1:] - known[a][1:], confidence_level),
            )
            for a, b in combinations(known, 2)
        ),
    )
