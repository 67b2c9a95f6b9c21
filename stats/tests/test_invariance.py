"""What must not change the results: order, a constant, and how complete data are fitted."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stats.analysis import Analysis, analyse
from stats.mixed import CrossedMean, crossed_mean
from stats.reml import fit_crossed_reml
from stats.scores import Criterion, Floats, ScoreTable

slow = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def tables(draw: st.DrawFn, smallest: tuple[int, int] = (6, 10)) -> ScoreTable:
    """Draw a study of whole-number ratings, now and then with missing ones, from a drawn seed."""
    evaluators = draw(st.integers(smallest[0], smallest[0] + 3))
    prompts = draw(st.integers(smallest[1], smallest[1] + 3))
    methods = draw(st.integers(2, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    worth = rng.normal(size=(evaluators, 1, methods, 1)) * draw(st.sampled_from([0, 0.3, 1]))
    worth = worth + rng.normal(size=(1, prompts, methods, 1)) * draw(st.sampled_from([0, 0.3, 1]))
    scores = np.clip(np.rint(5 + worth + rng.normal(size=(evaluators, prompts, methods, 2))), 1, 10)
    best = scores[..., 0].argmax(axis=2)
    scores[rng.random(scores.shape) < draw(st.sampled_from([0, 0, 0.1]))] = np.nan
    return ScoreTable(
        scores=scores,
        evaluators=tuple(f"e{i}" for i in range(evaluators)),
        prompts=tuple(f"p{i}" for i in range(prompts)),
        methods=tuple("abc"[:methods]),
        criteria=(Criterion("overall", 1, 10, is_overall=True), Criterion("style", 1, 10)),
        best=best,
        positions=np.argsort(rng.random((evaluators, prompts, methods)), axis=2),
    )


def run(table: ScoreTable) -> Analysis:
    return analyse(
        table, primary="overall", rng=np.random.default_rng(5), resamples=20, planned="page differences"
    )


def without_bootstrap(analysis: Analysis) -> Any:
    """Return the analysis as a dictionary less what depends on the draws."""
    numbers = analysis.as_dict()
    for comparison in numbers["comparisons"]:
        del comparison["bootstrap"], comparison["conclusion_depends_on_method"]
    for measures in numbers["agreement"].values():
        del measures["alpha_ordinal_ci"], measures["alpha_interval_ci"]
    return numbers


def assert_alike(one: Any, other: Any, path: str = "") -> None:
    """Compare two JSON-ready values, numbers up to the last digits of the sums."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key in one:
            assert_alike(one[key], other[key], f"{path}/{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), path
        for index, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_alike(a, b, f"{path}/{index}")
    elif isinstance(one, float):
        assert other == pytest.approx(one, rel=1e-6, abs=1e-7), path
    else:
        assert one == other, path


@slow
@given(tables(), st.randoms(use_true_random=False))
def test_order_of_prompts_changes_nothing(table: ScoreTable, random: Any) -> None:
    order = random.sample(range(len(table.prompts)), len(table.prompts))
    assert table.positions is not None
    shuffled = replace(
        table,
        scores=table.scores[:, order],
        prompts=tuple(table.prompts[p] for p in order),
        best=table.best[:, order],
        positions=table.positions[:, order],
    )
    assert_alike(without_bootstrap(run(table)), without_bootstrap(run(shuffled)))


@slow
@given(tables(), st.randoms(use_true_random=False))
def test_order_of_evaluators_changes_only_the_order_of_their_rows(table: ScoreTable, random: Any) -> None:
    order = random.sample(range(len(table.evaluators)), len(table.evaluators))
    assert table.positions is not None
    shuffled = replace(
        table,
        scores=table.scores[order],
        evaluators=tuple(table.evaluators[e] for e in order),
        best=table.best[order],
        positions=table.positions[order],
    )
    one, other = without_bootstrap(run(table)), without_bootstrap(run(shuffled))
    one["evaluators"] = [one["evaluators"][e] for e in order]
    assert_alike(one, other)


@slow
@given(tables())
def test_order_of_methods_turns_differences_round(table: ScoreTable) -> None:
    turned = replace(
        table,
        scores=table.scores[:, :, ::-1],
        methods=table.methods[::-1],
        best=len(table.methods) - 1 - table.best,
        positions=None,
    )
    one, other = run(replace(table, positions=None)), run(turned)
    for comparison in one.comparisons:
        back = other.comparison(comparison.criterion, comparison.b, comparison.a)
        assert_turned(comparison.crossed, back.crossed)
        assert_alike(comparison.p_holm, back.p_holm)
        assert_alike(comparison.superiority.wins, back.superiority.losses)
        assert_alike(comparison.effect.d_total, negative(back.effect.d_total))
        flips, back_flips = comparison.robustness.sign_flip_prompts, back.robustness.sign_flip_prompts
        assert flips is not None and back_flips is not None
        assert flips.p == pytest.approx(back_flips.p)
        assert flips.p_greater == pytest.approx(back_flips.p_less)
    assert one.ranking is not None and other.ranking is not None
    strengths = {method.method: method for method in other.ranking.methods}
    for method in one.ranking.methods:
        again = strengths[method.method]
        assert method.strength == pytest.approx(again.strength, abs=1e-9)
        assert_alike(method.se, again.se)
        assert (method.rank_low, method.rank_high) == (again.rank_low, again.rank_high)
    for measures, others in zip(one.agreement, other.agreement, strict=True):
        assert measures.alpha_ordinal == pytest.approx(others.alpha_ordinal)
        assert_alike(measures.icc and asdict(measures.icc), others.icc and asdict(others.icc))


def assert_turned(one: CrossedMean, back: CrossedMean) -> None:
    assert_alike(one.estimate, negative(back.estimate))
    assert_alike((one.se, one.df, one.p), (back.se, back.df, back.p))


def negative(value: float | None) -> float | None:
    return None if value is None else -value


@slow
@given(tables(), st.integers(-3, 3))
def test_adding_a_constant_changes_means_alone(table: ScoreTable, constant: int) -> None:
    moved = replace(
        table,
        scores=table.scores + constant,
        criteria=tuple(
            replace(c, minimum=c.minimum + constant, maximum=c.maximum + constant) for c in table.criteria
        ),
    )
    one, other = run(table).as_dict(), run(moved).as_dict()
    for numbers in (one, other):
        del numbers["means"]
        numbers["position"].pop("means")
    assert_alike(one, other)


@slow
@given(tables(), st.data())
def test_leniency_of_an_evaluator_and_difficulty_of_a_prompt_drop_out(table: ScoreTable, data: Any) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    shift = rng.integers(-2, 3, size=(len(table.evaluators), len(table.prompts), 1, 1))
    one, other = run(table), run(replace(table, scores=table.scores + shift))
    for comparison, moved in zip(one.comparisons, other.comparisons, strict=True):
        assert_alike(comparison.crossed.as_dict(), moved.crossed.as_dict())
        assert comparison.robustness == moved.robustness


sizes = st.tuples(st.integers(2, 8), st.integers(2, 8))
ratings = arrays(np.float64, sizes, elements=st.integers(-4, 4).map(float))


@settings(max_examples=150, deadline=None)
@given(ratings)
def test_closed_form_is_reml_on_complete_data(values: Floats) -> None:
    closed, fit = crossed_mean(values), fit_crossed_reml(values)
    assert closed.variance is not None and closed.se is not None and fit is not None
    if closed.variance.residual < 1e-6:  # Without residual the likelihood has no maximum.
        assert fit.se == pytest.approx(closed.se, rel=1e-3, abs=1e-3)
        return
    assert fit.estimate == pytest.approx(closed.estimate, abs=1e-9)
    assert fit.se == pytest.approx(closed.se, rel=1e-7)
    assert fit.variances[0] == pytest.approx(closed.variance.evaluator, abs=1e-7)
    assert fit.variances[1] == pytest.approx(closed.variance.prompt, abs=1e-7)
    assert fit.variances[2] == pytest.approx(closed.variance.residual, abs=1e-7)
    assert fit.df == pytest.approx(closed.df, rel=1e-5)


@settings(max_examples=100, deadline=None)
@given(ratings, st.integers(0, 2**32 - 1), st.floats(0, 0.9))
def test_no_table_gives_nan(values: Floats, seed: int, share: float) -> None:
    gone = np.random.default_rng(seed).random(values.shape) < share
    mean = crossed_mean(np.where(gone, np.nan, values))
    numbers = [mean.estimate, mean.se, mean.df, mean.t, mean.p, *(mean.ci or ())]
    if mean.variance is not None:
        numbers += [mean.variance.evaluator, mean.variance.prompt, mean.variance.residual]
    assert all(number is None or math.isfinite(number) for number in numbers)
    assert mean.p is None or 0 <= mean.p <= 1
    assert (mean.estimate is None) == bool(gone.all())
