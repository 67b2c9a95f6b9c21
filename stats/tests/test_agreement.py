"""Agreement at its ends, where the ratings are few, and a published example."""

from __future__ import annotations

import numpy as np
import pytest

from stats.agreement import intraclass_correlation, kendall_w, krippendorff_alphas

# Shrout and Fleiss (1979), table 2: six targets (columns here) by four judges; ICC(2,1) = .29, ICC(2,4) = .62.
SHROUT_FLEISS = np.array(
    [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]], dtype=float
)

# Krippendorff (2011), section C: four observers, twelve units; nominal .743, ordinal .815, interval .849.
GONE = np.nan
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, GONE, GONE, GONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, GONE, 3],
        [GONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, GONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, GONE],
    ]
)


def test_alpha_is_that_of_the_published_example() -> None:
    alphas = krippendorff_alphas(KRIPPENDORFF)
    assert alphas["nominal"] == pytest.approx(0.743, abs=5e-4)
    assert alphas["ordinal"] == pytest.approx(0.815, abs=5e-4)
    assert alphas["interval"] == pytest.approx(0.849, abs=5e-4)


def test_intraclass_correlation_is_that_of_the_published_example() -> None:
    icc = intraclass_correlation(SHROUT_FLEISS)
    assert icc is not None
    assert icc.icc_2_1 == pytest.approx(0.29, abs=5e-3)
    assert icc.icc_2_k == pytest.approx(0.62, abs=5e-3)
    # R's psych::ICC prints .019 to .761 and .071 to .927 for this table.
    assert icc.icc_2_1_ci == pytest.approx((0.019, 0.761), abs=5e-4)
    assert icc.icc_2_k_ci == pytest.approx((0.071, 0.927), abs=5e-4)


def test_intraclass_correlation_with_one_rating_missing_is_close() -> None:
    rng = np.random.default_rng(1)
    ratings = rng.normal(size=(8, 60)) + rng.normal(size=60) + rng.normal(size=(8, 1)) / 2
    complete = intraclass_correlation(ratings)
    ratings[3, 7] = np.nan
    missing = intraclass_correlation(ratings)
    assert complete is not None and missing is not None
    assert (complete.method, missing.method) == ("analysis of variance", "REML")
    assert missing.icc_2_1 == pytest.approx(complete.icc_2_1, abs=0.01)
    assert missing.icc_2_1_ci == pytest.approx(complete.icc_2_1_ci, abs=0.03)
    assert missing.icc_2_k_ci == pytest.approx(complete.icc_2_k_ci, abs=0.03)


def test_full_agreement_is_one() -> None:
    ratings = np.tile([1.0, 2, 3, 4, 5], (4, 1))
    assert krippendorff_alphas(ratings) == {"nominal": 1.0, "ordinal": 1.0, "interval": 1.0}
    icc, concordance = intraclass_correlation(ratings), kendall_w(ratings)
    assert icc is not None and concordance is not None
    assert (icc.icc_2_1, icc.icc_2_k, icc.icc_2_1_ci) == (1.0, 1.0, None)
    assert concordance.w == pytest.approx(1.0)


def test_ratings_without_variance_have_no_agreement() -> None:
    flat = np.full((4, 5), 3.0)
    assert set(krippendorff_alphas(flat).values()) == {None}
    assert intraclass_correlation(flat) is None
    assert kendall_w(flat) is None


@pytest.mark.parametrize("shape", [(0, 5), (1, 5), (5, 0), (5, 1)])
def test_too_few_raters_or_items_have_no_agreement(shape: tuple[int, int]) -> None:
    ratings = np.arange(float(np.prod(shape))).reshape(shape)
    assert intraclass_correlation(ratings) is None
    assert kendall_w(ratings) is None


def test_item_with_one_rating_says_nothing_to_alpha() -> None:
    with_lonely = np.column_stack([KRIPPENDORFF, [5, GONE, GONE, GONE]])
    assert krippendorff_alphas(with_lonely) == pytest.approx(krippendorff_alphas(KRIPPENDORFF))


def test_concordance_is_over_the_items_that_all_rated() -> None:
    ratings = np.array([[1.0, 2, 3, GONE], [2.0, 3, 3, 1], [1.0, 3, 2, 9]])
    assert kendall_w(ratings) == kendall_w(ratings[:, :3])


def test_one_rater_a_text_has_no_intraclass_correlation() -> None:
    ratings = np.full((3, 30), GONE)
    ratings[np.arange(30) % 3, np.arange(30)] = np.random.default_rng(1).normal(size=30)
    assert intraclass_correlation(ratings) is None


def test_mean_of_k_raters_is_of_as_many_as_a_text_had() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=200)
    ratings = np.full((40, 200), GONE)
    for item in range(200):
        raters = rng.permutation(40)[: 2 + item % 3]
        ratings[raters, item] = truth[item] + rng.normal(size=len(raters))
    icc = intraclass_correlation(ratings)
    assert icc is not None
    k = 3 / (1 / 2 + 1 / 3 + 1 / 4)
    assert icc.raters == pytest.approx(k, rel=0.01)
    assert icc.icc_2_k == pytest.approx(k * icc.icc_2_1 / (1 + (k - 1) * icc.icc_2_1), rel=0.01)
