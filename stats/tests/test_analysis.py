"""The analysis of a whole study: what it holds, its JSON, and studies in which little can be said."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import stats.analysis
from stats.analysis import Analysis, analyse
from stats.conftest import Foreign
from stats.ratings.table import RatingTable
from stats.scores import Criterion, ScoreTable
from stats.tests.golden.study import simulated_study, simulated_study_with_missing

COMPARISON_KEYS = {
    "criterion", "a", "b", "estimate", "se", "df", "t", "p", "p_holm", "ci", "variance",
    "probability_of_superiority", "cluster_robust", "sign_flip", "wilcoxon_evaluators_p", "bootstrap",
    "conclusion_depends_on_method",
}  # fmt: skip


def run(table: ScoreTable, **options: Any) -> Analysis:
    """Analyse with any warning of numpy or scipy as an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return analyse(table, primary="overall", rng=np.random.default_rng(1), resamples=50, **options)


def small(evaluators: int, prompts: int, methods: int, fill: float | None = None) -> ScoreTable:
    rng = np.random.default_rng(2)
    shape = (evaluators, prompts, methods, 1)
    scores = rng.integers(1, 11, size=shape).astype(float) if fill is None else np.full(shape, fill)
    picked = rng.integers(0, methods, size=(evaluators, prompts)) if fill is None else -1
    return ScoreTable(
        scores=scores,
        evaluators=tuple(f"e{i}" for i in range(evaluators)),
        prompts=tuple(f"p{i}" for i in range(prompts)),
        methods=tuple("abcd"[:methods]),
        criteria=(Criterion("overall", 1, 10, is_overall=True),),
        best=np.broadcast_to(picked, (evaluators, prompts)),
        positions=np.broadcast_to(np.arange(methods), shape[:3]),
    )


def test_every_pair_is_compared_once_on_every_criterion() -> None:
    found = run(simulated_study()).comparisons
    assert [(c.criterion, c.a, c.b) for c in found] == [
        (criterion, a, b)
        for criterion in ("quality", "overall")
        for a, b in (("first", "second"), ("first", "third"), ("second", "third"))
    ]


def test_json_has_the_agreed_shape() -> None:
    numbers = run(simulated_study()).as_dict()
    comparison = numbers["comparisons"][0]
    assert comparison.keys() >= COMPARISON_KEYS
    assert comparison["variance"].keys() == {"evaluator", "prompt", "residual"}
    assert comparison["probability_of_superiority"].keys() >= {"estimate", "ci"}
    assert comparison["cluster_robust"].keys() == {"estimate", "se", "p"}
    estimates = {"evaluators_estimate", "prompts_estimate"}
    assert comparison["sign_flip"].keys() == {"evaluators_p", "prompts_p", "is_exact"} | estimates
    assert comparison["bootstrap"].keys() >= {"estimate", "se", "ci"}
    assert len(comparison["ci"]) == 2
    assert comparison["conclusion_depends_on_method"] in (True, False)
    assert numbers["agreement"].keys() == {"quality", "overall"}
    measures = {"alpha_ordinal", "alpha_interval", "icc_2_1", "icc_2_k", "kendall_w"}
    assert numbers["agreement"]["overall"].keys() >= measures
    assert numbers["ranking"][0].keys() == {"method", "strength", "se", "rank_low", "rank_high"}
    assert numbers["evaluators"][0].keys() >= {
        "evaluator",
        "leave_one_out_r",
        "off_scale",
        "pages_inconsistent",
    }
    assert json.loads(json.dumps(numbers, allow_nan=False))["alpha"] == 0.05


def test_holm_is_taken_within_a_criterion() -> None:
    found = run(simulated_study())
    for criterion in ("quality", "overall"):
        family = [c for c in found.comparisons if c.criterion == criterion]
        smallest = min(family, key=lambda c: c.crossed.p or 1)
        assert smallest.crossed.p is not None
        assert smallest.p_holm == pytest.approx(3 * smallest.crossed.p)


def test_same_seed_gives_the_same_analysis() -> None:
    assert run(simulated_study()).as_dict() == run(simulated_study()).as_dict()


def test_margin_and_effect_are_used_where_they_were_set() -> None:
    found = run(simulated_study(), margins={"quality": 0.5}, effect=1.0)
    equivalences = {c.criterion: c.equivalence for c in found.comparisons}
    assert equivalences["overall"] is None
    assert equivalences["quality"] is not None
    assert len(found.power) == 3
    assert found.power[0].power.power is not None
    plain = run(simulated_study())
    assert plain.power[0].power.power is None
    assert plain.power[0].evaluators_needed is None
    assert plain.power[0].power.minimum_detectable_effect > 0


