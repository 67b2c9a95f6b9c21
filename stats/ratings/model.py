"""
The ratings model: every rating of a criterion, with evaluators and prompts as crossed random effects.

score ~ method + (1|evaluator) + (1|prompt) + (1|evaluator:method) + (1|prompt:method), by REML, with Satterthwaite's
degrees of freedom as lmerTest defines them. For designs in which evaluators do not rate all methods of a prompt;
where they do, `stats.mixed` is exact and allows for effects of single pages besides.

References: Gilmour, Thompson and Cullis (1995), Biometrics 51, 1440-1450 (the optimiser); Kuznetsova, Brockhoff and
Christensen (2017), J. Statistical Software 82(13) (the degrees of freedom).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stats.ratings.likelihood import (
    Evaluation,
    Sums,
    average_information,
    evaluate,
    projected_residual,
    weights,
)
from stats.ratings.table import RatingTable
from stats.ratings.terms import TERMS, DroppedTerm, Term, dropped_terms
from stats.scores import Bools, Floats, Ints

MAX_STEPS = 60
CONVERGED = 1e-5
# A ratio below this is as good as zero for the scale of a slope or of a step.
SMALLEST_SCALE = 1e-3
# Ratios beyond this are those of ratings that effects explain exactly, whose likelihood has no maximum.
LARGEST_RATIO = 1e6
# Where a matrix is larger than this, a fit takes minutes: `fit_ratings_model` starts from a part of the evaluators.
LARGE = 1_500
LARGEST = 8_000


class TooLarge(ValueError):
    """A design whose evaluators x methods are too many to fit."""


@dataclass(frozen=True)
class RatingsVariance:
    """The variances of the model's terms; None where the design cannot tell a term from others."""

    evaluator: float | None
    prompt: float | None
    evaluator_method: float | None
    prompt_method: float | None
    residual: float

    def as_dict(self) -> dict[str, float | None]:
        """Return the five by name."""
        return {
            "evaluator": self.evaluator,
            "prompt": self.prompt,
            "evaluator:method": self.evaluator_method,
            "prompt:method": self.prompt_method,
            "residual": self.residual,
        }


@dataclass(frozen=True, eq=False)
class RatingsModel:
    """
    A fit of the ratings model to one criterion.

    `methods` are the places in the table of those with ratings; `means` (M,) their estimated means.
    """

    methods: tuple[int, ...]
    means: Floats
    variance: RatingsVariance
    dropped: tuple[DroppedTerm, ...]
    ratings: int
    evaluators: int
    prompts: int
    is_converged: bool
    sums: Sums
    at: Evaluation
    evaluator_of: Ints  # (N,)
    prompt_of: Ints  # (N,)
    scale: float  # the deviation of all ratings, which the fit was made in units of

    def difference(self, a: int, b: int) -> tuple[float, float, float | None]:
        """Return estimate, standard error and df of method b less method a, by their places in the table."""
        return self._result(self._contrast(a, b))

    def mean(self, method: int) -> tuple[float, float, float | None]:
        """Return mean, standard error and df of one method."""
        return self._result((np.array(self.methods) == method).astype(np.float64))

    def influences(self, a: int, b: int) -> Floats:
        """Return what each rating (N,) moves the difference b - a: its weight times its residual."""
        rest = self.sums.y - self.at.effects[self.sums.cell_method[self.sums.cell]]
        found: Floats = self.scale * (self._weights @ self._contrast(a, b)) * rest
        return found

    def _result(self, contrast: Floats) -> tuple[float, float, float | None]:
        variance = self.at.residual * float(contrast @ self.at.phi @ contrast)
        se = self.scale * float(np.sqrt(max(variance, 0.0)))
        return float(contrast @ self.means), se, self._df(contrast, variance)

    def _contrast(self, a: int, b: int) -> Floats:
        methods = np.array(self.methods)
        for method in (a, b):
            if method not in self.methods:
                raise ValueError(f"methods must have ratings, got {method}")
        contrast: Floats = (methods == b).astype(np.float64) - (methods == a)
        return contrast

    @cached_property
    def _weights(self) -> Floats:
        return weights(self.sums, self.at)

    @cached_property
    def _covariance(self) -> tuple[Ints, Floats]:
        """Return the terms above zero, and the covariance of their ratios and the residual's variance."""
        return ratio_covariance(self.sums, self.at)

    def _df(self, contrast: Floats, variance: float) -> float | None:
        """Return 2 V^2 / (q' A q), q the slope of V over the ratios above zero and the residual's variance."""
        if variance <= 0:
            return None
        free, covariance = self._covariance
        slopes = [self.at.residual * float(contrast @ self.at.slopes[k] @ contrast) for k in free]
        slope = np.array([*slopes, variance / self.at.residual])
        spread = float(slope @ covariance @ slope)
        return 2 * variance**2 / spread if spread > 0 else None


