"""May a judge be trusted: golden numbers of the design and of second implementations, and what bad input does."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import scipy

from stats.conftest import REFERENCE
from stats.judges.agreement import (
    correlations,
    judge_p_greater,
    kappas,
    soft_pairwise_accuracy,
    unweighted_kappas,
    weighted_kappa,
)
from stats.judges.alternative import alternative_annotator_test, benjamini_yekutieli
from stats.judges.checks import Judged, judge_checks
from stats.judges.rates import corrected_rate
from stats.judges.scores import ANY, JudgeScores
from stats.judges.tests.cast import rng, scores_of, study
from stats.ratings.table import RatingTable

A, B, C = [1, 2, 3, 4, 5, 3, 2, 4], [1, 3, 3, 4, 4, 3, 2, 5], [2, 2, 4, 4, 5, 2, 1, 4]
TINY = np.array([A, B, C], dtype=np.float64)
TINY_JUDGE = np.array([1, 2, 3, 4, 5, 3, 2, 5], dtype=np.float64)


def test_the_alternative_annotator_test_gives_the_case_of_the_design() -> None:
    found = alternative_annotator_test(TINY, TINY_JUDGE, epsilon=0.2, fewest_texts=1)
    assert (found.omega, found.rho, found.evaluators) == (1.0, 1.0, 3)
    assert found.passed


def test_the_alternative_annotator_test_is_that_of_its_paper_written_out() -> None:
    table, truth = study()
    ratings = np.full((8, 120), np.nan)
    ratings[table.evaluator, table.text] = table.score
    judge = np.clip(np.rint(truth.ravel() + 0.5), 1, 5)
    p_values, rho = [], []
    for j in range(8):
        others = np.delete(ratings, j, axis=0)
        own, its = (-np.sqrt(((x - others) ** 2).mean(axis=0)) for x in (ratings[j], judge))
        d = (own >= its).astype(float) - (its >= own)
        p_values.append(scipy.stats.ttest_1samp(d, 0.15, alternative="less").pvalue)
        rho.append((its >= own).mean())
    adjusted = scipy.stats.false_discovery_control(p_values, method="by")
    found = alternative_annotator_test(ratings, judge, epsilon=0.15)
    assert found.omega == pytest.approx((adjusted <= 0.05).mean())
    assert found.rho == pytest.approx(np.mean(rho))
    by_prompt = alternative_annotator_test(ratings, judge, epsilon=0.15, prompts=np.arange(120) // 3)
    assert by_prompt.rho == pytest.approx(found.rho) and by_prompt.omega is not None


def test_a_judge_far_off_fails_the_test_and_categories_are_compared_by_the_share_who_say_the_same() -> None:
    found = alternative_annotator_test(TINY, np.full(8, 9.0), fewest_texts=1)
    assert found.omega == 0.0 and not found.passed
    kinds = alternative_annotator_test(TINY, np.array(A, dtype=float), is_categorical=True, fewest_texts=1)
    assert kinds.rho is not None and kinds.rho > 0.5


def test_too_few_evaluators_or_shared_texts_leave_the_test_out_and_name_the_reason() -> None:
    assert alternative_annotator_test(TINY[:2], TINY_JUDGE, fewest_texts=1).refusal == "few evaluators"
    found = alternative_annotator_test(TINY, TINY_JUDGE)
    assert found.refusal == "few texts" and found.omega is None


def test_where_nothing_varies_the_mean_alone_decides_and_is_counted() -> None:
    same = np.tile(np.array(A, dtype=float), (3, 1))
    found = alternative_annotator_test(same, same[0], epsilon=0.2, fewest_texts=1)
    assert found.without_spread == 3 and found.omega == 1.0


def test_rejections_under_dependence_are_those_of_scipy() -> None:
    p_values = np.array([0.001, 0.02, 0.004, 0.3, 0.0099])
    theirs = scipy.stats.false_discovery_control(p_values, method="by") <= 0.05
    assert benjamini_yekutieli(p_values).tolist() == theirs.tolist()


def test_quadratic_kappa_is_that_of_the_design() -> None:
    counts = np.array([[22, 6, 2, 0], [5, 18, 7, 1], [1, 6, 16, 5], [0, 2, 4, 15]])
    x, y = (np.repeat(one.ravel(), counts.ravel()).astype(float) for one in np.indices((4, 4)))
    assert weighted_kappa(x, y) == pytest.approx(0.7735644637)
    assert weighted_kappa(x, np.ones(len(x))) is None


def test_unweighted_kappa_is_that_of_the_design() -> None:
    counts = np.array([[22, 6, 2, 0], [5, 18, 7, 1], [1, 6, 16, 5], [0, 2, 4, 15]])
    x, y = (np.repeat(one.ravel(), counts.ravel()).astype(float) for one in np.indices((4, 4)))
    both = unweighted_kappas(x[np.newaxis, :, np.newaxis], y[:, np.newaxis], rng())
    assert both is not None
    assert both[0].value == pytest.approx(0.5241264559)
    assert both[0].ci is not None and both[0].ci[0] < 0.5241 < both[0].ci[1]


def test_scores_that_are_no_points_have_no_unweighted_kappa() -> None:
    ratings = np.tile(np.arange(1.0, 6.0), (3, 1))[:, :, np.newaxis]
    means = ratings[0] + 0.5
    found = unweighted_kappas(ratings, means, rng())
    assert found is not None
    assert (found[0].value, found[1].value) == (None, 1.0)
    assert unweighted_kappas(np.arange(60.0).reshape(2, 30, 1), np.zeros((30, 1)), rng()) is None


def test_kappas_of_judge_and_evaluators_are_means_over_pairs_with_intervals() -> None:
    table, truth = study()
    ratings = np.full((8, 40, 3), np.nan)
    ratings[table.evaluator, table.prompt, table.method] = table.score
    ratings[2, :5] = np.nan
    judge = np.clip(np.rint(truth), 1, 5)
    found, own = kappas(ratings, judge, rng())
    each = []
    for one in ratings:
        both = ~np.isnan(one)
        kappa = weighted_kappa(one[both], judge[both])
        assert kappa is not None
        each.append(kappa)
    assert found.value == pytest.approx(np.mean(each))
    assert found.n == 8 and own.n == 28
    assert found.value is not None and found.ci is not None
    assert found.ci[0] < found.value < found.ci[1]


def test_a_corrected_rate_is_that_of_the_published_example() -> None:
    found = corrected_rate(0.4, 0.7, 0.9, n=1000, m0=200, m1=200)
    assert found.estimate == pytest.approx(0.1666666667)
    assert found.ci == pytest.approx((0.0563507248, 0.2627330258))


def test_a_judge_no_better_than_chance_gives_no_corrected_rate() -> None:
    assert corrected_rate(0.4, 0.5, 0.55, n=1000, m0=200, m1=200).estimate is None


def test_correlations_are_rank_correlations_at_three_levels_and_one_of_means_of_methods() -> None:
    table, truth = study()
    people = np.zeros((40, 3))
    np.add.at(people, (table.prompt, table.method), table.score / 8)
    judge = truth + rng().normal(size=truth.shape)
    found = correlations(people, judge, rng())
    assert found["texts"].value == pytest.approx(scipy.stats.spearmanr(judge.ravel(), people.ravel())[0])
    within = scipy.stats.spearmanr(
        *(np.round(one - one.mean(1, keepdims=True), 9).ravel() for one in (judge, people))
    )[0]
    assert found["within prompts"].value == pytest.approx(within)
    assert found["prompts"].value == pytest.approx(scipy.stats.spearmanr(judge.mean(1), people.mean(1))[0])
    assert found["methods"].value == pytest.approx(np.corrcoef(judge.mean(0), people.mean(0))[0, 1])
    value, ci = found["texts"].value, found["texts"].ci
    assert value is not None and ci is not None
    assert ci[0] < value < ci[1]
    assert all(measure.value is None for measure in correlations(people, np.ones((40, 3)), rng()).values())


def test_soft_pairwise_accuracy_is_one_less_the_mean_gap_of_p_values() -> None:
    assert soft_pairwise_accuracy([(0.01, 0.2), (0.5, 0.4)]) == pytest.approx(1 - (0.19 + 0.1) / 2)
    assert soft_pairwise_accuracy([]) is None
    values = np.array([0.2, 1.0, -0.3, 0.7, np.nan])
    theirs = scipy.stats.ttest_1samp(values[:4], 0, alternative="greater").pvalue
    assert judge_p_greater(values) == pytest.approx(theirs)
    assert judge_p_greater(np.zeros(4)) == 0.5
    assert judge_p_greater(np.ones(1)) is None


def test_a_good_judge_may_stand_in_and_a_poor_one_is_of_no_use() -> None:
    table, truth = study(evaluators=10, prompts=60)
    good = judge_checks(table, Judged("good", scores_of(np.clip(np.rint(truth), 1, 5))), "overall", rng())
    assert good is not None and good.verdict == "may stand in"
    assert good.kappa is not None and good.kappa.value is not None and good.kappa.value > 0.5
    noise = np.random.default_rng(1).integers(1, 6, size=truth.shape).astype(float)
    poor = judge_checks(table, Judged("poor", scores_of(noise)), "overall", rng())
    assert poor is not None and poor.verdict == "of no use"
    # A metric is on no scale and of no criterion: it can narrow intervals alone.
    metric = judge_checks(table, Judged("metric", scores_of(truth / 100, criterion=ANY)), "overall", rng())
    assert metric is not None and metric.verdict == "may narrow intervals" and metric.kappa is None
    names = [row["check"] for row in metric.as_dict()["checks"]]
    assert "correlation.within prompts" in names and "kappa" not in names


def test_a_constant_judge_has_undefined_measures_and_not_nought() -> None:
    table, _ = study()
    found = judge_checks(table, Judged("flat", scores_of(np.full((40, 3), 3.0))), "overall", rng())
    assert found is not None and found.constant and found.kappa is None
    assert found.correlations["texts"].value is None
    assert found.verdict == "of no use"


def test_chosen_prompts_give_no_combined_estimate() -> None:
    table, truth = study()
    rest = np.vstack([truth, truth[:20]])
    drawn = judge_checks(table, Judged("drawn", scores_of(rest)), "overall", rng())
    chosen = judge_checks(table, Judged("chosen", scores_of(rest), was_drawn=False), "overall", rng())
    assert drawn is not None and drawn.combined[0].mean.combined is not None
    assert chosen is not None and chosen.combined[0].mean.refusal == "chosen"
    assert drawn.combined[0].mean.as_dict()["prompts_unrated"] == 20


def test_yes_and_no_have_corrected_rates_by_method() -> None:
    table, truth = study(maximum=2)
    binary = np.where(truth > 3, 2.0, 1.0)
    table = RatingTable(
        **{**vars(table), "score": np.where(truth[table.prompt, table.method] > 3.1, 2.0, 1.0)}
    )
    found = judge_checks(table, Judged("yes", scores_of(binary)), "overall", rng())
    assert found is not None and set(found.rates) == {"x", "y", "z"}
    rate = found.rates["x"].estimate
    assert rate is not None and rate == pytest.approx((truth[:, 0] > 3.1).mean(), abs=0.05)


def test_an_evaluator_is_compared_from_thirty_shared_texts_on() -> None:
    ratings = np.tile(np.arange(30.0) % 5, (3, 1))
    assert alternative_annotator_test(ratings, ratings[0]).omega == 1.0
    assert alternative_annotator_test(ratings[:, :29], ratings[0, :29]).refusal == "few texts"


def test_scores_of_a_criterion_come_before_those_of_none() -> None:
    own, other = scores_of(np.ones((5, 2))), scores_of(np.full((5, 2), 9.0), criterion=ANY)
    names = ("prompt", "method", "criterion", "score", "repeat", "position")
    joined: dict[str, Any] = {name: np.append(getattr(own, name), getattr(other, name)) for name in names}
    both = JudgeScores(**joined, prompts=own.prompts, methods=2)
    assert set(both.of_criterion(0).score) == {1.0} and set(both.of_criterion(1).score) == {9.0}


def test_a_judge_who_fails_a_probe_may_not_stand_in_however_near_it_is() -> None:
    table, truth = study(evaluators=10, prompts=60)
    near = scores_of(np.clip(np.rint(truth), 1, 5))
    nothing: Any = {"overall": {"empty text": np.full(10, 5.0)}}
    found = judge_checks(table, Judged("near", near, nothing=nothing), "overall", rng())
    assert found is not None and found.by_prompt is not None and found.by_prompt.passed
    assert found.failed_probes == ("empty text",) and found.verdict == "may narrow intervals"


def test_the_slope_of_a_metric_is_that_of_its_deviations_whatever_its_unit() -> None:
    table, truth = study()
    small, large = (
        judge_checks(table, Judged("metric", scores_of(truth * unit, criterion=ANY)), "overall", rng())
        for unit in (0.01, 100.0)
    )
    assert small is not None and large is not None and small.slope.value is not None
    assert small.slope.value == pytest.approx(large.slope.value)
    people = np.zeros((40, 3))
    np.add.at(people, (table.prompt, table.method), table.score / 8)
    x, y = (one - one.mean(axis=1, keepdims=True) for one in (truth, people))
    x = x / x.std()
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    assert small.slope.value == pytest.approx((x * y).sum() / (x * x).sum())
    assert small.slope.ci is not None and small.slope.ci[0] < small.slope.value < small.slope.ci[1]


def test_texts_on_which_evaluators_are_even_say_nothing_of_sensitivity() -> None:
    table, truth = study(evaluators=2, maximum=2)
    yes = truth > 3.0
    score = np.where(yes[table.prompt, table.method], 2.0, 1.0)
    # On the first ten prompts the two evaluators are of different minds, and the judge says yes.
    split = table.prompt < 10
    score[split] = 1.0 + table.evaluator[split]
    own = np.where(yes, 2.0, 1.0)
    own[:10] = 2.0
    found = judge_checks(
        RatingTable(**{**vars(table), "score": score}), Judged("yes", scores_of(own)), "overall", rng()
    )
    assert found is not None
    assert {(rate.sensitivity, rate.specificity) for rate in found.rates.values()} == {(1.0, 1.0)}


def test_a_criterion_that_the_judge_has_no_score_on_has_no_checks() -> None:
    table, truth = study()
    assert judge_checks(table, Judged("other", scores_of(truth, criterion=1)), "overall", rng()) is None


@pytest.mark.skipif(not REFERENCE.exists(), reason="needs ../shared/reference")
def test_the_examples_of_the_design_are_those_in_its_file() -> None:
    golden = json.loads((REFERENCE / "golden_examples.json").read_text())
    rate = golden["corrected_rate"]
    found = corrected_rate(**rate["input"])
    assert found.ci == pytest.approx(tuple(rate["ours"]["ci"]))
    tiny = golden["alt_test_tiny"]
    test = alternative_annotator_test(
        np.array(list(tiny["humans"].values()), dtype=float),
        np.array(tiny["judge"], dtype=float),
        epsilon=tiny["eps"],
        fewest_texts=tiny["least"],
    )
    assert [test.omega, test.rho, test.evaluators] == tiny["winning_rate_advantage_humans"]
