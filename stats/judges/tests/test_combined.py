"""The interval from people and judge: golden numbers of the design, and what bad input does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stats.judges.combined import (
    Draw,
    _by_strata,
    _by_strata_with_holes,
    combined_mean,
    judge_weight,
)
from stats.judges.selection import drawn, inclusion_probabilities
from stats.mixed import CrossedMean, crossed_mean
from stats.ratings.cells import Cells

D = np.array(
    [
        [1, 0, 2, -1, 1, 0, 1, 2, 0, 1],
        [0, 0, 1, -1, 2, 1, 0, 1, -1, 1],
        [2, 1, 2, 0, 1, 1, 1, 3, 0, 2],
        [1, -1, 1, -2, 0, 0, 0, 1, -1, 0],
        [1, 0, 3, 0, 1, 1, 2, 2, 0, 1],
        [0, 1, 1, -1, 1, 0, 1, 2, 1, 1],
    ],
    dtype=np.float64,
)
UNRATED = [0.2, 1.4, -0.6, 0.7, 0.3, 0.9, 1.2, -0.1, 0.5, 0.8, 0, 1.1, 0.6, -0.3, 0.4, 1, 0.7, 0.2, 0.9, -0.5]
PLAIN = [0.2, 0.9, 1.1, 0.1, 0.4, 1.2, -0.3, 0.8, 0.3, -0.2]
BOUNDARY = [0.8, 0.1, 1.6, -0.9, 1.1, 0.5, 0.4, 1.7, -0.4, 0.9]


def judged(rated: list[float]) -> np.ndarray:
    return np.array([*rated, *UNRATED])


@pytest.mark.parametrize(
    ("rated", "weight", "estimate", "variance", "df", "ci"),
    [
        (PLAIN, 0.2396649434, 0.6881266322, 0.0991733413, 12.8009600, (0.0067107741, 1.3695424903)),
        (BOUNDARY, 1.0, 0.5733333333, 0.0576163743, 9.2268929, (0.0323670399, 1.1142996268)),
    ],
)
def test_people_and_judge_give_the_interval_of_the_design(
    rated: list[float], weight: float, estimate: float, variance: float, df: float, ci: tuple[float, float]
) -> None:
    found = combined_mean(Cells.of_table(D), judged(rated))
    assert found.people.estimate == pytest.approx(0.6833333333)
    assert found.people.se is not None and found.people.se**2 == pytest.approx(0.1017592593)
    assert found.people.df == pytest.approx(12.6646955)
    assert found.people.ci == pytest.approx((-0.0076777, 1.3743443), abs=1e-6)
    assert found.weight == pytest.approx(weight)
    assert found.combined is not None and found.combined.se is not None
    assert found.combined.estimate == pytest.approx(estimate)
    assert found.combined.se**2 == pytest.approx(variance)
    assert found.combined.df == pytest.approx(df)
    assert found.combined.ci == pytest.approx(ci)


def test_saved_work_is_the_prompts_that_people_alone_would_need_for_the_same_variance() -> None:
    found = combined_mean(Cells.of_table(D), judged(PLAIN))
    parts, alike = found.people.variance, found.prompts_alike
    assert parts is not None and alike is not None and found.combined is not None
    variance = parts.evaluator / 6 + parts.prompt / alike + parts.residual / (6 * alike)
    assert variance == pytest.approx(0.0991733413)
    assert found.narrowing == pytest.approx(
        1 - (1.3695424903 - 0.0067107741) / (1.3743443 + 0.0076777), abs=1e-5
    )
    # Where evaluators alone make more variance, no number of prompts is enough.
    surer = replace(found, combined=replace(found.combined, se=0.99 * (parts.evaluator / 6) ** 0.5))
    assert surer.prompts_alike is None
    share = found.share_of_evaluators
    assert share is not None and share == pytest.approx(parts.evaluator / 6 / 0.1017592593)


def test_the_weight_of_a_judge_is_that_of_power_tuned_inference_with_unbiased_covariances() -> None:
    y = np.array([4, 3, 5, 2, 4, 4, 1, 3, 5, 4, 2, 3], dtype=np.float64)
    f = np.array([4, 4, 5, 3, 4, 5, 2, 3, 5, 4, 3, 4], dtype=np.float64)
    g = np.array(
        [
            3,
            4,
            5,
            4,
            2,
            4,
            3,
            5,
            4,
            4,
            3,
            2,
            5,
            4,
            4,
            3,
            4,
            5,
            3,
            4,
            2,
            4,
            5,
            3,
            4,
            4,
            3,
            5,
            4,
            3,
            2,
            4,
            4,
            5,
            3,
            4,
        ],
        dtype=np.float64,
    )
    weight = judge_weight(y, f, g)
    assert weight == pytest.approx(0.9586247086)
    assert y.mean() + weight * (g.mean() - f.mean()) == pytest.approx(3.2268194768)
    # ppi_py 0.2.3 has the covariance over n.
    assert weight * 11 / 12 == pytest.approx(0.8787393162)
    assert y.mean() + weight * 11 / 12 * (g.mean() - f.mean()) == pytest.approx(3.2356956315)


def test_a_judge_without_spread_changes_nothing() -> None:
    found = combined_mean(Cells.of_table(D), np.full(30, 3.0))
    assert found.weight == 0 and not found.judge_varies
    assert found.combined is not None and found.combined.ci == pytest.approx(found.people.ci)


def test_a_prompt_without_a_score_leaves_both_parts_and_is_counted() -> None:
    judge = judged(PLAIN)
    holed = np.append(judge, np.nan)
    table = np.hstack([D, np.full((6, 20), np.nan), D[:, :1]])
    with_hole, without = combined_mean(Cells.of_table(table), holed), combined_mean(Cells.of_table(D), judge)
    assert with_hole.without_score == 1 and without.without_score == 0
    assert with_hole.combined is not None and without.combined is not None
    assert with_hole.combined.estimate == pytest.approx(without.combined.estimate)


@pytest.mark.parametrize(
    ("table", "judge", "refusal"),
    [
        (D[:5], judged(PLAIN), "few evaluators"),
        (D[:, :9], judged(PLAIN)[:29], "few prompts"),
        (D, judged(PLAIN)[:19], "few unrated prompts"),
    ],
)
def test_too_few_of_anything_give_no_combined_estimate_and_the_reason(
    table: np.ndarray, judge: np.ndarray, refusal: str
) -> None:
    found = combined_mean(Cells.of_table(table), judge)
    assert found.combined is None and found.refusal == refusal


def test_missing_cells_take_the_estimate_and_error_of_reml() -> None:
    holed = D.copy()
    holed[0, 0] = holed[3, 4] = np.nan
    found = combined_mean(Cells.of_table(holed), judged(PLAIN))
    assert found.people.method == "REML"
    assert found.combined is not None and found.combined.ci is not None
    whole = combined_mean(Cells.of_table(D), judged(PLAIN)).combined
    assert whole is not None
    assert found.combined.estimate == pytest.approx(whole.estimate, abs=0.1)


def test_scores_on_another_scale_are_set_to_the_spread_of_the_ratings() -> None:
    small = combined_mean(Cells.of_table(D), judged(BOUNDARY) / 1000, is_on_scale=False)
    large = combined_mean(Cells.of_table(D), judged(BOUNDARY) * 1000, is_on_scale=False)
    assert 0 < small.weight < 1
    assert small.combined is not None and large.combined is not None
    assert small.combined.ci == pytest.approx(large.combined.ci)


def test_one_stratum_is_the_uniform_draw() -> None:
    judge = judged(PLAIN)
    found = combined_mean(Cells.of_table(D), judge, draw=Draw(stratum=np.zeros(30, dtype=np.int64)))
    plain = combined_mean(Cells.of_table(D), judge)
    assert found.combined is not None and plain.combined is not None
    assert found.combined.estimate == pytest.approx(plain.combined.estimate)
    assert found.combined.se == pytest.approx(plain.combined.se)
    assert found.combined.df == pytest.approx(plain.combined.df)


def test_strata_weigh_by_their_share_of_all_prompts() -> None:
    # Without a judge: .4 of all prompts are in the first stratum, of which 5 are rated, and .6 in the second.
    stratum = np.array([0] * 5 + [1] * 5 + [0] * 7 + [1] * 13)
    found = combined_mean(Cells.of_table(D), np.zeros(30), draw=Draw(stratum=stratum))
    assert found.combined is not None
    assert found.combined.estimate == pytest.approx(0.4 * D[:, :5].mean() + 0.6 * D[:, 5:].mean())


def test_equal_probabilities_are_the_uniform_draw_and_unequal_ones_weigh_by_their_inverse() -> None:
    even = combined_mean(Cells.of_table(D), np.zeros(30), draw=Draw(probability=np.full(30, 1 / 3)))
    assert even.combined is not None and even.combined.ci == pytest.approx(even.people.ci)
    pi = np.array([0.2] * 5 + [0.8] * 5 + [0.3] * 20)
    found = combined_mean(Cells.of_table(D), np.zeros(30), draw=Draw(probability=pi))
    weights = 1 / pi[:10]
    assert found.combined is not None
    assert found.combined.estimate == pytest.approx(np.average(D.mean(axis=0), weights=weights))


def test_a_draw_without_strata_and_probabilities_is_refused() -> None:
    with pytest.raises(ValueError, match="strata or probabilities"):
        combined_mean(Cells.of_table(D), judged(PLAIN), draw=Draw())
    with pytest.raises(ValueError, match="above 0"):
        combined_mean(Cells.of_table(D), judged(PLAIN), draw=Draw(probability=np.zeros(30)))


def test_people_alone_are_weighted_by_the_draw_as_people_and_judge_are() -> None:
    stratum = np.array([0] * 5 + [1] * 5 + [0] * 7 + [1] * 13)
    for draw in (Draw(stratum=stratum), Draw(probability=np.array([0.2] * 5 + [0.8] * 5 + [0.3] * 20))):
        found = combined_mean(Cells.of_table(D), judged(PLAIN), draw=draw)
        alone = combined_mean(Cells.of_table(D), np.zeros(30), draw=draw)
        assert alone.combined is not None and found.people.ci == pytest.approx(alone.combined.ci)
        plain = combined_mean(Cells.of_table(D), judged(PLAIN))
        assert found.people.estimate != pytest.approx(plain.people.estimate, abs=0.01)
        # What they would need for the same variance is reckoned from their own components, of the draw.
        parts, se = found.people.variance, found.people.se
        assert parts is not None and se is not None
        assert parts.evaluator / 6 + parts.prompt / 10 + parts.residual / 60 == pytest.approx(se**2, rel=0.01)


def test_a_stratum_with_one_unrated_prompt_uses_no_judge() -> None:
    stratum = np.array([0] * 5 + [1] * 5 + [0] + [1] * 19)
    shifted = judged(BOUNDARY)
    shifted[stratum == 0] += 100
    found, other = (
        combined_mean(Cells.of_table(D), judge, draw=Draw(stratum=stratum))
        for judge in (judged(BOUNDARY), shifted)
    )
    assert found.combined is not None and other.combined is not None
    assert found.combined.ci == pytest.approx(other.combined.ci)


HOLED = D.copy()
HOLED[0, 0] = HOLED[3, 4] = HOLED[5, 8] = np.nan


@pytest.mark.parametrize(
    "draw",
    [
        Draw(stratum=np.array([0] * 5 + [1] * 5 + [0] * 7 + [1] * 13)),
        Draw(probability=np.array([0.2] * 5 + [0.8] * 5 + [0.3] * 20)),
    ],
)
def test_a_few_missing_cells_change_a_weighted_estimate_little(draw: Draw) -> None:
    whole = combined_mean(Cells.of_table(D), judged(PLAIN), draw=draw)
    found = combined_mean(Cells.of_table(HOLED), judged(PLAIN), draw=draw)
    assert found.refusal is None and found.combined is not None and whole.combined is not None
    assert found.combined.method == "REML" and found.people.method == "REML"
    assert found.combined.estimate == pytest.approx(whole.combined.estimate, abs=0.15)
    assert found.combined.se == pytest.approx(whole.combined.se, rel=0.25)


@pytest.mark.parametrize("kind", ["strata", "probability"])
def test_weighted_intervals_with_missing_cells_hold_the_truth(kind: str) -> None:
    # The benchmark judge_coverage has 2,000 studies of each; 60 tell a wrong formula from a right one.
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(60):
        own = rng.standard_normal(200)
        stratum = (np.arange(200) >= 50).astype(np.int64)
        own += np.where(stratum == 0, 2.4, -0.8) if kind == "strata" else 0
        judge = 5 + own + rng.standard_normal(200)
        if kind == "strata":
            chosen = np.concatenate(
                [rng.choice(50, 20, replace=False), 50 + rng.choice(150, 20, replace=False)]
            )
            draw = Draw(stratum=stratum)
        else:
            chances = inclusion_probabilities(np.abs(judge), 40)
            chosen = np.flatnonzero(drawn(chances, rng))
            draw = Draw(probability=chances)
        table = own[chosen] + 0.6 * rng.standard_normal((8, 1)) + rng.standard_normal((8, len(chosen)))
        table[rng.random(table.shape) < 0.2] = np.nan
        evaluator, place = np.nonzero(~np.isnan(table))
        cells = Cells(evaluator, chosen[place], table[evaluator, place])
        ci = combined_mean(cells, judge, draw=draw).combined
        assert ci is not None and ci.ci is not None
        held += ci.ci[0] <= 0 <= ci.ci[1]
    assert held >= 52


def test_a_judge_who_goes_against_people_has_no_weight() -> None:
    found = combined_mean(Cells.of_table(D), judged([-one for one in BOUNDARY]))
    assert found.weight == 0.0 and found.judge_varies
    assert found.combined is not None and found.combined.ci == pytest.approx(found.people.ci)


def test_an_estimate_from_unequal_chances_is_its_formula_written_out() -> None:
    pi = np.array([0.2, 0.3, 0.4, 0.5, 0.6, 0.2, 0.3, 0.4, 0.5, 0.6] + [0.3] * 20)
    judge, unrated = judged(PLAIN), np.array(UNRATED)
    found = combined_mean(Cells.of_table(D), judge, draw=Draw(probability=pi))
    w = 1 / pi[:10] / (1 / pi[:10]).mean()
    rated = judge[:10]
    x = w * (rated - np.average(rated, weights=w))
    y = w * (D.mean(axis=0) - np.average(D.mean(axis=0), weights=w))
    weight = float(x @ y) / (1.5 * float(x @ x))
    left = D - weight * rated
    centre = np.average(left.mean(axis=0), weights=w)
    z = centre + w * (left - centre) + 10 / 30 * weight * (rated - judge.mean())
    table = crossed_mean(z)
    assert found.weight == pytest.approx(weight) and 0 < weight < 1
    assert found.combined is not None and found.combined.se is not None and table.se is not None
    assert found.combined.estimate == pytest.approx(centre + weight * judge.mean())
    apart = (weight * 20 / 30) ** 2 * unrated.var(ddof=1) / 20
    assert found.combined.se**2 == pytest.approx(table.se**2 + apart)


def test_strata_with_holes_are_those_of_a_complete_table_but_for_what_lambda_takes() -> None:
    stratum = np.array([0] * 5 + [1] * 5 + [0] * 7 + [1] * 13)
    is_rated = np.arange(30) < 10
    given = Cells.of_table(D), np.append(D.mean(axis=0), np.full(20, np.nan))

    def both(judge: np.ndarray) -> tuple[CrossedMean, CrossedMean]:
        ways = (
            estimate(*given, judge, is_rated, ~is_rated, 0.95, stratum=stratum)[1]
            for estimate in (_by_strata, _by_strata_with_holes)
        )
        whole, holed = ways
        assert whole is not None and holed is not None
        assert holed.estimate == pytest.approx(whole.estimate)
        return whole, holed

    whole, holed = both(np.zeros(30))
    assert holed.se == pytest.approx(whole.se, rel=0.03)
    whole, holed = both(judged(PLAIN))
    assert holed.se is not None and whole.se is not None and holed.se > 1.02 * whole.se
