"""How far the evaluators agree with each other: Krippendorff's alpha, intraclass correlations, Kendall's W."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy

from stats.mixed import Interval, interval_list, is_laid_out
from stats.ratings.alpha import NO_INTERVALS, AlphaIntervals, alpha_intervals
from stats.ratings.cells import Cells
from stats.ratings.model import fit_ratings_model
from stats.ratings.table import RatingTable, long_table
from stats.reml import fit_crossed_reml
from stats.scores import Criterion, Floats, Ints, ScoreTable

Level = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True)
class IntraclassCorrelation:
    """ICC(2,1), of one evaluator, and ICC(2,k), of the mean of the `raters` of an item, each with an interval."""

    icc_2_1: float
    icc_2_1_ci: Interval | None
    icc_2_k: float
    icc_2_k_ci: Interval | None
    raters: float
    items: int
    method: Literal["analysis of variance", "REML"]


@dataclass(frozen=True)
class Concordance:
    """Kendall's W with its chi-square approximation."""

    w: float
    chi2: float
    df: int
    p: float


@dataclass(frozen=True)
class Agreement:
    """
    Agreement of the evaluators on one criterion; each part is None where the ratings cannot give it.

    `kendall_w` ranks all texts, `kendall_w_methods` the methods by their means, `kendall_w_within_prompt`
    is the mean over prompts of the concordance on the texts of one prompt. A high ICC(2,k) says that the
    mean rating of a text is stable; it does not make a difference between methods significant.
    """

    criterion: str
    alpha_nominal: float | None
    alpha_ordinal: float | None
    alpha_interval: float | None
    icc: IntraclassCorrelation | None
    kendall_w: Concordance | None
    kendall_w_methods: Concordance | None
    kendall_w_within_prompt: float | None
    alpha_intervals: AlphaIntervals = NO_INTERVALS

    def as_dict(self) -> dict[str, Any]:
        """Return the measures as they stand in the JSON report."""
        return {
            "alpha_nominal": self.alpha_nominal,
            "alpha_ordinal": self.alpha_ordinal,
            "alpha_interval": self.alpha_interval,
            "alpha_ordinal_ci": interval_list(self.alpha_intervals.ordinal),
            "alpha_interval_ci": interval_list(self.alpha_intervals.interval),
            "icc_2_1": self.icc and self.icc.icc_2_1,
            "icc_2_1_ci": interval_list(self.icc.icc_2_1_ci if self.icc else None),
            "icc_2_k": self.icc and self.icc.icc_2_k,
            "icc_2_k_ci": interval_list(self.icc.icc_2_k_ci if self.icc else None),
            "kendall_w": self.kendall_w and self.kendall_w.w,
            "kendall_w_methods": self.kendall_w_methods and self.kendall_w_methods.w,
            "kendall_w_within_prompt": self.kendall_w_within_prompt,
        }


