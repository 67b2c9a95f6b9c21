"""
The primary comparisons with ratings taken as ordered categories: a check beside the primary test, never in its place.

The cumulative-logit model has the effects of the ratings model (`stats.ratings.model`): those of evaluators and
prompts by method are not optional, without them differences are certain that are not there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np

from stats.mixed import Interval, interval_list, t_interval, t_p_value
from stats.ordinal.fit import OrdinalFit, fit_ordinal
from stats.ordinal.likelihood import OrdinalDesign
from stats.ratings.choice import FEWEST_EVALUATORS
from stats.ratings.table import RatingTable
from stats.ratings.terms import Term, dropped_terms
from stats.scores import Bools, Floats, Ints
from stats.significance import FEWEST_PROMPTS, Comparison

MOST_RATINGS = 200_000
MOST_LEVELS = 1_500
# More different scores than this are grouped, as equally as they can be.
MOST_CATEGORIES = 20
GROUPED_INTO = 10

Refusal = Literal["too few evaluators or prompts", "one score", "too many ratings", "not converged"]


@dataclass(frozen=True)
class OrdinalContrast:
    """
    Method b less method a in log odds of a higher score, for the same evaluator and prompt.

    `superiority` is the probability that b is rated above a there, ties shared, if scores cut a logistic scale
    (Agresti and Kateri 2017, Biometrics 73, 214-219).
    """

    a: str
    b: str
    log_odds: float
    se: float
    df: float
    p: float
    ci: Interval
    superiority: float
    superiority_ci: Interval


@dataclass(frozen=True)
class OrdinalCheck:
    """
    The ordinal check of one criterion, or why there is none.

    `unused` counts points of the scale between the lowest and the highest score that nobody gave, which are merged
    with their neighbours; `is_grouped` where the scores were too many to be categories; `penalised` names methods
    all of whose scores are the lowest or the highest, to which half an observation beside it was added.
    `deviations` are those of the effects, in log odds.
    """

    criterion: str
    contrasts: tuple[OrdinalContrast, ...]
    categories: int
    unused: int
    is_grouped: bool
    penalised: tuple[str, ...]
    deviations: Mapping[str, float]
    refusal: Refusal | None = None

    def contrast(self, a: str, b: str) -> OrdinalContrast | None:
        """Return the contrast of a pair, named as the difference is taken."""
        return next((one for one in self.contrasts if (one.a, one.b) == (a, b)), None)

    def as_dict(self) -> dict[str, Any]:
        """Return the check, ready for JSON."""
        return {
            "criterion": self.criterion,
            "contrasts": [
                {
                    "a": one.a,
                    "b": one.b,
                    "log_odds": one.log_odds,
                    "se": one.se,
                    "df": one.df,
                    "p": one.p,
                    "ci": interval_list(one.ci),
                    "superiority": one.superiority,
                    "superiority_ci": interval_list(one.superiority_ci),
                }
                for one in self.contrasts
            ],
            "categories": self.categories,
            "unused_points": self.unused,
            "is_grouped": self.is_grouped,
            "penalised": list(self.penalised),
            "deviations": dict(self.deviations),
            "refusal": self.refusal,
        }


def ordinal_check(
    table: RatingTable,
    criterion: str,
    degrees_of_freedom: Mapping[tuple[str, str], float | None],
    *,
    confidence_level: float = 0.95,
) -> OrdinalCheck:
    """
    Fit the model to a criterion and compare the pairs of methods that have `degrees_of_freedom`.

    Errors are taken with the degrees of freedom of the primary comparison: the model has none of its own, and few
    evaluators are no more certain for it. They are widened by sqrt(E / (E - 1)), E the fewer of evaluators and
    prompts: maximum likelihood, unlike REML, takes the mean of E effects for known.
    """
    ratings = table.for_criterion(criterion).first_ratings()
    scores = np.unique(ratings.score)
    none = OrdinalCheck(criterion, (), len(scores), 0, False, (), {})
    refusal = refused(ratings, scores)
    if refusal is not None:
        return _without(none, refusal)
    category, is_grouped = categories(ratings.score)
    methods, method = np.unique(ratings.method, return_inverse=True)
    design, penalised, names = _design(ratings, category, method, len(methods))
    if design is None:
        return _without(none, "too many ratings")
    fit = fit_ordinal(design)
    if fit is None:
        return _without(none, "not converged")
    places = {table.methods[number]: place for place, number in enumerate(methods)}
    fewer = min(len(np.unique(ratings.evaluator)), len(np.unique(ratings.prompt)))
    widening = math.sqrt(fewer / (fewer - 1))
    contrasts = []
    for a, b in combinations(table.methods, 2):
        df = degrees_of_freedom.get((a, b))
        if df is not None and a in places and b in places:
            contrasts.append(_contrast(fit, a, b, places, df, confidence_level, widening))
    is_whole = bool((scores == np.rint(scores)).all())
    return OrdinalCheck(
        criterion=criterion,
        contrasts=tuple(contrasts),
        categories=int(category.max()) + 1,
        unused=int(scores[-1] - scores[0]) + 1 - len(scores) if is_whole and not is_grouped else 0,
        is_grouped=is_grouped,
        penalised=tuple(table.methods[methods[place]] for place in penalised),
        deviations={
            name: float(fit.deviations[term]) for term, name in enumerate(names) if design.kept[term]
        },
    )


def joined(comparisons: Sequence[Comparison], check: OrdinalCheck, alpha: float) -> tuple[Comparison, ...]:
    """Return the comparisons, flagged where the check concludes otherwise than the primary test."""
    found = []
    for one in comparisons:
        contrast = check.contrast(one.a, one.b) if one.criterion == check.criterion else None
        p = one.crossed.p
        differs = contrast is not None and p is not None and (contrast.p < alpha) != (p < alpha)
        found.append(replace(one, conclusion_depends_on_method=one.conclusion_depends_on_method or differs))
    return tuple(found)


def refused(ratings: RatingTable, scores: Floats) -> Refusal | None:
    """Return why ratings are not checked, None where they are."""
    evaluators, prompts = len(np.unique(ratings.evaluator)), len(np.unique(ratings.prompt))
    if evaluators < FEWEST_EVALUATORS or prompts < FEWEST_PROMPTS:
        return "too few evaluators or prompts"
    if len(scores) < 2:
        return "one score"
    return "too many ratings" if len(ratings) > MOST_RATINGS else None


def categories(score: Floats) -> tuple[Ints, bool]:
    """Return the category of every score (N,), from 0 without gaps, and whether scores were grouped."""
    levels, level = np.unique(score, return_inverse=True)
    if len(levels) <= MOST_CATEGORIES:
        return level, False
    cuts = np.unique(np.quantile(score, np.linspace(0, 1, GROUPED_INTO + 1)[1:-1]))
    _, grouped = np.unique(np.searchsorted(cuts, score, side="left"), return_inverse=True)
    return grouped, True


def _without(check: OrdinalCheck, refusal: Refusal) -> OrdinalCheck:
    return OrdinalCheck(check.criterion, (), check.categories, 0, check.is_grouped, (), {}, refusal=refusal)


def _design(
    ratings: RatingTable, category: Ints, method: Ints, methods: int
) -> tuple[OrdinalDesign | None, list[int], tuple[Term, ...]]:
    """Return the design, None where it is too large, the penalised methods and the names of its four terms."""
    evaluator, prompt = ratings.evaluator, ratings.prompt
    dropped = dropped_terms(_numbered(evaluator), _numbered(prompt), _numbered(method))
    gone = {one.term for one in dropped}
    cells = len(np.unique(evaluator * methods + method)) + len(np.unique(evaluator))
    texts = len(np.unique(prompt * methods + method)) + len(np.unique(prompt))
    names: tuple[Term, ...] = ("prompt:method", "prompt", "evaluator:method", "evaluator")
    row, line = evaluator, prompt
    if cells > texts:
        names, row, line = ("evaluator:method", "evaluator", "prompt:method", "prompt"), prompt, evaluator
    kept: Bools = np.array([name not in gone for name in names])
    if min(cells, texts) > MOST_LEVELS:
        return None, [], names
    top = int(category.max())
    extreme = [
        place
        for place in range(methods)
        if np.ptp(category[method == place]) == 0 and category[method == place][0] in (0, top)
    ]
    weight = np.ones(len(category))
    for place in extreme:
        # Half an observation of one of its texts, a category further in.
        first = int(np.flatnonzero(method == place)[0])
        inward = 1 if category[first] == 0 else top - 1
        category, weight = np.append(category, inward), np.append(weight, 0.5)
        row, line, method = (np.append(code, code[first]) for code in (row, line, method))
    fixed = (method[:, np.newaxis] == np.arange(1, methods)).astype(np.float64)
    return OrdinalDesign.of(category, fixed, row, line, method, kept, weight), extreme, names


def _numbered(codes: Ints) -> Ints:
    numbers: Ints = np.unique(codes, return_inverse=True)[1]
    return numbers


def _contrast(
    fit: OrdinalFit,
    a: str,
    b: str,
    places: Mapping[str, int],
    df: float,
    confidence_level: float,
    widening: float,
) -> OrdinalContrast:
    contrast = np.zeros(len(fit.effects))
    for name, sign in ((b, 1.0), (a, -1.0)):
        if places[name] > 0:
            contrast[places[name] - 1] += sign
    estimate, plain = fit.contrast(contrast)
    se = widening * plain
    ci = t_interval(estimate, se, df, confidence_level)
    return OrdinalContrast(
        a=a,
        b=b,
        log_odds=estimate,
        se=se,
        df=df,
        p=t_p_value(estimate / se, df),
        ci=ci,
        superiority=superiority(estimate),
        superiority_ci=(superiority(ci[0]), superiority(ci[1])),
    )


def superiority(log_odds: float) -> float:
    """
    Return the probability that a logistic variable shifted by `log_odds` exceeds another one.

    e^d (e^d - 1 - d) / (e^d - 1)^2, one half at d = 0.

    >>> superiority(0.0)
    0.5
    """
    if abs(log_odds) < 1e-4:
        return 0.5 + log_odds / 6
    if abs(log_odds) > 500:
        return float(log_odds > 0)
    odds = math.exp(log_odds)
    return odds * (odds - 1 - log_odds) / (odds - 1) ** 2
