"""Everything that is said of one judge on one criterion: may it be trusted, and what it adds to people's ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np

from stats.judges.agreement import (
    Measured,
    alphas,
    correlations,
    judge_p_greater,
    kappas,
    soft_pairwise_accuracy,
    unweighted_kappas,
)
from stats.judges.alternative import AlternativeTest, alternative_annotator_test
from stats.judges.combined import CombinedMean, Draw, combined_mean
from stats.judges.probes import (
    Probe,
    family_probe,
    length_probe,
    nothing_probe,
    order_probe,
    repeats_probe,
    scale_probe,
)
from stats.judges.rates import CorrectedRate, corrected_rate
from stats.judges.scores import JudgeScores, pair_differences, rated_texts, text_means
from stats.mixed import Interval, interval_list
from stats.ratings.alpha import FEWEST_PROMPTS, percentiles, resampled
from stats.ratings.table import RatingTable
from stats.scores import Criterion, Floats

Verdict = Literal["may stand in", "may narrow intervals", "of no use"]


@dataclass(frozen=True)
class PairCombined:
    """The combined estimate of one pair of methods, b - a."""

    a: str
    b: str
    mean: CombinedMean


@dataclass(frozen=True)
class JudgeChecks:
    """
    The checks of one judge on one criterion.

    `usual` is the alternative annotator test as published, `by_prompt` with differences averaged within prompts.
    Kappa and alpha are None for scores off the evaluators' scale. `slope` is that of people's differences on the
    judge's; off their scale it is by a standard deviation of its scores within prompts.
    """

    judge: str
    criterion: str
    texts: int
    on_scale: bool
    constant: bool
    usual: AlternativeTest | None
    by_prompt: AlternativeTest | None
    kappa: Measured | None
    kappa_of_evaluators: Measured | None
    # Of scores that are points of the scale alone.
    unweighted_kappa: Measured | None
    unweighted_kappa_of_evaluators: Measured | None
    alpha: Measured | None
    alpha_with_judge: Measured | None
    alpha_difference: Measured | None
    correlations: dict[str, Measured]
    rates: dict[str, CorrectedRate]
    probes: tuple[Probe, ...]
    soft_pairwise_accuracy: Measured | None
    slope: Measured
    combined: tuple[PairCombined, ...]

    @property
    def failed_probes(self) -> tuple[str, ...]:
        """Return the names of the probes that the judge failed."""
        return tuple(probe.name for probe in self.probes if probe.failed)

    @property
    def verdict(self) -> Verdict:
        """Say in one of three ways what the judge may do."""
        test = self.by_prompt if self.by_prompt and self.by_prompt.omega is not None else self.usual
        if test is not None and test.passed and not self.failed_probes:
            return "may stand in"
        narrows = self.slope.ci is not None and self.slope.ci[0] > 0
        return "may narrow intervals" if narrows else "of no use"

    def as_dict(self) -> dict[str, Any]:
        """Return the checks as they stand in the JSON report: a list of them, and the verdict."""
        return {
            "judge": self.judge,
            "criterion": self.criterion,
            "texts": self.texts,
            "is_on_scale": self.on_scale,
            "is_constant": self.constant,
            "verdict": self.verdict,
            "checks": [_check(*one) for one in self._listed()],
            "corrected_rates": {method: rate.as_dict() for method, rate in self.rates.items()},
        }

    def _listed(self) -> list[tuple[str, float | None, Interval | None, int, str]]:
        rows: list[tuple[str, float | None, Interval | None, int, str]] = []
        for name, test in (("alternative_test", self.usual), ("alternative_test_by_prompt", self.by_prompt)):
            if test is not None:
                note = test.refusal or ""
                rows.append((f"{name}.omega", test.omega, None, test.texts, note))
                rows.append((f"{name}.rho", test.rho, None, test.texts, note))
        named = {
            "kappa": self.kappa,
            "kappa_of_evaluators": self.kappa_of_evaluators,
            "unweighted_kappa": self.unweighted_kappa,
            "unweighted_kappa_of_evaluators": self.unweighted_kappa_of_evaluators,
            "alpha_ordinal": self.alpha,
            "alpha_ordinal_with_judge": self.alpha_with_judge,
            "alpha_ordinal_difference": self.alpha_difference,
            **{f"correlation.{level}": measure for level, measure in self.correlations.items()},
            "soft_pairwise_accuracy": self.soft_pairwise_accuracy,
            "slope": self.slope,
        }
        for name, measure in named.items():
            if measure is not None:
                rows.append((name, measure.value, measure.ci, measure.n, ""))
        rows += [
            (f"probe.{one.name}", one.value, one.ci, one.n, one.why or ("failed" if one.failed else ""))
            for one in self.probes
        ]
        return rows


def _check(name: str, value: float | None, ci: Interval | None, n: int, note: str) -> dict[str, Any]:
    return {"check": name, "value": value, "ci": interval_list(ci), "n": n, "note": note}


@dataclass(frozen=True, eq=False)
class Judged:
    """
    What a judge is checked by, beside people's ratings.

    `lengths` (P, M) are those of the texts; `own` the places of methods of its own family; `nothing` by criterion its
    scores of an empty text and of a single point; `draw` how the prompts that people rated were drawn, None for
    uniformly, and `was_drawn` false where they were chosen instead.
    """

    name: str
    scores: JudgeScores
    lengths: Floats | None = None
    own: Sequence[int] = ()
    nothing: Mapping[str, Mapping[Literal["empty text", "single point"], Floats]] = field(
        default_factory=dict
    )
    draw: Draw | None = None
    # Prompts by which the judge's own prompt was written: neither its scores there nor people's ratings count.
    set_aside: Sequence[int] = ()
    was_drawn: bool = True
    epsilon: float = 0.15


def judge_checks(
    table: RatingTable,
    judged: Judged,
    criterion: str,
    rng: np.random.Generator,
    *,
    with_pairs: bool = True,
) -> JudgeChecks | None:
    """
    Check a judge on one criterion; None where it has no score on it, or nobody rated it.

    `with_pairs` asks for what compares pairs of methods: combined estimates and soft pairwise accuracy.
    """
    place = table.criterion_index(criterion)
    ratings = table.for_criterion(criterion).first_ratings()
    scores = judged.scores.of_criterion(place)
    if len(judged.set_aside):
        ratings = ratings.rows(~np.isin(ratings.prompt, judged.set_aside))
        scores = scores.rows(~np.isin(scores.prompt, judged.set_aside))
    if not len(scores.score) or not len(ratings):
        return None
    quality = table.criteria[place]
    everything = scores.texts()
    own = everything[: len(table.prompts)]
    people = text_means(ratings, len(table.prompts))
    both = ~np.isnan(own) & ~np.isnan(people)
    on_scale = scores.is_on_scale(quality)
    constant = not (both.any() and np.ptp(own[both]) > 0)
    pairs = _pairs(ratings, everything, judged, on_scale) if with_pairs else ()
    found = JudgeChecks(
        judge=judged.name,
        criterion=criterion,
        texts=int(both.sum()),
        on_scale=on_scale,
        constant=constant,
        usual=None,
        by_prompt=None,
        kappa=None,
        kappa_of_evaluators=None,
        unweighted_kappa=None,
        unweighted_kappa_of_evaluators=None,
        alpha=None,
        alpha_with_judge=None,
        alpha_difference=None,
        correlations=correlations(people, own, rng),
        rates=_rates(quality, people, everything, table.methods) if on_scale else {},
        probes=_probes(judged, scores, quality, people, own),
        soft_pairwise_accuracy=_soft_accuracy(pairs, everything, table.methods) if with_pairs else None,
        slope=Measured(None, None, 0) if constant else _slope(people, own, rng, on_scale=on_scale),
        combined=pairs,
    )
    return _with_agreement(found, ratings, own, judged.epsilon, rng) if on_scale and not constant else found


def _with_agreement(
    found: JudgeChecks, ratings: RatingTable, own: Floats, epsilon: float, rng: np.random.Generator
) -> JudgeChecks:
    """Add what takes the judge's scores for ratings: they are on the evaluators' scale."""
    by_evaluator = rated_texts(ratings)
    prompts = np.repeat(np.arange(len(own)), own.shape[1])
    kappa, kappa_own = kappas(by_evaluator.reshape(len(by_evaluator), *own.shape), own, rng)
    # With a generator of its own, so that the other intervals are those that they were without it.
    unweighted = unweighted_kappas(by_evaluator.reshape(len(by_evaluator), *own.shape), own, *rng.spawn(1))
    alpha, joined, difference = alphas(ratings, own, rng)
    return replace(
        found,
        usual=alternative_annotator_test(by_evaluator, own.ravel(), epsilon=epsilon),
        by_prompt=alternative_annotator_test(by_evaluator, own.ravel(), epsilon=epsilon, prompts=prompts),
        kappa=kappa,
        kappa_of_evaluators=kappa_own,
        unweighted_kappa=None if unweighted is None else unweighted[0],
        unweighted_kappa_of_evaluators=None if unweighted is None else unweighted[1],
        alpha=alpha,
        alpha_with_judge=joined,
        alpha_difference=difference,
    )


def _pairs(
    ratings: RatingTable, everything: Floats, judged: Judged, on_scale: bool
) -> tuple[PairCombined, ...]:
    found = []
    for a, b in combinations(range(len(ratings.methods)), 2):
        mean = combined_mean(
            pair_differences(ratings, a, b),
            everything[:, b] - everything[:, a],
            draw=judged.draw,
            is_on_scale=on_scale,
        )
        mean = replace(mean, without_score=mean.without_score - len(judged.set_aside))
        if not judged.was_drawn and mean.combined is not None:
            mean = replace(mean, combined=None, refusal="chosen")
        found.append(PairCombined(ratings.methods[a], ratings.methods[b], mean))
    return tuple(found)


def _soft_accuracy(pairs: tuple[PairCombined, ...], everything: Floats, methods: Sequence[str]) -> Measured:
    p_values = []
    for pair in pairs:
        a, b = methods.index(pair.a), methods.index(pair.b)
        people = pair.mean.people.p_value(0.0, "greater")
        judge = judge_p_greater(everything[:, b] - everything[:, a])
        if people is not None and judge is not None:
            p_values.append((people, judge))
    return Measured(soft_pairwise_accuracy(p_values), None, len(p_values))


def _probes(
    judged: Judged, scores: JudgeScores, quality: Criterion, people: Floats, own: Floats
) -> tuple[Probe, ...]:
    probes = [order_probe(scores)]
    if judged.lengths is not None:
        probes.append(length_probe(people, own, judged.lengths))
    probes += [family_probe(people, own, judged.own), repeats_probe(scores), scale_probe(scores, quality)]
    for name, given in judged.nothing.get(quality.key, {}).items():
        probes.append(nothing_probe(name, given, scores.score))
    return tuple(probes)


def _rates(
    quality: Criterion, people: Floats, everything: Floats, methods: Sequence[str]
) -> dict[str, CorrectedRate]:
    """Return the corrected share of yes of each method on a scale of two points; ties of evaluators say nothing."""
    if quality.maximum - quality.minimum != 1:
        return {}
    middle = (quality.minimum + quality.maximum) / 2
    own = everything[: len(people)]
    both = ~np.isnan(own) & ~np.isnan(people) & (people != middle)
    yes, says_yes = people[both] > middle, own[both] > middle
    m1, m0 = int(yes.sum()), int((~yes).sum())
    if not m0 or not m1:
        return {}
    q1, q0 = float(says_yes[yes].mean()), float((~says_yes[~yes]).mean())
    found = {}
    for place, method in enumerate(methods):
        known = everything[~np.isnan(everything[:, place]), place]
        if len(known):
            found[method] = corrected_rate(float((known > middle).mean()), q0, q1, n=len(known), m0=m0, m1=m1)
    return found


def _slope(people: Floats, own: Floats, rng: np.random.Generator, *, on_scale: bool) -> Measured:
    """
    Return the slope of people's differences on the judge's, of all pairs pooled, with its interval over new prompts.

    It is lambda of a judge who rated very many more prompts; above 0 the judge narrows intervals.
    """
    whole = ~np.isnan(people).any(axis=1) & ~np.isnan(own).any(axis=1)
    people, own = people[whole], own[whole]
    prompts, methods = people.shape
    if prompts < FEWEST_PROMPTS or methods < 2:
        return Measured(None, None, prompts)
    people, own = (one - one.mean(axis=1, keepdims=True) for one in (people, own))
    if not on_scale and own.any():
        own = own / own.std()
    weights = np.vstack([np.ones((1, prompts)), resampled(prompts, rng)]) / prompts
    s_x, s_y, s_xx, s_xy = (weights @ one for one in (own, people, own * own, own * people))
    squares = (s_xx - s_x**2).sum(axis=1)
    slopes = np.full(len(weights), np.nan)
    np.divide((s_xy - s_x * s_y).sum(axis=1), squares, out=slopes, where=squares > 0)
    if np.isnan(slopes[0]):
        return Measured(None, None, prompts)
    return Measured(float(slopes[0]), percentiles(slopes[1:], 0.95), prompts)