def fit_ratings_model(table: RatingTable, *, start: Floats | None = None) -> RatingsModel | None:
    """
    Fit the ratings model to a table of one criterion; repeats of a rating all count.

    Terms that the design cannot tell apart are left out and named (`stats.ratings.terms`). None with fewer than
    two ratings more than methods, or where nothing varies. Raises `TooLarge` above 8,000 evaluators x methods,
    above 1,500 the search starts from a fit to a fifth of the evaluators.
    """
    methods, method = np.unique(table.method, return_inverse=True)
    evaluators, evaluator = np.unique(table.evaluator, return_inverse=True)
    prompts, prompt = np.unique(table.prompt, return_inverse=True)
    if len(table) < len(methods) + 2 or np.ptp(table.score) == 0:
        return None
    dropped = dropped_terms(evaluator, prompt, method)
    gone = {one.term for one in dropped}
    cells = len(np.unique(evaluator * len(methods) + method)) + len(evaluators)
    texts = len(np.unique(prompt * len(methods) + method)) + len(prompts)
    # The side with more levels is eliminated.
    sides: tuple[Term, ...] = ("prompt:method", "prompt", "evaluator:method", "evaluator")
    if cells > texts:
        sides = ("evaluator:method", "evaluator", "prompt:method", "prompt")
    row, line = (prompt, evaluator) if cells > texts else (evaluator, prompt)
    shift = float(table.score.mean())
    scale = float(table.score.std())
    kept = np.array([term not in gone for term in sides])
    sums = Sums.of(row, line, method, (table.score - shift) / scale, kept)
    if sums.size > LARGEST:
        raise TooLarge(f"evaluators x methods must be at most {LARGEST:,}, got {sums.size:,}")
    if start is None and sums.size > LARGE:
        start = _start_from_a_part(table, evaluator, len(evaluators))
    first = np.ones(4) if start is None else _ordered(start, sides)
    at, is_converged = maximise(sums, first)
    variances = {
        term: None if term in gone else float(ratio) * at.residual * scale**2
        for term, ratio in zip(sides, at.ratios, strict=True)
    }
    return RatingsModel(
        methods=tuple(int(number) for number in methods),
        means=shift + scale * at.effects,
        variance=RatingsVariance(
            variances["evaluator"],
            variances["prompt"],
            variances["evaluator:method"],
            variances["prompt:method"],
            at.residual * scale**2,
        ),
        dropped=dropped,
        ratings=len(table),
        evaluators=len(evaluators),
        prompts=len(prompts),
        is_converged=is_converged,
        sums=sums,
        at=at,
        evaluator_of=evaluator,
        prompt_of=prompt,
        scale=scale,
    )


