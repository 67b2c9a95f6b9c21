"""
How strict each evaluator is, and what the methods' means would be if all were equally strict.

Many-facet Rasch model with adjacent categories: log P(k) / P(k - 1) = theta_text - s_evaluator - tau_k, by joint
maximum likelihood; a text whose scores are all the lowest or all the highest has .3 of a point taken off or added.
Where evaluators share sub-tasks out, raw means mix the quality of texts with the severity of who rated them.

References: Linacre (1989), Many-Facet Rasch Measurement; Wright and Masters (1982), Rating Scale Analysis (infit).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
import scipy.special

from stats.ordinal.check import MOST_RATINGS, categories
from stats.ratings.table import RatingTable
from stats.scores import Floats, Ints

INFIT = (0.5, 1.5)
EXTREME = 0.3
MOST_ROUNDS = 500
CONVERGED = 1e-6
RATINGS_AT_ONCE = 50_000

Refusal = Literal["one score", "one rating a text", "not connected", "too many ratings", "not converged"]


@dataclass(frozen=True)
class EvaluatorSeverity:
    """
    How strict an evaluator is in log odds, above 0 more than the average, with the interval of its estimate.

    `infit` is the mean square of the residuals by their variance, 1 as the model expects.
    """

    evaluator: str
    severity: float
    se: float
    ci: tuple[float, float]
    infit: float
    ratings: int

    @property
    def fits(self) -> bool:
        """Say whether the ratings are about as predictable as the model says."""
        return INFIT[0] <= self.infit <= INFIT[1]


@dataclass(frozen=True)
class FairAverage:
    """A method's raw mean, and the mean that an evaluator of average severity would have given its texts."""

    method: str
    raw: float
    fair: float


@dataclass(frozen=True)
class Severity:
    """
    The severities of one criterion and the fair averages, or why there are none.

    `separation` is the reliability with which evaluators differ: 0 where they are all alike.
    """

    criterion: str
    evaluators: tuple[EvaluatorSeverity, ...] = ()
    averages: tuple[FairAverage, ...] = ()
    separation: float | None = None
    refusal: Refusal | None = None

    @property
    def order_differs(self) -> bool:
        """Say whether raw and fair averages put the methods in different orders."""
        raw = sorted(self.averages, key=lambda one: one.raw)
        return raw != sorted(self.averages, key=lambda one: one.fair)

    def as_dict(self) -> dict[str, Any]:
        """Return the severities, ready for JSON."""
        return {
            "criterion": self.criterion,
            "evaluators": [
                {
                    "evaluator": one.evaluator,
                    "severity": one.severity,
                    "se": one.se,
                    "ci": list(one.ci),
                    "infit": one.infit,
                    "n": one.ratings,
                    "fits": one.fits,
                }
                for one in self.evaluators
            ],
            "fair_averages": [
                {"method": one.method, "raw": one.raw, "fair": one.fair} for one in self.averages
            ],
            "separation_reliability": self.separation,
            "order_differs": self.order_differs,
            "refusal": self.refusal,
        }


def severity(table: RatingTable, criterion: str, *, confidence_level: float = 0.95) -> Severity:
    """Estimate how strict each evaluator is on a criterion."""
    ratings = table.for_criterion(criterion).first_ratings()
    category, _ = categories(ratings.score)
    texts, text = np.unique(ratings.text, return_inverse=True)
    evaluators, evaluator = np.unique(ratings.evaluator, return_inverse=True)
    refusal = refused(ratings, category, text, evaluator)
    if refusal is not None:
        return Severity(criterion, refusal=refusal)
    facets = _Facets(category, text, evaluator)
    if not facets.fit():
        return Severity(criterion, refusal="not converged")
    expected, variance = facets.moments()
    information = np.bincount(evaluator, variance)
    errors = 1 / np.sqrt(information)
    infit = np.bincount(evaluator, (category - expected) ** 2) / information
    half = float(scipy.special.ndtri((1 + confidence_level) / 2)) * errors
    spread = float(facets.strict.var(ddof=1)) if len(evaluators) > 1 else 0.0
    counts = np.bincount(evaluator)
    return Severity(
        criterion=criterion,
        evaluators=tuple(
            EvaluatorSeverity(
                ratings.evaluators[number],
                float(facets.strict[e]),
                float(errors[e]),
                (float(facets.strict[e] - half[e]), float(facets.strict[e] + half[e])),
                float(infit[e]),
                int(counts[e]),
            )
            for e, number in enumerate(evaluators)
        ),
        averages=_averages(ratings, facets, texts, category),
        separation=max(1 - float((errors**2).mean()) / spread, 0.0) if spread > 0 else 0.0,
    )


