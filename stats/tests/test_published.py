"""The paper's own formulas on its own records, and on input that has no answer."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from stats.conftest import CRITERIA, METHODS, REFERENCE
from stats.published import (
    PublishedTest,
    published_deviations,
    published_means,
    published_p_value,
    published_tests,
)
from stats.scores import Criterion, ScoreTable


@pytest.fixture(scope="module")
def printed() -> Any:
    path = REFERENCE / "paper_tables.json"
    if not path.exists():
        pytest.skip("the printed tables are not beside the checkout (../shared)")
    return json.loads(path.read_text(encoding="utf-8"))["table3_10_poem"]


def small_table(scores: Any) -> ScoreTable:
    scores = np.asarray(scores, dtype=float)
    evaluators, prompts, methods = scores.shape
    return ScoreTable(
        scores=scores[..., None],
        evaluators=tuple(f"e{i}" for i in range(evaluators)),
        prompts=tuple(f"p{i}" for i in range(prompts)),
        methods=tuple("abcd"[:methods]),
        criteria=(Criterion("overall", 1, 10, is_overall=True),),
        best=np.full((evaluators, prompts), -1),
    )


def test_all_means_round_to_the_printed_ones(poem: ScoreTable, printed: Any) -> None:
    means = published_means(poem)
    rounded = {method: [round(row[c] or 0, 2) for c in CRITERIA] for method, row in means.items()}
    assert rounded == printed["mean"]


def test_all_deviations_but_one_round_to_the_printed_ones(poem: ScoreTable, printed: Any) -> None:
    deviations = published_deviations(poem)
    differing = [
        (method, criterion, round(row[criterion] or 0, 4), printed["deviation"][method][c])
        for method, row in deviations.items()
        for c, criterion in enumerate(CRITERIA)
        if round(row[criterion] or 0, 2) != printed["deviation"][method][c]
    ]
    assert differing == [("inverse_prompting_st", "innovation", 0.2677, 0.28)]


def test_means_and_deviations_are_the_golden_ones(poem: ScoreTable, golden: Any) -> None:
    without_zeros = poem.with_off_scale_missing()
    for tag, cells in golden["tasks"]["poem"]["cells"].items():
        for criterion, cell in cells.items():
            where = METHODS[tag], criterion.lower()
            for table, mean, deviation in (
                (poem, cell["mean"], cell["paper_deviation_formula"]),
                (without_zeros, cell["mean_zeros_as_missing"], cell["deviation_zeros_as_missing"]),
            ):
                assert published_means(table)[where[0]][where[1]] == pytest.approx(mean, rel=1e-12)
                assert published_deviations(table)[where[0]][where[1]] == pytest.approx(deviation, rel=1e-9)


def test_p_values_are_the_golden_ones_for_every_pair_and_criterion(poem: ScoreTable, golden: Any) -> None:
    tests = {(test.a, test.b, test.criterion): test for test in published_tests(poem)}
    assert len(tests) == 4 * 3 * 5
    for criterion, pairs in golden["tasks"]["poem"]["pairs"].items():
        for pair in pairs.values():
            a, b = METHODS[pair["a"]], METHODS[pair["b"]]
            lower, higher = (a, b) if pair["diff"] > 0 else (b, a)  # the golden p is the smaller of the two
            expected = pair["legacy_paper_formula"]["one_sided_p_full_precision"]
            test = tests[lower, higher, criterion.lower()]
            assert test.df == 18
            assert test.p == pytest.approx(expected, rel=1e-9)
            assert tests[higher, lower, criterion.lower()].p == pytest.approx(1 - expected, rel=1e-9)


def test_printed_inputs_give_the_printed_p_values() -> None:
    # Table 10 of the paper; .0544 came from 3.60, Jiuge's format score, in place of its overall 3.57.
    assert published_p_value(3.60, 0.54, 4.00, 0.52, 10) == pytest.approx(0.0544, abs=5e-5)
    assert published_p_value(3.57, 0.54, 4.40, 0.47, 10) == pytest.approx(0.0009, abs=5e-5)


def test_evaluator_without_a_rating_is_left_out_of_n() -> None:
    complete = small_table([[[1, 4], [2, 4]], [[3, 5], [5, 9]]])
    with_absent = small_table([[[1, 4], [2, 4]], [[3, 5], [5, 9]], [[np.nan] * 2] * 2])
    assert published_means(with_absent) == published_means(complete)
    assert published_deviations(with_absent) == published_deviations(complete)
    assert published_tests(with_absent) == published_tests(complete)


def test_mean_with_missing_ratings_weighs_evaluators_alike() -> None:
    table = small_table([[[1], [np.nan], [np.nan]], [[4], [5], [6]]])
    assert published_means(table) == {"a": {"overall": 3.0}}  # (1 + 5) / 2, not 16 / 4


@pytest.mark.parametrize(
    "scores",
    [
        pytest.param(np.empty((0, 3, 2)), id="no evaluators"),
        pytest.param(np.empty((2, 0, 2)), id="no prompts"),
        pytest.param(np.full((2, 3, 2), np.nan), id="no ratings"),
    ],
)
def test_nothing_gives_none(scores: Any) -> None:
    table = small_table(scores)
    assert published_means(table) == {"a": {"overall": None}, "b": {"overall": None}}
    assert published_deviations(table) == {"a": {"overall": None}, "b": {"overall": None}}
    assert published_tests(table)[0] == PublishedTest("a", "b", "overall", None, 0, None)


def test_one_evaluator_has_a_deviation_and_no_p_value() -> None:
    test = published_tests(small_table([[[1, 4], [2, 4], [5, 1]]]))[0]
    assert (test.df, test.t, test.p) == (0, None, None)


def test_no_variance_has_no_p_value() -> None:
    for b in (3, 4):
        test = published_tests(small_table(np.tile([3.0, b], (3, 2, 1))))[0]
        assert (test.t, test.p) == (None, None)
    assert published_p_value(3, 0, 4, 0, 10) is None