def agreement(
    table: RatingTable | ScoreTable,
    criterion: str,
    *,
    confidence_level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> Agreement:
    """
    Compute every measure of agreement on one criterion; the items are the texts, prompts x methods.

    With `rng` alpha has its intervals, from prompts drawn anew.
    """
    ratings = long_table(table).for_criterion(criterion).first_ratings()
    texts, text = np.unique(ratings.text, return_inverse=True)
    alphas = item_alphas(ratings.score, text)
    complete, prompt = _rated_by_all(ratings, texts, text)
    within = [kendall_w(complete[:, prompt == p]) for p in np.unique(prompt)]
    known = [concordance.w for concordance in within if concordance is not None]
    return Agreement(
        criterion=criterion,
        alpha_nominal=alphas["nominal"],
        alpha_ordinal=alphas["ordinal"],
        alpha_interval=alphas["interval"],
        icc=item_correlation(
            Cells(ratings.evaluator, text, ratings.score), confidence_level=confidence_level
        ),
        kendall_w=kendall_w(complete),
        kendall_w_methods=kendall_w(_method_means(ratings)),
        kendall_w_within_prompt=math.fsum(known) / len(known) if known else None,
        alpha_intervals=NO_INTERVALS if rng is None else alpha_intervals(ratings, rng, confidence_level),
    )


def _rated_by_all(ratings: RatingTable, texts: Ints, text: Ints) -> tuple[Floats, Ints]:
    """Return the ratings (raters, items) of the texts that every evaluator rated, and their prompts (items,)."""
    whole = np.bincount(text, minlength=len(texts)) == len(ratings.evaluators)
    chosen = whole[text]
    number = np.cumsum(whole) - 1
    complete = np.empty((len(ratings.evaluators), int(whole.sum())))
    complete[ratings.evaluator[chosen], number[text[chosen]]] = ratings.score[chosen]
    return complete, texts[whole] // max(len(ratings.methods), 1)


def krippendorff_alphas(ratings: Floats) -> dict[Level, float | None]:
    """Return Krippendorff's alpha of `ratings` (raters, items), NaN where missing, at three levels."""
    rater, item = np.nonzero(~np.isnan(ratings))
    return item_alphas(ratings[rater, item], item)


def item_alphas(values: Floats, item: Ints) -> dict[Level, float | None]:
    """
    Return Krippendorff's alpha of `values` (N,), each of one item (N,), at three levels.

    alpha = 1 - D_o / D_e over the pairs of values within items and over all pairs; items with one rating say
    nothing. Ordinal values lie apart as their mid-ranks do. None where all ratings are the same. Reference:
    Krippendorff (2011), Computing Krippendorff's alpha-reliability.
    """
    enough = (np.bincount(item) >= 2)[item] if len(item) else np.zeros(0, dtype=np.bool_)
    _, item = np.unique(item[enough], return_inverse=True)
    levels, level = np.unique(values[enough], return_inverse=True)
    if len(levels) < 2:
        return {"nominal": None, "ordinal": None, "interval": None}
    sizes, totals = np.bincount(item), np.bincount(level)
    n = float(len(level))
    kept, times = np.unique(item * len(levels) + level, return_counts=True)
    same = np.bincount(kept // len(levels), times.astype(np.float64) ** 2)
    unlike = float(((sizes**2 - same) / (sizes - 1)).sum())
    ranks = np.cumsum(totals) - totals / 2  # Half of both end values drops out of their sum.
    return {
        "nominal": 1 - unlike / ((n**2 - float((totals.astype(np.float64) ** 2).sum())) / (n - 1)),
        "ordinal": _squared_alpha(ranks[level], item, sizes),
        "interval": _squared_alpha(levels[level], item, sizes),
    }


def _squared_alpha(places: Floats, item: Ints, sizes: Ints) -> float:
    """Return alpha of values whose distance is the square of their difference."""
    within = places - (np.bincount(item, places) / sizes)[item]
    between = places - places.mean()
    observed = 2 * float((np.bincount(item, within**2) * sizes / (sizes - 1)).sum())
    return 1 - observed * (len(places) - 1) / (2 * len(places) * float(between @ between))


def intraclass_correlation(
    ratings: Floats, *, confidence_level: float = 0.95
) -> IntraclassCorrelation | None:
    """
    Return ICC(2,1) and ICC(2,k), absolute agreement, of `ratings` (raters, items), NaN where missing.

    Complete ratings: mean squares and F intervals of Shrout and Fleiss (1979), Psychological Bulletin
    86, 420-428, and McGraw and Wong (1996), Psychological Methods 1, 30-46. With missing ratings: the
    ratio of the REML variances, with a delta-method interval on the logit scale, and k the harmonic mean
    of the numbers of ratings that the items have. None with fewer than two raters or items, with one rating
    an item, or without variance.
    """
    there = ~np.isnan(ratings)
    kept = ratings[there.any(axis=1)][:, there.any(axis=0)]
    # With one rating an item its worth cannot be told from the residual.
    if min(kept.shape) < 2 or there.sum(axis=0).max() < 2 or np.nanmin(kept) == np.nanmax(kept):
        return None
    if np.isnan(kept).any():
        return _icc_from_reml(kept, confidence_level)
    return _icc_from_mean_squares(kept, confidence_level)


def item_correlation(cells: Cells, *, confidence_level: float = 0.95) -> IntraclassCorrelation | None:
    """Return the intraclass correlations of ratings by rater ('evaluator') and item ('prompt')."""
    kept, raters, items = cells.numbered()
    if is_laid_out(cells):
        return intraclass_correlation(kept.table(raters, items), confidence_level=confidence_level)
    per_item = np.bincount(kept.prompt)
    if per_item.max() < 2 or np.ptp(kept.value) == 0:
        return None
    one = np.zeros(len(kept), dtype=np.int64)
    model = fit_ratings_model(
        RatingTable(
            evaluator=kept.evaluator,
            prompt=kept.prompt,
            method=one,
            criterion=one,
            score=kept.value,
            evaluators=tuple(str(number) for number in range(raters)),
            prompts=tuple(str(number) for number in range(items)),
            methods=("text",),
            criteria=(Criterion("rating", 0, 1),),
        )
    )
    if model is None or not model.is_converged:
        return None
    rater, item = model.variance.evaluator or 0.0, model.variance.prompt or 0.0
    return _icc_of_variances(
        (rater, item, model.variance.residual), model.variance_covariance(), per_item, confidence_level
    )


def kendall_w(ratings: Floats) -> Concordance | None:
    """
    Return Kendall's W of `ratings` (raters, items) with mid-ranks, over the items that all raters rated.

    W = 12 S / (m^2 (n^3 - n) - m T), T the sum of t^3 - t over ties. None where there is nothing to rank.
    Reference: Kendall and Babington Smith (1939), Annals of Mathematical Statistics 10, 275-287.
    """
    if not len(ratings):
        return None
    complete = ratings[:, ~np.isnan(ratings).any(axis=0)]
    raters, items = complete.shape
    if raters < 2 or items < 2:
        return None
    ranks = scipy.stats.rankdata(complete, axis=1)
    # Twice the sum of squared ranks falls by (t^3 - t) / 6 with each tie, which gives T without a search.
    untied = items * (items + 1) * (2 * items + 1) / 6
    ties = 12 * (raters * untied - float((ranks**2).sum()))
    spread = float(((ranks.sum(axis=0) - raters * (items + 1) / 2) ** 2).sum())
    most = raters**2 * (items**3 - items) - raters * ties
    if most < 0.5:
        return None
    w = 12 * spread / most
    chi2 = raters * (items - 1) * w
    return Concordance(w, chi2, items - 1, float(scipy.special.chdtrc(items - 1, chi2)))


def _icc_from_mean_squares(ratings: Floats, confidence_level: float) -> IntraclassCorrelation | None:
    k, n = ratings.shape
    grand = ratings.mean()
    rows = ratings.mean(axis=1) - grand  # raters
    columns = ratings.mean(axis=0) - grand  # items
    rest = ratings - grand - rows[:, np.newaxis] - columns
    ms_items = k * float(columns @ columns) / (n - 1)
    ms_raters = n * float(rows @ rows) / (k - 1)
    ms_error = float((rest**2).sum()) / ((n - 1) * (k - 1))
    single_base = ms_items + (k - 1) * ms_error + k * (ms_raters - ms_error) / n
    mean_base = ms_items + (ms_raters - ms_error) / n
    if single_base <= 0 or mean_base <= 0:
        return None
    icc = (ms_items - ms_error) / single_base
    single_ci = _icc_interval(icc, ms_items, ms_raters, ms_error, n, k, confidence_level)
    return IntraclassCorrelation(
        icc_2_1=icc,
        icc_2_1_ci=single_ci,
        icc_2_k=(ms_items - ms_error) / mean_base,
        icc_2_k_ci=None if single_ci is None else (_step_up(single_ci[0], k), _step_up(single_ci[1], k)),
        raters=k,
        items=n,
        method="analysis of variance",
    )


def _icc_interval(
    icc: float, ms_items: float, ms_raters: float, ms_error: float, n: int, k: int, confidence_level: float
) -> Interval | None:
    """Return the interval of ICC(2,1) of McGraw and Wong (1996), table 7."""
    if icc >= 1 or ms_error <= 0:
        return None
    a = k * icc / (n * (1 - icc))
    b = 1 + k * icc * (n - 1) / (n * (1 - icc))
    raters_part, error_part = a * ms_raters, b * ms_error
    v = (raters_part + error_part) ** 2 / (raters_part**2 / (k - 1) + error_part**2 / ((n - 1) * (k - 1)))
    tail = (1 + confidence_level) / 2
    f_low = float(scipy.special.fdtri(n - 1, v, tail))
    f_high = float(scipy.special.fdtri(v, n - 1, tail))
    rest = k * ms_raters + (k * n - k - n) * ms_error
    low = n * (ms_items - f_low * ms_error) / (f_low * rest + n * ms_items)
    high = n * (f_high * ms_items - ms_error) / (rest + n * f_high * ms_items)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def _icc_from_reml(ratings: Floats, confidence_level: float) -> IntraclassCorrelation | None:
    fit = fit_crossed_reml(ratings)
    if fit is None or sum(fit.variances) <= 0:
        return None
    return _icc_of_variances(
        fit.variances, fit.covariance, (~np.isnan(ratings)).sum(axis=0), confidence_level
    )


def _icc_of_variances(
    variances: tuple[float, float, float], covariance: Floats, per_item: Ints, confidence_level: float
) -> IntraclassCorrelation:
    """Return the correlations of REML variances (rater, item, residual); `per_item` (items,) counts ratings."""
    raters = len(per_item) / float((1 / per_item).sum())
    rater, item, residual = variances
    other = rater + residual
    icc = item / (item + other)
    ci: Interval | None = None
    if item > 0 and other > 0:
        gradient = np.array([-1 / other, 1 / item, -1 / other])  # of log(item / other)
        half = float(scipy.special.ndtri((1 + confidence_level) / 2)) * math.sqrt(
            max(float(gradient @ covariance @ gradient), 0.0)
        )
        middle = math.log(item / other)
        ci = float(scipy.special.expit(middle - half)), float(scipy.special.expit(middle + half))
    return IntraclassCorrelation(
        icc_2_1=icc,
        icc_2_1_ci=ci,
        icc_2_k=_step_up(icc, raters),
        icc_2_k_ci=None if ci is None else (_step_up(ci[0], raters), _step_up(ci[1], raters)),
        raters=raters,
        items=len(per_item),
        method="REML",
    )


def _step_up(icc: float, raters: float) -> float:
    """Return the reliability of the mean of so many raters (Spearman and Brown)."""
    return raters * icc / (1 + (raters - 1) * icc)


def _method_means(ratings: RatingTable) -> Floats:
    """Return each evaluator's mean of each method, (E, M), NaN where they rated none of it."""
    shape = (len(ratings.evaluators), len(ratings.methods))
    place = ratings.evaluator * shape[1] + ratings.method
    counts = np.bincount(place, minlength=shape[0] * shape[1])
    sums = np.bincount(place, ratings.score, shape[0] * shape[1])
    means: Floats = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return means.reshape(shape)
