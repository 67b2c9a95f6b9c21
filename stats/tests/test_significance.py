"""What a comparison says besides its numbers: when it keeps silent, warns, or depends on the method."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special

from stats.cluster import ClusterRobustMean, two_way_table_mean
from stats.exact import ExactTest, sign_flip, sign_flip_of_means, whole_numbers, wilcoxon_signed_rank
from stats.mixed import CrossedMean, crossed_error, crossed_mean, t_p_value
from stats.ratings.cells import Cells, PairedRatings
from stats.resampling import BootstrapInterval, leave_one_evaluator_out, pigeonhole_bootstrap
from stats.scores import Floats
from stats.significance import Comparison, Robustness, compare, equivalence_within, holm


def ratings(evaluators: int, prompts: int, seed: int = 1) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    a = rng.integers(1, 8, size=(evaluators, prompts)).astype(float)
    return a, a + rng.integers(-1, 4, size=a.shape)


def comparison(a: Floats, b: Floats, **options: Any) -> Comparison:
    return compare(PairedRatings.of_tables(a, b), criterion="overall", a="human", b="cpm", **options)


@pytest.mark.parametrize(
    ("evaluators", "prompts", "warning"), [(5, 40, "few_evaluators"), (40, 9, "few_prompts")]
)
def test_small_study_is_described_and_not_tested(evaluators: int, prompts: int, warning: str) -> None:
    found = comparison(*ratings(evaluators, prompts), margin=3.0)
    assert found.descriptive_only
    assert warning in found.warnings
    assert found.estimate is not None and found.crossed.se is not None and found.variance is not None
    assert (found.crossed.t, found.crossed.p, found.crossed.ci) == (None, None, None)
    assert found.superiority.ci is None and found.superiority.crossed.p is None
    assert found.robustness == Robustness()
    assert found.leave_one_out.p_values == ()
    assert found.equivalence is not None
    assert (found.equivalence.p, found.equivalence.ci, found.equivalence.is_comparable) == (None, None, False)
    assert not found.conclusion_depends_on_method


def test_six_evaluators_and_ten_prompts_are_enough() -> None:
    found = comparison(*ratings(6, 10))
    assert not found.descriptive_only
    assert found.crossed.p is not None
    assert found.robustness.sign_flip_evaluators is not None


def test_few_degrees_of_freedom_are_warned_of() -> None:
    # Mean squares just above the residual's: 1 / (1/5 + 1/9 + 1/45) = 3 degrees of freedom at the least.
    differences = np.random.default_rng(6).integers(-2, 3, size=(6, 10)).astype(float)
    found = comparison(np.zeros((6, 10)), differences)
    assert found.crossed.df is not None and found.crossed.df < 4
    assert found.warnings == ("few_degrees_of_freedom",)
    assert "few_degrees_of_freedom" not in comparison(*ratings(8, 12)).warnings


@pytest.mark.parametrize("difference", [0.0, 2.0])
def test_no_variance_gives_no_p_value(difference: float) -> None:
    a = np.full((8, 12), 3.0)
    found = comparison(a, a + difference)
    assert found.estimate == difference
    assert found.crossed.se == 0
    assert (found.crossed.p, found.crossed.ci, found.p_holm) == (None, None, None)
    assert found.warnings == ("no_variance",)
    assert not found.conclusion_depends_on_method


def test_one_evaluator_has_a_mean_and_no_error() -> None:
    found = comparison(*ratings(1, 30))
    assert found.estimate is not None
    assert (found.crossed.se, found.crossed.df, found.variance) == (None, None, None)


def test_nothing_gives_no_estimate() -> None:
    empty = np.full((8, 12), np.nan)
    found = comparison(empty, empty)
    assert found.estimate is None
    assert found.warnings == ("no_ratings",)
    assert found.superiority.estimate is None
    assert comparison(np.empty((0, 0)), np.empty((0, 0))).warnings == ("no_ratings",)


def test_missing_cells_are_counted() -> None:
    a, b = ratings(8, 12)
    b[0, 0] = np.nan
    found = comparison(a, b)
    assert (found.crossed.cells, found.crossed.missing, found.crossed.method) == (95, 1, "REML")
    assert "missing_cells" in found.warnings


def test_decimals_are_flipped_as_the_whole_numbers_that_they_are_parts_of() -> None:
    a, b = ratings(8, 12)
    found = comparison(a / 4, b / 4).robustness.sign_flip_prompts
    whole = comparison(a, b).robustness.sign_flip_prompts
    assert found is not None and whole is not None
    assert found.is_exact
    assert found.p == pytest.approx(whole.p, rel=1e-12)


def test_flips_too_many_to_count_are_drawn_and_said_to_be() -> None:
    differences = np.random.default_rng(3).integers(-(10**6), 10**6, size=400)
    drawn = sign_flip(differences)
    assert not drawn.is_exact
    normal = 2 * scipy.special.ndtr(-abs(differences.sum()) / np.sqrt(float((differences**2).sum())))
    assert drawn.p == pytest.approx(normal, abs=0.01)
    # A third of a point has no decimals: the flips of such means are drawn or counted by a common multiple.
    thirds = sign_flip_of_means(np.array([1.0, 2, 4, -1]), np.array([3.0, 3, 2, 1]))
    assert thirds.is_exact
    assert thirds.p == sign_flip(np.array([2, 4, 12, -6])).p


def test_evaluator_with_fifty_pages_weighs_as_one_with_two() -> None:
    differences = np.full((7, 50), np.nan)
    differences[0] = -1.0
    differences[1:, :2] = 1.0
    found = comparison(np.zeros((7, 50)), differences).robustness.sign_flip_evaluators
    assert found is not None
    assert found.statistic == pytest.approx(5)
    assert found.p == sign_flip(np.array([-1, 1, 1, 1, 1, 1, 1])).p


@pytest.mark.parametrize(
    ("robustness", "p", "depends"),
    [
        (Robustness(), 0.01, False),
        (Robustness(cluster_robust=ClusterRobustMean(1.0, 2.0, 9, 1, 1, 1)), 0.01, True),
        (Robustness(cluster_robust=ClusterRobustMean(1.0, 2.0, 9, 1, 1, 1)), 0.2, False),
        (Robustness(sign_flip_evaluators=ExactTest(3, 0.04, 0.02, 0.98, estimate=1.0)), 0.06, True),
        (Robustness(bootstrap=BootstrapInterval(0.1, (0.1, 0.5), 100, 1.0)), 0.06, True),
        (Robustness(bootstrap=BootstrapInterval(0.1, (-0.1, 0.5), 100, 1.0)), 0.06, False),
        # Another estimate is another question.
        (Robustness(bootstrap=BootstrapInterval(0.1, (0.1, 0.5), 100, 1.2)), 0.06, False),
        (Robustness(sign_flip_evaluators=ExactTest(3, 0.04, 0.02, 0.98)), 0.06, False),
        # Flips of prompts and Wilcoxon are conditional or secondary: they do not count.
        (Robustness(sign_flip_prompts=ExactTest(3, 1e-9, 1e-9, 1, estimate=1.0)), 0.06, False),
        (Robustness(wilcoxon_evaluators=ExactTest(3, 0.9, 0.5, 0.5, estimate=1.0)), 0.01, False),
        (Robustness(bootstrap=BootstrapInterval(0.1, (0.1, 0.5), 100, 1.0)), None, False),
    ],
)
def test_conclusion_depends_on_method_where_another_disagrees(
    robustness: Robustness, p: float | None, depends: bool
) -> None:
    # An estimate of 1 with this p-value at 50 degrees of freedom.
    se = None if p is None else 1 / float(scipy.special.stdtrit(50, 1 - p / 2))
    result = CrossedMean(1.0, se, 50.0, None, 9, 12, 108, "closed form")
    assert result.p == (None if p is None else pytest.approx(p))
    assert robustness.disagrees_with(result, 0.05) == depends


def test_each_method_of_analysis_gives_its_own_estimate() -> None:
    differences = np.array([[1.0, np.nan], [2.0, 4.0], [5.0, 6.0]])
    whole = np.tile(differences, (2, 6))
    table = np.where(np.isnan(whole), np.nan, whole)
    robustness = comparison(np.zeros(table.shape), table).robustness
    flips, prompts = robustness.sign_flip_evaluators, robustness.sign_flip_prompts
    wilcoxon, cluster = robustness.wilcoxon_evaluators, robustness.cluster_robust
    assert flips is not None and prompts is not None and wilcoxon is not None and cluster is not None
    assert flips.estimate == pytest.approx((1 + 3 + 5.5) / 3)
    assert prompts.estimate == pytest.approx((8 / 3 + 5) / 2)
    assert cluster.estimate == pytest.approx(18 / 5)
    # The medians of the Walsh averages of 1, 3, 5.5, each twice: 21 of them by hand.
    averages = sorted(
        (x + y) / 2 for i, x in enumerate([1, 1, 3, 3, 5.5, 5.5]) for y in [1, 1, 3, 3, 5.5, 5.5][i:]
    )
    assert wilcoxon.estimate == averages[10]


def test_difference_inside_the_margin_is_comparable() -> None:
    rng = np.random.default_rng(3)
    mean = crossed_mean(rng.integers(-1, 2, size=(20, 50)).astype(float))
    assert equivalence_within(mean, 0.5).is_comparable
    narrow = equivalence_within(mean, 0.01)
    assert not narrow.is_comparable
    assert narrow.ci == mean.interval(0.9)
    with pytest.raises(ValueError, match="margin must be above zero"):
        equivalence_within(mean, 0)


def test_holm_leaves_out_what_was_not_tested() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == [
        pytest.approx(0.03),
        None,
        pytest.approx(0.06),
        pytest.approx(0.06),
    ]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_sign_flips_of_nothing_are_certain() -> None:
    for differences in ([], [0, 0]):
        test = sign_flip(np.array(differences, dtype=np.int64))
        assert (test.statistic, test.p, test.p_greater) == (0.0, 1.0, 1.0)
        assert wilcoxon_signed_rank(np.array(differences, dtype=np.int64)).p == 1.0


def test_sign_flips_of_one_sign_have_the_smallest_p_value() -> None:
    test = sign_flip(np.full(20, 3, dtype=np.int64))
    assert test.p == 2 / 2**20
    assert test.p_greater == 1 / 2**20
    assert test.p_less == 1
    assert sign_flip(-np.full(20, 3, dtype=np.int64)).p_less == 1 / 2**20


def test_whole_numbers_are_told_from_others() -> None:
    found = whole_numbers(np.array([1.0, -2.0 + 1e-12]))
    assert found is not None
    assert found.tolist() == [1, -2]
    assert whole_numbers(np.array([1 / 3])) is None


def test_boundary_pools_what_has_no_variance() -> None:
    # No evaluator variance: V = MS_p / (E P) and df = P - 1; and the other way round.
    se, df, variance = crossed_error(1.0, 9.0, 4.0, 6, 11)
    assert df == 10
    assert se**2 == pytest.approx(9 / 66)
    assert variance.residual == pytest.approx((5 * 1 + 50 * 4) / 55)
    assert variance.evaluator == 0 and variance.prompt == pytest.approx((9 - variance.residual) / 6)
    se, df, _ = crossed_error(9.0, 1.0, 4.0, 6, 11)
    assert df == 5
    assert se**2 == pytest.approx(9 / 66)
    # Neither: the one-sample t over all cells.
    values: Floats = np.tile([[1.0, -1.0], [-1.0, 1.0]], (3, 3))
    mean = crossed_mean(values + 0.5)
    assert mean.df == 35
    assert mean.se == pytest.approx(values.std(ddof=1) / 6)


def test_boundary_pools_the_smallest_mean_square_first() -> None:
    # MS_p lies below MS_r, and above it once MS_e is pooled: REML keeps the prompts' variance.
    se, df, variance = crossed_error(0.1, 3.9, 4.0, 6, 11)
    assert variance.prompt > 0
    assert df == 10
    assert se**2 == pytest.approx(3.9 / 66)


def test_constant_table_has_no_error_whatever_its_value() -> None:
    # .1 has no exact double: its mean differs from it, by rounding alone.
    mean = crossed_mean(np.full((8, 12), 0.1))
    assert (mean.se, mean.df, mean.p) == (0, None, None)


def test_cluster_robust_error_of_one_evaluator_is_none() -> None:
    assert two_way_table_mean(np.ones((1, 5))) is None
    assert two_way_table_mean(np.full((3, 5), np.nan)) is None
    flat = two_way_table_mean(np.full((3, 5), 0.1))
    assert flat is not None
    assert (flat.se, flat.p, flat.ci) == (0, None, None)


def test_bootstrap_is_the_same_for_the_same_seed_and_takes_missing_cells() -> None:
    a, b = ratings(8, 12)
    differences = b - a
    gone = np.where(np.arange(12) % 5 == 0, np.nan, differences)

    def run() -> list[BootstrapInterval | None]:
        return pigeonhole_bootstrap(
            [Cells.of_table(table) for table in (differences, gone, np.full((8, 12), np.nan))],
            evaluators=8,
            prompts=12,
            rng=np.random.default_rng(4),
            resamples=500,
        )

    assert run() == run()
    assert run()[2] is None
    with pytest.raises(ValueError, match="resamples must be at least 2"):
        pigeonhole_bootstrap([], evaluators=8, prompts=12, rng=np.random.default_rng(4), resamples=1)


def test_leaving_out_one_by_one_is_fitting_the_rest() -> None:
    a, b = ratings(7, 12)
    for differences in (b - a, np.where((b - a) == 3, np.nan, b - a)):
        found = leave_one_evaluator_out(differences)
        fits = [crossed_mean(np.delete(differences, e, axis=0)) for e in range(7)]
        assert found.estimates == pytest.approx([fit.estimate for fit in fits])
        assert found.p_values == pytest.approx([fit.p for fit in fits])
    estimates = [estimate for estimate in found.estimates if estimate is not None]
    assert found.estimate_range == (min(estimates), max(estimates))


def test_alternatives_are_named() -> None:
    assert t_p_value(2.0, 10, "greater") + t_p_value(2.0, 10, "less") == pytest.approx(1)
    with pytest.raises(ValueError, match="alternative must be 'two-sided', 'less' or 'greater'"):
        t_p_value(2.0, 10, "both")  # type: ignore[arg-type]


def test_drawn_flips_do_not_depend_on_the_order_of_the_evaluators() -> None:
    rng = np.random.default_rng(5)
    sums, counts = rng.integers(-9, 10, 40).astype(float), rng.integers(30, 90, 40).astype(float)
    order = rng.permutation(40)
    test = sign_flip_of_means(sums, counts)
    assert not test.is_exact
    assert sign_flip_of_means(sums[order], counts[order]).p == test.p
