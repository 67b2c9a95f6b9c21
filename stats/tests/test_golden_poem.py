"""Every method on the published poem study against numbers made beforehand, R's lme4 among them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stats.agreement import agreement
from stats.analysis import Analysis, analyse
from stats.conftest import METHODS
from stats.mixed import crossed_mean
from stats.quality import evaluator_quality
from stats.ranking import bradley_terry, page_wins
from stats.reml import fit_crossed_reml
from stats.scores import Floats, ScoreTable
from stats.significance import Comparison, equivalence_within, holm

CLOSED_FORM = 1e-9  # as in the meta of the golden numbers
LME4 = 1e-4


@pytest.fixture(scope="module")
def analysis(poem: ScoreTable) -> Analysis:
    return analyse(poem, primary="overall", rng=np.random.default_rng(20210614), margins={"overall": 0.5})


@pytest.fixture(scope="module")
def pairs(analysis: Analysis, golden: Any) -> list[tuple[Comparison, Any]]:
    """Return every comparison with its golden numbers, turned where the golden pair is the other way round."""
    found = []
    for criterion, numbers in golden["tasks"]["poem"]["pairs"].items():
        for pair in numbers.values():
            comparison = analysis.comparison(criterion.lower(), METHODS[pair["a"]], METHODS[pair["b"]])
            found.append((comparison, pair))
    assert len(found) == len(analysis.comparisons) == 30
    return found


def close(value: float | None, expected: float, tolerance: float = CLOSED_FORM) -> bool:
    return value == pytest.approx(expected, rel=tolerance, abs=1e-12)


def differences(table: ScoreTable, a: str, b: str, criterion: str = "overall") -> Floats:
    ratings = table.for_criterion(criterion)
    return ratings[..., table.methods.index(b)] - ratings[..., table.methods.index(a)]


def test_crossed_random_effects_are_the_golden_ones(pairs: list[tuple[Comparison, Any]]) -> None:
    for comparison, pair in pairs:
        crossed, expected = comparison.crossed, pair["crossed"]
        assert crossed.variance is not None and crossed.ci is not None
        assert close(crossed.estimate, expected["est"])
        assert close(crossed.se, expected["se"])
        assert close(crossed.df, expected["df"])
        assert close(crossed.t, expected["t"])
        assert close(crossed.p, expected["p_two"])
        assert close(crossed.p_value(alternative="greater"), expected["p_greater"])
        assert close(crossed.ci[0], expected["ci"][0])
        assert close(crossed.ci[1], expected["ci"][1])
        assert close(crossed.variance.evaluator, expected["var_evaluator"])
        assert close(crossed.variance.prompt, expected["var_prompt"])
        assert close(crossed.variance.residual, expected["var_resid"])
        assert close(comparison.p_holm, pair["holm_crossed_p_two"])


def test_reml_on_complete_data_is_that_of_lme4(pairs: list[tuple[Comparison, Any]], poem: ScoreTable) -> None:
    for comparison, pair in pairs:
        fit = fit_crossed_reml(differences(poem, comparison.a, comparison.b, comparison.criterion))
        expected = pair["crossed_lme4_REML_satterthwaite"]
        assert fit is not None
        assert close(fit.estimate, expected["est"], LME4)
        assert close(fit.se, expected["se"], LME4)
        assert close(fit.df, expected["df"], LME4)
        assert close(fit.variances[0], expected["var_e"], LME4)
        assert close(fit.variances[1], expected["var_p"], LME4)
        assert close(fit.variances[2], expected["var_res"], LME4)


@pytest.mark.parametrize("name", ["60% mask", "lopsided", "40%"])
def test_reml_with_missing_cells_is_that_of_lme4(name: str, poem: ScoreTable, golden: Any) -> None:
    e, p = np.ogrid[:10, :100]
    kept = {
        "60% mask": (7 * e + 3 * p) % 5 < 3,
        "lopsided": p < 20 + 80 * (10 - e) // 10,
        "40%": (31 * e * e + 17 * p * p + e * p) % 10 < 4,
    }[name]
    mean = crossed_mean(np.where(kept, differences(poem, "jiuge", "inverse_prompting_st"), np.nan))
    expected = golden["unbalanced_lme4_REML"]["values"][f"poem|{name}"]
    assert mean.method == "REML"
    assert close(mean.estimate, expected["est"], LME4)
    assert close(mean.se, expected["se"], LME4)
    assert close(mean.df, expected["df"], LME4)
    assert close(mean.p, expected["p"], LME4)


def test_probability_of_superiority_is_the_golden_one(pairs: list[tuple[Comparison, Any]]) -> None:
    for comparison, pair in pairs:
        superiority, expected = comparison.superiority, pair["effect"]
        assert superiority.ci is not None
        assert close(superiority.estimate, expected["prob_superiority"])
        assert close(superiority.crossed.se, expected["prob_superiority_crossed_se"])
        assert close(superiority.ci[0], expected["prob_superiority_crossed_ci"][0])
        assert close(superiority.ci[1], expected["prob_superiority_crossed_ci"][1])
        assert close(superiority.crossed.p_value(0.5), expected["prob_superiority_crossed_p_two"])
        shares = superiority.wins, superiority.ties, superiority.losses
        assert shares == pytest.approx((expected["win"], expected["tie"], expected["loss"]), rel=1e-12)


def test_effect_sizes_are_the_golden_ones(pairs: list[tuple[Comparison, Any]]) -> None:
    for comparison, pair in pairs:
        effect, expected = comparison.effect, pair["effect"]
        assert close(effect.d_total, expected["d_total"])
        assert close(effect.d_z_evaluators, expected["dz_evaluators"])
        assert close(effect.d_z_prompts, expected["dz_prompts"])
        assert effect.evaluators_favouring_b == expected["evaluators_favoring_b"]
        assert effect.evaluators_tied == expected["evaluators_tied"]
        assert effect.prompts_favouring_b == expected["prompts_favoring_b"]
        assert effect.prompts_tied == expected["prompts_tied"]


def test_cluster_robust_errors_are_the_golden_ones(pairs: list[tuple[Comparison, Any]]) -> None:
    for comparison, pair in pairs:
        robust, expected = comparison.robustness.cluster_robust, pair["two_way_cluster_robust"]
        assert robust is not None and robust.ci is not None
        assert close(robust.se, expected["se"])
        assert close(robust.t, expected["t"])
        assert robust.df == expected["df"]
        assert close(robust.p, expected["p_two"])
        assert close(robust.ci[0], expected["ci"][0])
        assert close(robust.se_first, expected["se_evaluator_only"])
        assert close(robust.se_second, expected["se_prompt_only"])
        assert close(robust.se_iid, expected["se_iid"])


def test_exact_tests_are_the_golden_ones(pairs: list[tuple[Comparison, Any]]) -> None:
    for comparison, pair in pairs:
        robustness, wilcoxon = comparison.robustness, pair["wilcoxon_evaluators_exact"]
        assert robustness.sign_flip_evaluators is not None
        assert robustness.sign_flip_prompts is not None
        assert robustness.wilcoxon_evaluators is not None
        for test, expected in (
            (robustness.sign_flip_evaluators, pair["signflip_evaluators_exact"]),
            (robustness.sign_flip_prompts, pair["signflip_prompts_exact"]),
            (robustness.wilcoxon_evaluators, wilcoxon),
        ):
            assert close(test.p, expected["p_two"], 1e-12)
            assert close(test.p_greater, expected["p_greater"], 1e-12)
        assert robustness.wilcoxon_evaluators.statistic == wilcoxon["W_plus"]


def test_bootstrap_is_within_five_percent_of_the_golden_error(pairs: list[tuple[Comparison, Any]]) -> None:
    for comparison, pair in pairs:
        bootstrap, expected = comparison.robustness.bootstrap, pair["pigeonhole_bootstrap"]
        assert bootstrap is not None
        assert bootstrap.se == pytest.approx(expected["se"], rel=0.05)
        # An end of 10,000 resamples has itself a Monte Carlo error of .027 se, on either side.
        assert bootstrap.ci == pytest.approx(expected["ci"], abs=max(0.03, 0.08 * bootstrap.se))


def test_holm_is_the_golden_one_for_every_family_of_p_values(golden: Any) -> None:
    for pairs in golden["tasks"]["poem"]["pairs"].values():
        for source, adjusted in (
            ("paired_t_evaluators", "holm_paired_t_evaluators_p_two"),
            ("signflip_evaluators_exact", "holm_signflip_evaluators_p_two"),
        ):
            assert holm([pair[source]["p_two"] for pair in pairs.values()]) == pytest.approx(
                [pair[adjusted] for pair in pairs.values()], rel=1e-12
            )


def test_leaving_one_evaluator_out_gives_the_golden_p_values(analysis: Analysis, golden: Any) -> None:
    comparison = analysis.comparison("overall", "jiuge", "inverse_prompting_st")
    expected = golden["extra"]["poem"]["leave_one_evaluator_out_crossed_p"]
    assert comparison.leave_one_out.p_values == pytest.approx(tuple(expected.values()), rel=CLOSED_FORM)


def test_key_pair_with_zeros_missing_is_the_golden_one(poem: ScoreTable, golden: Any) -> None:
    expected = golden["extra"]["poem"]["zeros_missing_key_pair"]
    table = poem.with_off_scale_missing()
    mean = crossed_mean(differences(table, "jiuge", "inverse_prompting_st"))
    assert mean.cells == expected["n_cells"]
    for value, name in ((mean.estimate, "est"), (mean.se, "se"), (mean.df, "df"), (mean.p, "p_two")):
        assert close(value, expected[name])


def test_equivalence_is_the_golden_one(analysis: Analysis, golden: Any) -> None:
    comparison = analysis.comparison("overall", "jiuge", "inverse_prompting_st")
    for margin in (0.5, 1.0):
        test = equivalence_within(comparison.crossed, margin)
        expected = golden["extra"]["poem"][f"tost_{margin}"]
        assert close(test.p, expected["p"])
        assert test.ci == pytest.approx(expected["ci90"], rel=CLOSED_FORM)
        assert not test.is_comparable
    assert comparison.equivalence == equivalence_within(comparison.crossed, 0.5)


def test_means_with_intervals_are_the_golden_ones(analysis: Analysis, golden: Any) -> None:
    means = {(mean.method, mean.criterion): mean for mean in analysis.means}
    for tag, cells in golden["tasks"]["poem"]["cells"].items():
        for criterion, expected in cells.items():
            mean = means[METHODS[tag], criterion.lower()]
            assert mean.crossed.ci is not None
            assert close(mean.crossed.estimate, expected["mean"])
            assert close(mean.crossed.se, expected["crossed_se"])
            assert close(mean.crossed.df, expected["crossed_df"])
            assert close(mean.crossed.ci[0], expected["crossed_ci95"][0])
            assert close(mean.deviation, expected["raw_sd_ddof1"])
            assert dict(mean.counts).get(0.0, 0) == expected["zeros"]


def test_best_picks_are_the_golden_ones(analysis: Analysis, golden: Any) -> None:
    picks = {pick.method: pick for pick in analysis.picks}
    for tag, expected in golden["tasks"]["poem"]["best_pick"].items():
        pick = picks[METHODS[tag]]
        assert pick.crossed.ci is not None
        assert pick.count == expected["count"]
        assert close(pick.crossed.estimate, expected["share"])
        assert close(pick.crossed.se, expected["crossed_se"])
        assert close(pick.crossed.df, expected["crossed_df"])
        assert close(pick.crossed.ci[0], expected["crossed_ci"][0])


def test_agreement_is_the_golden_one(analysis: Analysis, poem: ScoreTable, golden: Any) -> None:
    for measures in analysis.agreement:
        expected = golden["tasks"]["poem"]["agreement"][measures.criterion.capitalize()]
        icc, concordance = measures.icc, measures.kendall_w
        assert icc is not None and concordance is not None and measures.kendall_w_methods is not None
        assert close(measures.alpha_nominal, expected["krippendorff_nominal"])
        assert close(measures.alpha_ordinal, expected["krippendorff_ordinal"])
        assert close(measures.alpha_interval, expected["krippendorff_interval"])
        assert close(icc.icc_2_1, expected["icc"]["ICC2"])
        assert close(icc.icc_2_k, expected["icc"]["ICC2k"])
        assert icc.icc_2_1_ci == pytest.approx(expected["icc"]["ICC2_ci95"], rel=CLOSED_FORM)
        assert icc.icc_2_k_ci == pytest.approx(expected["icc"]["ICC2k_ci95"], rel=CLOSED_FORM)
        assert close(concordance.w, expected["kendall_w_texts"]["W"])
        assert close(concordance.chi2, expected["kendall_w_texts"]["chi2"])
        assert close(concordance.p, expected["kendall_w_texts"]["p"])
        assert close(measures.kendall_w_methods.w, expected["kendall_w_method_means"]["W"])
        assert close(measures.kendall_w_within_prompt, expected["kendall_w_per_prompt_mean"])

        without = agreement(poem.with_off_scale_missing(), measures.criterion)
        assert close(without.alpha_ordinal, expected["krippendorff_ordinal_zeros_missing"])
        assert close(without.alpha_interval, expected["krippendorff_interval_zeros_missing"])


def test_bradley_terry_is_the_golden_one(poem: ScoreTable, analysis: Analysis, golden: Any) -> None:
    expected = golden["bradley_terry_overall"]["poem"]
    overall = poem.for_criterion("overall")
    wins = page_wins(overall, "drop").sum(axis=(0, 1))
    assert wins.tolist() == expected["wins"]
    assert bradley_terry(wins).strengths == pytest.approx(expected["bt_ties_dropped"], rel=CLOSED_FORM)
    halves = bradley_terry(page_wins(overall, "half").sum(axis=(0, 1)))
    assert halves.strengths == pytest.approx(expected["bt_ties_half"], rel=CLOSED_FORM)

    assert analysis.ranking is not None and analysis.ranking_by_rating is not None
    by_pick = {method.method: method.strength for method in analysis.ranking.methods}
    assert [by_pick[method] for method in METHODS.values()] == pytest.approx(
        expected["pl_top1_from_best_pick"], rel=CLOSED_FORM
    )
    # 400 resamples leave the golden errors 4 % off; the sandwich is another estimator besides.
    errors = {method.method: method.se for method in analysis.ranking_by_rating.methods}
    assert [errors[method] for method in METHODS.values()] == pytest.approx(
        expected["bt_two_way_bootstrap_se_400_seed0"], rel=0.12
    )


def test_quality_of_evaluators_is_the_golden_one(
    poem: ScoreTable, all_poem_records: ScoreTable, golden: Any
) -> None:
    expected_r = golden["extra"]["poem"]["loo_correlation_overall"]
    for quality in evaluator_quality(poem, "overall"):
        assert close(quality.leave_one_out_r, expected_r[quality.evaluator])
    everyone = evaluator_quality(all_poem_records, "overall")
    assert {quality.evaluator: quality.pages_inconsistent for quality in everyone} == {
        name: numbers["inconsistent"] for name, numbers in golden["tasks"]["poem"]["validity"].items()
    }
    assert sum(quality.off_scale for quality in everyone) == 14
