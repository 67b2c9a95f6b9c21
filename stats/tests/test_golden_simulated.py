"""Every method on a simulated study against other implementations; `stats/golden/make.py` made the numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stats.agreement import agreement
from stats.analysis import Analysis, analyse
from stats.cluster import two_way_table_mean
from stats.exact import sign_flip, whole_numbers, wilcoxon_signed_rank
from stats.game.selection import first_game_shares, selection_rate
from stats.mixed import VarianceComponents, crossed_mean
from stats.power import planned_power
from stats.ranking import Ranking
from stats.ratings.cells import Cells
from stats.resampling import pigeonhole_bootstrap
from stats.scores import Floats
from stats.sequences import beta_mixture_log_e
from stats.significance import holm
from stats.tests.golden.study import simulated_game, simulated_study, simulated_study_with_missing

GOLDEN = json.loads(Path(__file__).with_name("golden").joinpath("simulated.json").read_text(encoding="utf-8"))
TABLES = {"complete": simulated_study(), "missing": simulated_study_with_missing()}
PAIRS = [
    pytest.param(name, pair, id=f"{name} {pair['criterion']} {pair['b']} - {pair['a']}")
    for name in TABLES
    for pair in GOLDEN[name]["pairs"]
]
# MixedLM stops its search at three digits, and the dense REML differentiates by steps of .0003.
MIXED_LM, DENSE_REML, EXACT = 5e-3, 1e-4, 1e-9


def differences(name: str, pair: Any) -> Floats:
    table = TABLES[name]
    ratings = table.for_criterion(pair["criterion"])
    return ratings[..., table.methods.index(pair["b"])] - ratings[..., table.methods.index(pair["a"])]


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyse(TABLES["complete"], primary="overall", rng=np.random.default_rng(1), resamples=200)


@pytest.mark.parametrize("name", TABLES)
def test_study_is_the_one_the_numbers_were_made_on(name: str) -> None:
    scores = TABLES[name].scores
    weights = np.arange(scores.size).reshape(scores.shape)
    assert float(np.nansum(scores * weights)) == GOLDEN[name]["checksum"]


@pytest.mark.parametrize(("name", "pair"), PAIRS)
def test_crossed_mean_agrees_with_two_other_fits(name: str, pair: Any) -> None:
    mean = crossed_mean(differences(name, pair))
    assert mean.method == ("closed form" if name == "complete" else "REML")
    assert mean.variance is not None
    expected = pair["dense_reml"]
    for value, key in ((mean.estimate, "estimate"), (mean.se, "se"), (mean.df, "df"), (mean.p, "p")):
        assert value == pytest.approx(expected[key], rel=DENSE_REML)
    for other, tolerance in ((pair["dense_reml"], DENSE_REML), (pair["mixed_lm"], MIXED_LM)):
        assert mean.estimate == pytest.approx(other["estimate"], rel=tolerance)
        assert mean.se == pytest.approx(other["se"], rel=tolerance)
        assert mean.variance.evaluator == pytest.approx(other["evaluator"], rel=tolerance, abs=1e-3)
        assert mean.variance.prompt == pytest.approx(other["prompt"], rel=tolerance, abs=1e-3)
        assert mean.variance.residual == pytest.approx(other["residual"], rel=tolerance)


@pytest.mark.parametrize(("name", "pair"), PAIRS)
def test_probability_of_superiority_agrees_with_a_dense_fit(name: str, pair: Any) -> None:
    mean = crossed_mean((np.sign(differences(name, pair)) + 1) / 2)
    for value, key in ((mean.estimate, "estimate"), (mean.se, "se"), (mean.df, "df")):
        assert value == pytest.approx(pair["superiority_reml"][key], rel=DENSE_REML)


@pytest.mark.parametrize(("name", "pair"), PAIRS)
def test_cluster_robust_error_is_that_of_statsmodels(name: str, pair: Any) -> None:
    robust = two_way_table_mean(differences(name, pair))
    assert robust is not None
    assert robust.estimate == pytest.approx(pair["cluster_robust"]["estimate"], rel=EXACT)
    assert robust.se == pytest.approx(pair["cluster_robust"]["se"], rel=EXACT)


@pytest.mark.parametrize(("name", "pair"), PAIRS)
def test_exact_tests_are_those_of_full_enumeration(name: str, pair: Any) -> None:
    values = differences(name, pair)
    by_evaluator = whole_numbers(np.nansum(values, axis=1))
    by_prompt = whole_numbers(np.nansum(values, axis=0))
    assert by_evaluator is not None and by_prompt is not None
    for test, key in (
        (sign_flip(by_evaluator), "sign_flip_evaluators"),
        (sign_flip(by_prompt), "sign_flip_prompts"),
        (wilcoxon_signed_rank(by_evaluator), "wilcoxon_evaluators"),
    ):
        assert test.p == pytest.approx(pair[key]["p"], rel=1e-12)
        assert test.p_greater == pytest.approx(pair[key]["p_greater"], rel=1e-12)


@pytest.mark.parametrize("name", TABLES)
def test_bootstrap_is_within_five_percent_of_a_plain_loop(name: str) -> None:
    pairs = GOLDEN[name]["pairs"]
    found = pigeonhole_bootstrap(
        [Cells.of_table(differences(name, pair)) for pair in pairs],
        evaluators=9,
        prompts=12,
        rng=np.random.default_rng(3),
        resamples=20_000,
    )
    for bootstrap, pair in zip(found, pairs, strict=True):
        assert bootstrap is not None
        assert bootstrap.se == pytest.approx(pair["bootstrap"]["se"], rel=0.05)
        assert bootstrap.ci == pytest.approx(pair["bootstrap"]["ci"], abs=0.1 * bootstrap.se)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("criterion", ["quality", "overall"])
def test_agreement_is_that_of_other_packages(name: str, criterion: str) -> None:
    measures = agreement(TABLES[name], criterion)
    expected = GOLDEN[name]["agreement"][criterion]
    assert measures.alpha_nominal == pytest.approx(expected["alpha_nominal"], rel=EXACT)
    assert measures.alpha_ordinal == pytest.approx(expected["alpha_ordinal"], rel=EXACT)
    assert measures.alpha_interval == pytest.approx(expected["alpha_interval"], rel=EXACT)
    assert measures.icc is not None
    if name == "missing":
        assert measures.icc.icc_2_1 == pytest.approx(expected["icc_2_1"], rel=DENSE_REML)
        assert measures.icc.icc_2_1_ci == pytest.approx(expected["icc_2_1_ci"], rel=DENSE_REML)
        return
    assert measures.icc.icc_2_1 == pytest.approx(expected["icc_2_1"], rel=EXACT)
    assert measures.icc.icc_2_k == pytest.approx(expected["icc_2_k"], rel=EXACT)
    assert measures.kendall_w is not None
    assert measures.kendall_w.w == pytest.approx(expected["kendall_w"], rel=EXACT)


def test_holm_is_that_of_statsmodels() -> None:
    assert holm(GOLDEN["holm"]["p"]) == pytest.approx(GOLDEN["holm"]["adjusted"], rel=1e-12)


@pytest.mark.parametrize("source", ["picks", "ratings"])
def test_bradley_terry_is_a_logistic_regression_with_clustered_errors(
    source: str, analysis: Analysis
) -> None:
    ranking: Ranking | None = analysis.ranking if source == "picks" else analysis.ranking_by_rating
    assert ranking is not None
    by_method = {method.method: method for method in ranking.methods}
    methods = [by_method[key] for key in TABLES["complete"].methods]
    expected = GOLDEN["ranking"][source]
    assert [method.strength for method in methods] == pytest.approx(expected["strengths"], rel=EXACT)
    assert [method.se for method in methods] == pytest.approx(expected["se"], rel=1e-6)


def test_position_effects_are_those_of_least_squares_with_page_dummies(analysis: Analysis) -> None:
    position, expected = analysis.position, GOLDEN["position"]
    assert position is not None and position.ratings_test is not None
    assert position.effects == pytest.approx(expected["effects"], rel=EXACT)
    assert position.effect_errors == pytest.approx(expected["effect_errors"], rel=EXACT)
    assert position.ratings_test.f == pytest.approx(expected["f"], rel=EXACT)
    first_two = position.adjusted_differences[0]
    assert (first_two.a, first_two.b) == ("first", "second")
    assert first_two.estimate == pytest.approx(expected["second_minus_first"], rel=EXACT)
    assert first_two.se == pytest.approx(expected["second_minus_first_se"], rel=EXACT)


def test_game_is_that_of_other_packages() -> None:
    records, expected = simulated_game(), GOLDEN["game"]
    rate = selection_rate(records.selected, records.players, records.pairs)
    assert (rate.selected, rate.total) == (expected["selected"], expected["total"])
    assert rate.clustered is not None
    assert rate.clustered.se == pytest.approx(expected["se"], rel=EXACT)
    assert rate.wilson == pytest.approx(expected["wilson"], rel=EXACT)
    assert rate.exact_p == pytest.approx(expected["exact_p"], rel=EXACT)
    log_e = beta_mixture_log_e(rate.selected, rate.total, 0.5)
    assert log_e == pytest.approx(expected["log_e"], rel=EXACT)
    assert first_game_shares(records).tolist() == pytest.approx(expected["first_game_shares"])


@pytest.mark.parametrize("expected", GOLDEN["power"])
def test_power_is_that_of_the_noncentral_t(expected: Any) -> None:
    power = planned_power(
        VarianceComponents(expected["s_e"], expected["s_p"], expected["s_r"]),
        evaluators=expected["evaluators"],
        prompts=expected["prompts"],
        effect=expected["effect"],
    )
    assert power is not None
    assert power.power == pytest.approx(expected["power"], rel=1e-8)
    assert power.minimum_detectable_effect == pytest.approx(expected["minimum_detectable_effect"], rel=1e-8)