def refused(ratings: RatingTable, category: Ints, text: Ints, evaluator: Ints) -> Refusal | None:
    """Return why nobody's severity is estimated, None where it is."""
    if len(ratings) > MOST_RATINGS:
        return "too many ratings"
    if not len(ratings) or category.max() == 0:
        return "one score"
    if np.bincount(text).mean() < 1.5:
        return "one rating a text"
    size = int(evaluator.max()) + 1
    nodes = size + int(text.max()) + 1
    graph = scipy.sparse.coo_array((np.ones(len(text)), (evaluator, size + text)), shape=(nodes, nodes))
    pieces, _ = scipy.sparse.csgraph.connected_components(graph, directed=False)
    return "not connected" if pieces > 1 else None


class _Facets:
    """The texts' places, the evaluators' severities (mean 0) and the steps between categories (sum 0)."""

    def __init__(self, category: Ints, text: Ints, evaluator: Ints) -> None:
        self.category, self.text, self.evaluator = category, text, evaluator
        self.top = int(category.max())
        self.theta: Floats = np.zeros(int(text.max()) + 1)
        self.strict: Floats = np.zeros(int(evaluator.max()) + 1)
        self.tau: Floats = np.zeros(self.top)
        counts = np.bincount(text)
        sums = np.bincount(text, category.astype(np.float64))
        self.text_sums = np.clip(sums, EXTREME, self.top * counts - EXTREME)
        own = np.bincount(evaluator)
        given = np.bincount(evaluator, category.astype(np.float64))
        self.evaluator_sums = np.clip(given, EXTREME, self.top * own - EXTREME)

    def probabilities(self, place: Floats) -> Floats:
        """Return the probability of each category (N, K) where theta less s is `place` (N,)."""
        steps = np.concatenate([[0.0], np.cumsum(self.tau)])
        powers = place[:, np.newaxis] * np.arange(self.top + 1) - steps
        return np.asarray(scipy.special.softmax(powers, axis=1))

    def moments_at(self, place: Floats) -> tuple[Floats, Floats]:
        """Return the expected category and its variance (N,)."""
        numbers = np.arange(self.top + 1)
        expected, variance = np.empty(len(place)), np.empty(len(place))
        for start in range(0, len(place), RATINGS_AT_ONCE):
            part = slice(start, start + RATINGS_AT_ONCE)
            p = self.probabilities(place[part])
            expected[part] = p @ numbers
            variance[part] = p @ numbers**2 - expected[part] ** 2
        return expected, np.maximum(variance, 1e-9)

    def moments(self) -> tuple[Floats, Floats]:
        return self.moments_at(self.theta[self.text] - self.strict[self.evaluator])

    def fit(self) -> bool:
        """Go round the three kinds of parameters by Newton's steps; say whether they stand still."""
        observed = np.bincount(self.category, minlength=self.top + 1).astype(np.float64)
        for _ in range(MOST_ROUNDS):
            before = np.concatenate([self.theta, self.strict, self.tau])
            expected, variance = self.moments()
            of_text = np.bincount(self.text, expected)
            self.theta = self.theta + _bounded((self.text_sums - of_text) / np.bincount(self.text, variance))
            expected, variance = self.moments()
            of_evaluator = np.bincount(self.evaluator, expected)
            self.strict = self.strict - _bounded(
                (self.evaluator_sums - of_evaluator) / np.bincount(self.evaluator, variance)
            )
            self.strict = self.strict - self.strict.mean()
            place = self.theta[self.text] - self.strict[self.evaluator]
            reached = np.zeros(self.top + 1)
            for start in range(0, len(place), RATINGS_AT_ONCE):
                reached += self.probabilities(place[start : start + RATINGS_AT_ONCE]).sum(axis=0)
            above, expected_above = observed[::-1].cumsum()[::-1][1:], reached[::-1].cumsum()[::-1][1:]
            spread = expected_above * (1 - expected_above / len(place))
            self.tau = self.tau - _bounded((above - expected_above) / np.maximum(spread, 1e-9))
            self.tau = self.tau - self.tau.mean()
            if np.abs(np.concatenate([self.theta, self.strict, self.tau]) - before).max() < CONVERGED:
                return True
        return False


def _bounded(steps: Floats) -> Floats:
    found: Floats = np.clip(steps, -1.0, 1.0)
    return found


def _averages(ratings: RatingTable, facets: _Facets, texts: Ints, category: Ints) -> tuple[FairAverage, ...]:
    """Return the methods' averages, each text with the same weight, in points of the scale."""
    # The mean score of each category: its own, or that of the scores grouped in it.
    points = np.bincount(category, ratings.score) / np.bincount(category)
    expected = np.concatenate(
        [
            facets.probabilities(facets.theta[start : start + RATINGS_AT_ONCE]) @ points
            for start in range(0, len(texts), RATINGS_AT_ONCE)
        ]
    )
    methods = len(ratings.methods)
    fair = np.bincount(texts % methods, expected, methods)
    counts = np.bincount(texts % methods, minlength=methods)
    raw = ratings.method_means()
    return tuple(
        FairAverage(method, float(raw[m]), float(fair[m] / counts[m]))
        for m, method in enumerate(ratings.methods)
        if counts[m]
    )
