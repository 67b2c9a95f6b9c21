"""Two studies side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stats.analysis import Analysis, analyse
from stats.ratings.reproduction import reproduction, small_sample_variation
from stats.ratings.table import RatingTable
from stats.tests.golden.study import simulated_study

LOWEST = {"quality": (1.0, 1.0), "overall": (1.0, 1.0)}


def analysed(table: RatingTable) -> Analysis:
    return analyse(table, primary="overall", rng=np.random.default_rng(1), resamples=50)


def test_coefficient_of_variation_is_that_of_its_authors() -> None:
    # asbelz/coeff-var, the example of the README.
    found = small_sample_variation([84.51, 84.50, 87.46, 85.60, 84.20, 86.61, 86.20])
    assert found == pytest.approx(1.5616560359, abs=1e-9)
    assert small_sample_variation([0.0, 0.0]) is None
    with pytest.raises(ValueError, match="values must be at least 2"):
        small_sample_variation([1.0])


def test_a_study_reproduces_itself() -> None:
    analysis = analysed(RatingTable.of_scores(simulated_study()))
    found = reproduction(analysis, analysis, LOWEST)
    assert {one.cv for one in found.methods} == {0.0}
    for one in found.criteria:
        assert (one.pairs, one.same_sign, one.same_conclusion) == (3, 3, 3)
        assert one.pearson == pytest.approx(1) and one.spearman == pytest.approx(1)


def test_scales_turned_round_turn_the_signs_round_and_methods_may_stand_in_another_order() -> None:
    table = RatingTable.of_scores(simulated_study())
    first = analysed(table)
    turned = analysed(replace(table, score=np.where(table.criterion == 1, 11, 6) - table.score))
    opposite = reproduction(first, turned, LOWEST)
    assert [one.same_sign for one in opposite.criteria] == [0, 0]
    assert opposite.criteria[0].pearson == pytest.approx(-1)
    reordered = analysed(table.of_methods([2, 0, 1]))
    again = reproduction(first, reordered, LOWEST)
    assert [one.same_conclusion for one in again.criteria] == [3, 3]


def test_scales_are_shifted_to_begin_at_zero() -> None:
    table = RatingTable.of_scores(simulated_study())
    moved = replace(
        table,
        score=table.score + 10,
        criteria=tuple(
            replace(one, minimum=one.minimum + 10, maximum=one.maximum + 10) for one in table.criteria
        ),
    )
    found = reproduction(analysed(table), analysed(moved), {"overall": (1.0, 11.0)})
    assert [one.cv for one in found.methods] == pytest.approx([0, 0, 0], abs=1e-9)
    assert {one.criterion for one in found.methods} == {"overall"}


def test_two_methods_have_no_correlation() -> None:
    analysis = analysed(RatingTable.of_scores(simulated_study()).of_methods([0, 1]))
    found = reproduction(analysis, analysis, LOWEST)
    assert [(one.pearson, one.spearman, one.pairs) for one in found.criteria] == [(None, None, 1)] * 2
