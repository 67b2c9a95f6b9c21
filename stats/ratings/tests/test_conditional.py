"""Inference for these evaluators, over new prompts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.special
import scipy.stats

from stats.conftest import Foreign
from stats.ratings.conditional import conditional_difference, prompt_differences
from stats.ratings.tests.designs import drawn, three_raters
from stats.ratings.tests.test_model import monte_carlo_interval


def test_complete_pages_are_the_paired_t_test_over_prompts() -> None:
    table = three_raters(np.random.default_rng(1))
    scores = table.score.reshape(3, 40, 4).mean(axis=0)
    expected = scipy.stats.ttest_rel(scores[:, 2], scores[:, 0])
    found = conditional_difference(table, 0, 2)
    assert found.se is not None and found.estimate is not None
    assert found.df == pytest.approx(39)
    assert found.estimate / found.se == pytest.approx(expected.statistic)
    assert (found.evaluators, found.prompts) == (3, 40)
    assert prompt_differences(table, 0, 2) == pytest.approx(scores[:, 2] - scores[:, 0])


def test_prompts_with_one_evaluator_and_method_each_are_welch_s_test() -> None:
    rated = np.zeros((1, 30, 2), dtype=np.bool_)
    rated[0, :11, 0] = rated[0, 11:, 1] = True
    table = drawn(rated, np.random.default_rng(2))
    expected = scipy.stats.ttest_ind(table.score[11:], table.score[:11], equal_var=False)
    found = conditional_difference(table, 0, 1)
    assert found.se is not None and found.estimate is not None and found.df is not None
    assert found.estimate / found.se == pytest.approx(expected.statistic)
    # Bell and McCaffrey take equal variances for granted where Welch estimates them.
    assert found.df == pytest.approx((1 / 11 + 1 / 19) ** 2 / (1 / 11**2 / 10 + 1 / 19**2 / 18))


def test_severity_of_an_evaluator_drops_out_however_ratings_are_shared_out() -> None:
    rng = np.random.default_rng(3)
    table = drawn(rng.random((4, 50, 2)) < 0.4, rng)
    severity = np.array([0.0, 3.0, -2.0, 10.0])[table.evaluator]
    moved = replace(table, score=table.score + severity)
    one, other = conditional_difference(table, 0, 1), conditional_difference(moved, 0, 1)
    assert (one.estimate, one.se, one.df) == pytest.approx((other.estimate, other.se, other.df))


def test_real_study_of_three_raters_has_a_result(foreign: Foreign) -> None:
    table = foreign("dialsummeval").for_criterion("coherence")
    means = table.method_means()
    found = conditional_difference(table, 0, 1)
    assert found.estimate == pytest.approx(means[1] - means[0])
    assert (found.evaluators, found.prompts) == (3, 100)
    assert found.df == pytest.approx(99)


def test_nobody_with_ratings_of_both_methods_gives_no_estimate() -> None:
    rated = np.zeros((2, 6, 2), dtype=np.bool_)
    rated[0, :, 0] = rated[1, :, 1] = True
    found = conditional_difference(drawn(rated, np.random.default_rng(1)), 0, 1)
    assert (found.estimate, found.se, found.df, found.evaluators) == (None, None, None, 0)


def test_ratings_that_do_not_vary_have_no_error() -> None:
    table = three_raters(np.random.default_rng(1))
    flat = replace(table, score=np.full(len(table), 0.1))
    found = conditional_difference(flat, 0, 1)
    assert (found.estimate, found.se, found.df) == (0, 0, None)


def test_three_raters_find_a_difference_where_there_is_none_no_oftener_than_they_should() -> None:
    """Over new prompts: the evaluators' own taste for a method is part of what is true of them."""
    rng = np.random.default_rng(9)
    spreads = (0.8, 0.5, 0.0, 0.6, 1.0)
    found, studies = 0, 400
    for number in range(studies):
        rated = np.ones((3, 40, 2), dtype=bool) if number % 2 else rng.random((3, 40, 2)) < 0.5
        result = conditional_difference(drawn(rated, rng, spreads), 0, 1)
        assert result.estimate is not None and result.se is not None and result.df is not None
        found += bool(2 * scipy.special.stdtr(result.df, -abs(result.estimate / result.se)) < 0.05)
    low, high = monte_carlo_interval(found, studies)
    assert low <= 0.05 <= high