def test_unknown_criterion_is_refused() -> None:
    with pytest.raises(ValueError, match="criterion must be one of quality, overall; got 'style'"):
        analyse(simulated_study(), primary="style", rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match="criterion must be one of"):
        run(simulated_study(), margins={"style": 1.0})
    with pytest.raises(ValueError, match="must name a comparison"):
        run(simulated_study()).comparison("overall", "third", "first")


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(simulated_study_with_missing(), id="missing answers"),
        pytest.param(small(0, 12, 3), id="no evaluators"),
        pytest.param(small(8, 0, 3), id="no prompts"),
        pytest.param(small(8, 12, 1), id="one method"),
        pytest.param(small(8, 12, 0, 1.0), id="no methods"),
        pytest.param(small(1, 12, 3), id="one evaluator"),
        pytest.param(small(8, 1, 3), id="one prompt"),
        pytest.param(small(2, 2, 2), id="two of each"),
        pytest.param(small(5, 12, 2), id="five evaluators"),
        pytest.param(small(8, 12, 3, 4.0), id="all ties"),
        pytest.param(small(8, 12, 3, np.nan), id="no ratings"),
        pytest.param(small(8, 12, 3, 0.1), id="all off the scale"),
    ],
)
def test_no_study_gives_nan_or_a_warning(table: ScoreTable) -> None:
    numbers = run(table, effect=1.0).as_dict()
    json.dumps(numbers, allow_nan=False)
    for comparison in numbers["comparisons"]:
        if table.scores.shape[0] < 2 or table.scores.shape[1] < 10:
            assert comparison["p"] is None and comparison["ci"] is None
        if table.scores.shape[0] == 5:
            assert comparison["generalises_to"] == "prompts" and comparison["p"] is not None


@pytest.mark.parametrize("gone", ["an evaluator", "a prompt", "a method", "nearly all", "one rating each"])
def test_holes_in_a_study_give_no_nan(gone: str) -> None:
    table = simulated_study()
    scores = table.scores.copy()
    if gone == "an evaluator":
        scores[0] = np.nan
    elif gone == "a prompt":
        scores[:, 0] = np.nan
    elif gone == "a method":
        scores[:, :, 0] = np.nan
    elif gone == "nearly all":
        scores[np.random.default_rng(0).random(scores.shape) < 0.9] = np.nan
    else:
        scores[np.arange(9)[:, np.newaxis] != np.arange(12) % 9] = np.nan
    found = run(replace(table, scores=scores))
    json.dumps(found.as_dict(), allow_nan=False)
    if gone == "a method":
        assert found.comparison("overall", "first", "second").warnings == ("no_ratings",)
        assert found.comparison("overall", "second", "third").crossed.p is not None


def test_share_of_picks_is_over_the_pages_with_a_pick() -> None:
    table = simulated_study()
    best = table.best.copy()
    best[:, :3] = -1
    first, *_ = run(replace(table, best=best)).picks
    assert first.crossed.estimate == pytest.approx((best[:, 3:] == 0).mean())
    assert (first.count, first.crossed.cells) == (int((best == 0).sum()), 9 * 9)


def test_means_count_every_rating() -> None:
    table = simulated_study_with_missing()
    found = run(table)
    counted = sum(count for mean in found.means for _, count in mean.counts)
    assert counted == np.count_nonzero(~np.isnan(table.scores))
    assert sum(pick.count for pick in found.picks) == 9 * 12


def test_so_many_criteria_are_compared_as_is_affordable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats.analysis, "MOST_COMPARISONS", 7)
    rng = np.random.default_rng(1)
    e, p, m, c = (axis.ravel() for axis in np.indices((6, 10, 3, 5)))
    table = RatingTable(
        evaluator=e,
        prompt=p,
        method=m,
        criterion=c,
        score=rng.integers(1, 6, len(e)).astype(np.float64),
        evaluators=tuple("abcdef"),
        prompts=tuple("0123456789"),
        methods=("x", "y", "z"),
        criteria=tuple(Criterion(f"c{number}", 1, 5) for number in range(5)),
    )
    found = analyse(table, primary="c3", rng=rng, resamples=50)
    # Three pairs a criterion: the primary one and the first of the others.
    assert {one.criterion for one in found.comparisons} == {"c0", "c3"}
    assert found.not_compared == ("c1", "c2", "c4")
    assert found.as_dict()["criteria_not_compared"] == ["c1", "c2", "c4"]
    assert {one.criterion for one in found.means} == {f"c{number}" for number in range(5)}


def test_means_by_the_ratings_model_lie_as_far_apart_as_its_differences(foreign: Foreign) -> None:
    table = foreign("simplicity_da")
    found = analyse(table, primary=table.criteria[0].key, rng=np.random.default_rng(1), resamples=50)
    means = {mean.method: mean for mean in found.means}
    difference = found.comparison(
        table.criteria[0].key, *(m for m in table.methods if m in ("ACCESS", "Hybrid"))
    )
    first, second = difference.a, difference.b
    estimate = means[first].crossed.estimate
    assert difference.estimate is not None and estimate is not None
    expected = estimate + difference.estimate
    assert means[second].crossed.estimate == pytest.approx(expected)
    # The raw means of the data's description.
    assert means["ACCESS"].raw == pytest.approx(60.25)
    assert means["Hybrid"].as_dict()["raw"] == pytest.approx(35.696)
    assert means["ACCESS"].crossed.method == "ratings model"
