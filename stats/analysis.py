"""The whole analysis of a study in one call: what a report prints, as frozen results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from stats.agreement import Agreement, agreement
from stats.cluster import quick_crossed_mean
from stats.mixed import CrossedMean
from stats.position import PositionBias, position_bias
from stats.power import Power, evaluators_needed, planned_power, prompts_needed
from stats.quality import EvaluatorQuality, evaluator_quality
from stats.ranking import Ranking, ranking_from_picks, ranking_from_ratings
from stats.ratings.alpha import GroupAgreement, group_agreement
from stats.ratings.cells import Cells
from stats.ratings.choice import Choice, Planned, choose
from stats.ratings.table import Pages, RatingTable, long_table
from stats.resampling import affordable_resamples, pigeonhole_bootstrap
from stats.scores import ScoreTable
from stats.significance import Comparison, compare, gated, with_holm

# Pairs of methods times criteria that are compared; of a study with more, as many criteria as that allows.
MOST_COMPARISONS = 2_000


# Of more pairs of methods than these (those of ten), in a table with holes, what fits each pair many times is left out.
MOST_PAIRS_IN_FULL = 45


@dataclass(frozen=True)
class MethodMean:
    """
    The ratings of one method on one criterion.

    `crossed` is their mean with its crossed interval, by the ratings model where that compares the pairs; `deviation`
    is that of all ratings (divisor n - 1), `counts` how often each rating was given.
    """

    method: str
    criterion: str
    crossed: CrossedMean
    deviation: float | None
    counts: tuple[tuple[float, int], ...]

    @property
    def raw(self) -> float | None:
        """Return the mean of all ratings as they were given."""
        total = sum(times for _, times in self.counts)
        return sum(score * times for score, times in self.counts) / total if total else None

    def as_dict(self) -> dict[str, Any]:
        """Return the mean and what it is made of, ready for JSON."""
        return {
            "criterion": self.criterion,
            "method": self.method,
            **self.crossed.as_dict(),
            "raw": self.raw,
            "deviation": self.deviation,
            "counts": [list(pair) for pair in self.counts],
        }


@dataclass(frozen=True)
class MethodPicks:
    """How often a method was picked as best, with the crossed mean of that share over pages with a pick."""

    method: str
    count: int
    crossed: CrossedMean


@dataclass(frozen=True)
class PairPower:
    """
    What this study could find between two methods on the primary criterion, and what it would need.

    The needed numbers are for the planned effect, with the prompts (evaluators) as they are; None
    without a planned effect or where no number is enough.
    """

    a: str
    b: str
    power: Power
    evaluators_needed: int | None
    prompts_needed: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return {
            "a": self.a,
            "b": self.b,
            **asdict(self.power),
            "bottleneck": self.power.bottleneck,
            "evaluators_needed": self.evaluators_needed,
            "prompts_needed": self.prompts_needed,
        }


@dataclass(frozen=True)
class Analysis:
    """
    Everything that was computed from the ratings of one study.

    `comparisons` has each unordered pair of methods once for each criterion, in the order of the table,
    the difference being b - a with b the later method; `p_holm` is adjusted within the criterion.
    `ranking` is from best picks, `ranking_by_rating` from the primary criterion.
    """

    primary: str
    alpha: float
    resamples: int
    evaluators: int
    prompts: int
    comparisons: tuple[Comparison, ...]
    means: tuple[MethodMean, ...]
    picks: tuple[MethodPicks, ...]
    agreement: tuple[Agreement, ...]
    ranking: Ranking | None
    ranking_by_rating: Ranking | None
    position: PositionBias | None
    power: tuple[PairPower, ...]
    quality: tuple[EvaluatorQuality, ...]
    choices: tuple[Choice, ...] = ()
    # Agreement inside the groups of evaluators on each criterion, where there are two groups or more.
    group_agreement: tuple[GroupAgreement, ...] = ()
    # Criteria beyond `MOST_COMPARISONS`, which have means and agreement alone.
    not_compared: tuple[str, ...] = ()

    def choice(self, criterion: str) -> Choice | None:
        """Return how the pairs of a criterion were compared."""
        return next((one for one in self.choices if one.criterion == criterion), None)

    def comparison(self, criterion: str, a: str, b: str) -> Comparison:
        """Return the comparison of two methods, named in the order of the table."""
        for comparison in self.comparisons:
            if (comparison.criterion, comparison.a, comparison.b) == (criterion, a, b):
                return comparison
        raise ValueError(f"criterion, a and b must name a comparison; got {criterion!r}, {a!r}, {b!r}")

    def degrees_of_freedom(self) -> dict[tuple[str, str], float | None]:
        """Return those of the primary comparisons that are tested."""
        tested = [
            one for one in self.comparisons if one.criterion == self.primary and one.crossed.p is not None
        ]
        return {(one.a, one.b): one.crossed.df for one in tested}

    def as_dict(self) -> dict[str, Any]:
        """Return the analysis as its part of the JSON report, without NaN and numpy types."""
        return {
            "primary_criterion": self.primary,
            "alpha": self.alpha,
            "resamples": self.resamples,
            "analyses": [choice.as_dict() for choice in self.choices],
            "criteria_not_compared": list(self.not_compared),
            "comparisons": [comparison.as_dict() for comparison in self.comparisons],
            "means": [mean.as_dict() for mean in self.means],
            "best_pick_shares": [
                {
                    "method": pick.method,
                    "count": pick.count,
                    **pick.crossed.as_dict(),
                }
                for pick in self.picks
            ],
            "agreement": {measures.criterion: measures.as_dict() for measures in self.agreement},
            "group_agreement": [one.as_dict() for one in self.group_agreement],
            "ranking": _ranking_list(self.ranking),
            "ranking_by_rating": _ranking_list(self.ranking_by_rating),
            "position": None if self.position is None else asdict(self.position),
            "power": [pair.as_dict() for pair in self.power],
            "evaluators": [asdict(evaluator) for evaluator in self.quality],
        }


def analyse(
    ratings: RatingTable | ScoreTable,
    *,
    primary: str,
    rng: np.random.Generator,
    resamples: int = 10_000,
    alpha: float = 0.05,
    margins: Mapping[str, float] | None = None,
    effect: float | None = None,
    page_seconds: Cells | None = None,
    planned: Planned = "by design",
    planned_pairs: Iterable[tuple[str, str]] | None = None,
    groups: Mapping[str, str] | None = None,
    samples_of: Sequence[object] | None = None,
) -> Analysis:
    """
    Analyse a study with the criterion `primary` as the one declared beforehand.

    `margins` are those of equivalence, by criterion, and `effect` the difference on the primary criterion
    that the study was planned to find; both must have been set before the ratings were seen.
    `planned` is the analysis (`stats.ratings.choice`), `planned_pairs` the pairs of methods that the plan compares,
    all if left out: the others are exploratory, and Holm's correction is over the planned ones.
    The primary criterion and as many others as `MOST_COMPARISONS` allows are compared.
    Where some prompts of the table are samples of one, `samples_of` (P,) says of what: methods are compared on the
    means of their samples, because pages of one prompt are no independent prompts.
    `page_seconds` are the times on the pages, `groups` the groups of evaluators who have one. `rng` draws the
    bootstraps and nothing else. Of repeats of a rating the first counts. Memory grows with the ratings, not with
    evaluators x prompts.
    """
    table = long_table(ratings).first_ratings()
    table.criterion_index(primary)
    compared = table if samples_of is None else table.averaged(samples_of)
    margins = margins or {}
    for key in margins:
        table.criterion_index(key)
    level = 1 - alpha
    in_comparison = compared_criteria(table, primary)
    choices = {key: choose(compared, key, planned) for key in in_comparison}
    pages = {key: choice.table.pages() for key, choice in choices.items()}
    resamples = affordable_resamples(resamples, _bootstrapped_cells(compared, choices, pages))
    comparisons = _comparisons(compared, choices, pages, rng, resamples, alpha, margins)
    if planned_pairs is not None:
        chosen = {frozenset(pair) for pair in planned_pairs}
        comparisons = tuple(
            replace(one, is_planned=frozenset((one.a, one.b)) in chosen) for one in comparisons
        )
    comparisons = tuple(
        one
        for criterion in table.criteria
        for one in with_holm([one for one in comparisons if one.criterion == criterion.key])
    )
    return Analysis(
        primary=primary,
        alpha=alpha,
        resamples=resamples,
        evaluators=len(table.evaluators),
        prompts=len(compared.prompts),
        comparisons=comparisons,
        means=tuple(_by_model(mean, table, choices) for mean in _means_of_samples(table, compared, level)),
        picks=_picks(table, level),
        agreement=tuple(agreement(table, c.key, confidence_level=level, rng=rng) for c in table.criteria),
        group_agreement=tuple(
            found
            for c in table.criteria
            if (found := group_agreement(table, c.key, groups or {}, rng, level)) is not None
        ),
        ranking=ranking_from_picks(table, confidence_level=level),
        ranking_by_rating=ranking_from_ratings(compared, primary, confidence_level=level),
        position=position_bias(table, primary, confidence_level=level),
        power=_power(comparisons, primary, effect, alpha),
        quality=evaluator_quality(table, primary, page_seconds=page_seconds),
        choices=tuple(choices.values()),
        not_compared=tuple(c.key for c in table.criteria if c.key not in choices),
    )


def compared_criteria(table: RatingTable, primary: str) -> tuple[str, ...]:
    """Return the criteria whose pairs of methods are compared, in the order of the table."""
    pairs = len(table.methods) * (len(table.methods) - 1) // 2
    others = [criterion.key for criterion in table.criteria if criterion.key != primary]
    chosen = {primary, *others[: max(MOST_COMPARISONS // max(pairs, 1) - 1, 0)]}
    return tuple(criterion.key for criterion in table.criteria if criterion.key in chosen)


def _bootstrapped_cells(table: RatingTable, choices: Mapping[str, Choice], pages: Mapping[str, Pages]) -> int:
    """Return about how many cells the pairs have that a bootstrap resamples."""
    pairs = len(table.methods) * (len(table.methods) - 1) // 2
    return sum(pairs * len(pages[key]) for key, one in choices.items() if one.kind == "page differences")


def _comparisons(
    table: RatingTable,
    choices: Mapping[str, Choice],
    pages: Mapping[str, Pages],
    rng: np.random.Generator,
    resamples: int,
    alpha: float,
    margins: Mapping[str, float],
) -> tuple[Comparison, ...]:
    pairs = list(combinations(range(len(table.methods)), 2))
    texts = len(table.evaluators) * len(table.prompts) * len(table.methods)
    in_brief = len(pairs) > MOST_PAIRS_IN_FULL and len(table) < texts * len(table.criteria)
    by_pages = [key for key, choice in choices.items() if choice.kind == "page differences" and not in_brief]
    drawn = iter(
        pigeonhole_bootstrap(
            [pages[key].pair(a, b).differences for key in by_pages for a, b in pairs],
            evaluators=len(table.evaluators),
            prompts=len(table.prompts),
            rng=rng,
            resamples=resamples,
            confidence_level=1 - alpha,
        )
    )
    return tuple(
        compare(
            pages[key].pair(a, b),
            criterion=key,
            a=table.methods[a],
            b=table.methods[b],
            bootstrap=next(drawn) if key in by_pages else None,
            margin=margins.get(key),
            alpha=alpha,
            choice=choice,
            places=(a, b),
            in_brief=in_brief,
        )
        for key, choice in choices.items()
        for a, b in pairs
    )


def method_means(table: RatingTable, confidence_level: float = 0.95) -> tuple[MethodMean, ...]:
    """Return the ratings of every method on every criterion; of repeats the first counts."""
    found = []
    for criterion in table.criteria:
        ratings = table.for_criterion(criterion.key).first_ratings()
        for m, method in enumerate(table.methods):
            of_method = ratings.rows(ratings.method == m)
            values, counts = np.unique(of_method.score, return_counts=True)
            cells = Cells(of_method.evaluator, of_method.prompt, of_method.score)
            found.append(
                MethodMean(
                    method=method,
                    criterion=criterion.key,
                    crossed=gated(quick_crossed_mean(cells, confidence_level=confidence_level)),
                    deviation=float(cells.value.std(ddof=1)) if len(cells) > 1 else None,
                    counts=tuple((float(v), int(n)) for v, n in zip(values, counts, strict=True)),
                )
            )
    return tuple(found)


def _means_of_samples(table: RatingTable, compared: RatingTable, level: float) -> tuple[MethodMean, ...]:
    """Return the means over averaged samples, with the counts and deviations of all ratings as they were given."""
    means = method_means(compared, level)
    if compared is table:
        return means
    return tuple(
        replace(mean, counts=given.counts, deviation=given.deviation)
        for mean, given in zip(means, method_means(table, level), strict=True)
    )


def _by_model(mean: MethodMean, table: RatingTable, choices: Mapping[str, Choice]) -> MethodMean:
    """Return the mean as the model estimates it that compares the pairs: else means and differences contradict."""
    choice, place = choices.get(mean.criterion), table.methods.index(mean.method)
    if choice is None or choice.model is None or place not in choice.model.methods:
        return mean
    estimate, se, df = choice.model.mean(place)
    found = replace(mean.crossed, estimate=estimate, se=se, df=df, variance=None, method="ratings model")
    return replace(mean, crossed=gated(found))


def _picks(table: RatingTable, confidence_level: float) -> tuple[MethodPicks, ...]:
    picks, found = table.picks, []
    for m, method in enumerate(table.methods):
        picked = picks.method == m
        cells = Cells(picks.evaluator, picks.prompt, picked.astype(np.float64))
        mean = gated(quick_crossed_mean(cells, confidence_level=confidence_level))
        found.append(MethodPicks(method, int(picked.sum()), mean))
    return tuple(found)


def _power(
    comparisons: tuple[Comparison, ...], primary: str, effect: float | None, alpha: float
) -> tuple[PairPower, ...]:
    found = []
    for comparison in comparisons:
        mean = comparison.crossed
        if comparison.criterion != primary or mean.variance is None:
            continue
        power = planned_power(
            mean.variance, evaluators=mean.evaluators, prompts=mean.prompts, effect=effect, alpha=alpha
        )
        if power is None:
            continue
        more_evaluators = more_prompts = None
        if effect is not None:
            more_evaluators = evaluators_needed(
                mean.variance, prompts=mean.prompts, effect=effect, alpha=alpha
            )
            more_prompts = prompts_needed(
                mean.variance, evaluators=mean.evaluators, effect=effect, alpha=alpha
            )
        found.append(PairPower(comparison.a, comparison.b, power, more_evaluators, more_prompts))
    return tuple(found)


def _ranking_list(ranking: Ranking | None) -> list[dict[str, Any]]:
    return [] if ranking is None else [asdict(method) for method in ranking.methods]
