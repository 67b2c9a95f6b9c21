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

from stats.ratings.large import connected_part, estimates_at
from stats.ratings.likelihood import (
    Estimates,
    Evaluation,
    average_information,
    evaluate,
    projected_residual,
    weights,
)
from stats.ratings.numbering import count_levels, renumbered
from stats.ratings.sums import Sums
from stats.ratings.table import RatingTable
from stats.ratings.terms import DroppedTerm, Term, dropped_terms
from stats.scores import Bools, Floats, Ints

MAX_STEPS = 60
CONVERGED = 1e-5
# A ratio below this is as good as zero for the scale of a slope or of a step.
SMALLEST_SCALE = 1e-3
# Ratios beyond this are those of ratings that effects explain exactly, whose likelihood has no maximum.
LARGEST_RATIO = 1e6
# Beyond these a fit takes minutes, and the components come from a part: the size of the matrix that is left, and the
# work of one evaluation, cells x cells x lines.
LARGEST = 1_500
MOST_WORK = 2_000_000_000


class TooLarge(ValueError):
    """A large design of which a part cannot tell the terms apart that the whole could."""


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
    at: Estimates
    evaluator_of: Ints  # (N,)
    prompt_of: Ints  # (N,)
    sides: tuple[Term, ...]  # the terms in the order of the likelihood's ratios
    scale: float  # the deviation of all ratings, which the fit was made in units of
    # The terms above zero and the covariance of ratios and residual, at the fit's scale.
    covariance: tuple[Ints, Floats]
    # How many ratings the components are from, where they are not from all.
    part: int | None = None

    def difference(self, a: int, b: int) -> tuple[float, float, float | None]:
        """Return estimate, standard error and df of method b less method a, by their places in the table."""
        return self._result(self._contrast(a, b))

    def mean(self, method: int) -> tuple[float, float, float | None]:
        """Return mean, standard error and df of one method."""
        return self._result((np.array(self.methods) == method).astype(np.float64))

    def influences(self, a: int, b: int) -> Floats:
        """Return what each rating (N,) moves the difference b - a: its weight times its residual."""
        rest = self.sums.y - self.at.effects[self.sums.cell_method[self.sums.cell]]
        contrast = self._contrast(a, b)
        of_cell, of_strand = (part @ contrast for part in self._weights)
        found: Floats = self.scale * (of_cell[self.sums.cell] - of_strand[self.sums.strand]) * rest
        return found

    def ratio(self, term: Term) -> float:
        """Return the variance of a term over the residual's, 0 for one that is not in the model."""
        return float(self.at.ratios[self.sides.index(term)])

    def covariance_of(self, sides: tuple[Term, ...], scale: float) -> tuple[Ints, Floats]:
        """Return `covariance` with the terms in another order and the residual in units of another scale."""
        free, covariance = self.covariance
        turned = np.ones(len(free) + 1)
        turned[-1] = (self.scale / scale) ** 2
        places = np.array([sides.index(self.sides[term]) for term in free], dtype=np.int64)
        return places, covariance * np.outer(turned, turned)

    def variance_covariance(self) -> Floats:
        """Return the covariance (3, 3) of the variances of evaluators, prompts and residual; 0 for one that is 0."""
        free, covariance = self.covariance
        residual = self.at.residual
        # From the ratios to the residual's variance to variances.
        turned = np.zeros((3, len(free) + 1))
        turned[2, len(free)] = 1.0
        for column, term in enumerate(free):
            name = self.sides[term]
            if name in ("evaluator", "prompt"):
                row = 0 if name == "evaluator" else 1
                turned[row, column], turned[row, len(free)] = residual, self.at.ratios[term]
        found: Floats = self.scale**4 * (turned @ covariance @ turned.T)
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
    def _weights(self) -> tuple[Floats, Floats]:
        return weights(self.sums, self.at)

    def _df(self, contrast: Floats, variance: float) -> float | None:
        """Return 2 V^2 / (q' A q), q the slope of V over the ratios above zero and the residual's variance."""
        if variance <= 0:
            return None
        free, covariance = self.covariance
        slopes = [self.at.residual * float(contrast @ self.at.slopes[k] @ contrast) for k in free]
        slope = np.array([*slopes, variance / self.at.residual])
        spread = float(slope @ covariance @ slope)
        return 2 * variance**2 / spread if spread > 0 else None


def fit_ratings_model(table: RatingTable) -> RatingsModel | None:
    """
    Fit the ratings model to a table of one criterion; repeats of a rating all count.

    Terms that the design cannot tell apart are left out and named (`stats.ratings.terms`). None with fewer than
    two ratings more than methods, or where nothing varies. Of a large design the components come from a part
    (`RatingsModel.part`, `stats.ratings.large`); raises `TooLarge` where that part cannot tell the terms apart.
    """
    methods, method = renumbered(table.method)
    evaluators, evaluator = renumbered(table.evaluator)
    prompts, prompt = renumbered(table.prompt)
    if len(table) < len(methods) + 2 or np.ptp(table.score) == 0:
        return None
    dropped = dropped_terms(evaluator, prompt, method)
    gone = {one.term for one in dropped}
    cells = count_levels(evaluator * len(methods) + method) + len(evaluators)
    texts = count_levels(prompt * len(methods) + method) + len(prompts)
    # The side with more levels is eliminated.
    sides: tuple[Term, ...] = ("prompt:method", "prompt", "evaluator:method", "evaluator")
    if cells > texts:
        sides = ("evaluator:method", "evaluator", "prompt:method", "prompt")
    row, line = (prompt, evaluator) if cells > texts else (evaluator, prompt)
    shift = float(table.score.mean())
    scale = float(table.score.std())
    kept = np.array([term not in gone for term in sides])
    sums = Sums.of(row, line, method, (table.score - shift) / scale, kept)
    part = None
    if sums.size > LARGEST or len(sums.n_cell) ** 2 * sums.lines > MOST_WORK:
        part = _fit_to_a_part(table, row, line, sums)
        ratios = np.array([part.ratio(term) for term in sides])
        found = estimates_at(sums, ratios)
        if found is None or gone != {one.term for one in part.dropped}:
            raise TooLarge("a part of the ratings cannot tell the terms apart that all of them can")
        at: Estimates = found
        is_converged = part.is_converged
        covariance = part.covariance_of(sides, scale)
    else:
        evaluation, is_converged = maximise(sums, np.ones(4))
        at, covariance = evaluation, ratio_covariance(sums, evaluation)
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
        sides=sides,
        scale=scale,
        covariance=covariance,
        part=None if part is None else part.ratings,
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


def _fit_to_a_part(table: RatingTable, row: Ints, line: Ints, sums: Sums) -> RatingsModel:
    """Fit to as many of the side that is kept, and of the lines that they share, as a fit of seconds takes."""
    per_row = len(sums.n_cell) / sums.rows
    rows = min(sums.rows, max(int((LARGEST - sums.methods) / (per_row + 1)), 2))
    chosen = connected_part(row, line, rows)[row]
    lines = np.unique(line[chosen])
    most = int(MOST_WORK / max(per_row * rows, 1) ** 2)
    if len(lines) > most:
        kept = np.random.default_rng(len(lines)).permutation(lines)[:most]
        chosen &= np.isin(line, kept)
    part = fit_ratings_model(table.rows(chosen))
    if part is None or part.part is not None:
        raise TooLarge("a part of the ratings cannot be fitted")
    return part