def maximise(sums: Sums, start: Floats) -> tuple[Evaluation, bool]:
    """
    Search the ratios of the highest REML likelihood from `start` (4,), and say whether they were found.

    Steps of average information over the variances, none below zero, halved until the deviance does not rise. A
    variance at zero stays there only while the likelihood falls on its way up: in other parametrisations searches
    stick at zero or run into plateaus.
    """
    at = evaluate(sums, np.where(sums.kept, start, 0.0))
    for _ in range(MAX_STEPS):
        free = sums.kept & ((at.ratios > 0) | (at.gradient < 0))
        slopes = np.abs(at.gradient) * np.maximum(at.ratios, SMALLEST_SCALE)
        if (slopes[free] < CONVERGED).all():
            return at, True
        moved = _step(sums, at, free)
        if moved is None:
            return at, False
        at = moved
    return at, False


def _step(sums: Sums, at: Evaluation, free: Bools) -> Evaluation | None:
    """Return the next evaluation, None where no step lowers the deviance."""
    p_y = projected_residual(sums, at)
    residual = at.residual
    slope = (at.traces + at.forms / residual) / residual
    rest = sums.ratings - sums.methods - at.ratios @ at.traces
    slope = np.append(slope, rest / residual - float(p_y @ p_y) / residual**2)
    moving = np.append(free, True)
    information = average_information(sums, at, p_y)[np.ix_(moving, moving)]
    step = np.zeros(5)
    step[moving] = -np.linalg.lstsq(information, slope[moving], rcond=1e-12)[0]
    now = np.append(at.ratios * residual, residual)
    for halving in range(30):
        then = np.maximum(now + step * 0.5**halving, 0.0)
        if then[4] <= 0:
            continue
        moved = evaluate(sums, np.minimum(then[:4] / then[4], LARGEST_RATIO))
        if moved.deviance <= at.deviance + 1e-10 * abs(at.deviance):
            return moved if not np.array_equal(moved.ratios, at.ratios) else None
    return None


def ratio_covariance(sums: Sums, at: Evaluation) -> tuple[Ints, Floats]:
    """
    Return the terms above zero (K,) and twice the inverse Hessian of the deviance over them and the residual.

    The Hessian by central differences of the gradient, as in lmerTest; a term at zero has no part in it.
    """
    free: Ints = np.flatnonzero(at.ratios > 0).astype(np.int64)
    residual = at.residual
    size = len(free)
    hessian = np.empty((size + 1, size + 1))
    for i, term in enumerate(free):
        width = 1e-4 * max(float(at.ratios[term]), SMALLEST_SCALE)
        ends = []
        for side in (-1, 1):
            ratios = at.ratios.copy()
            ratios[term] = max(ratios[term] + side * width, 0.0)
            beside = evaluate(sums, ratios)
            ends.append((ratios[term], beside.traces + beside.forms / residual))
        (low, before), (high, after) = ends
        hessian[i, :size] = (after - before)[free] / (high - low)
    hessian[:size, :size] = (hessian[:size, :size] + hessian[:size, :size].T) / 2
    hessian[size, :size] = hessian[:size, size] = -at.forms[free] / residual**2
    hessian[size, size] = (sums.ratings - sums.methods) / residual**2
    inverse = np.linalg.pinv(hessian, rcond=1e-10, hermitian=True)
    covariance: Floats = 2 * inverse.astype(np.float64)
    return free, covariance


def _start_from_a_part(table: RatingTable, evaluator: Ints, evaluators: int) -> Floats | None:
    """Return the ratios of a fit to a fifth of the evaluators, always the same ones, in the order of `TERMS`."""
    chosen = np.random.default_rng(evaluators).permutation(evaluators) < max(evaluators // 5, 2)
    part = fit_ratings_model(table.rows(chosen[evaluator]))
    if part is None:
        return None
    found = part.variance
    variances = (found.evaluator, found.prompt, found.evaluator_method, found.prompt_method)
    return np.array([(variance or 0.0) / found.residual for variance in variances])


def _ordered(ratios: Floats, sides: tuple[Term, ...]) -> Floats:
    """Return ratios in the order of `TERMS` in that of the likelihood; zero is no place to start."""
    found: Floats = np.maximum([ratios[TERMS.index(term)] for term in sides], 1e-3)
    return found
