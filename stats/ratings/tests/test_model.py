"""The ratings model against lme4 and lmerTest, and what must hold of any fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.special

from stats.conftest import Foreign
from stats.ratings.likelihood import Evaluation, evaluate
from stats.ratings.model import RatingsModel, fit_ratings_model
from stats.ratings.sums import CELL, LINE, ROW, STRAND, Sums
from stats.ratings.table import RatingTable
from stats.ratings.tests.designs import NULLS, SPREADS, drawn
from stats.scores import Floats

# R 4.2, lme4 1.1-31 and lmerTest 3.1-3, the model of `stats.ratings.model`, REML: difference, error, df and p
# against ACCESS, and difference and error against Borderline.
SIMPLICITY = {
    "DMASS-DCSS": (-14.381692, 3.111849, 657.43, 4.584e-6),
    "Dress-Ls": (1.663556, 3.113214, 668.56, 0.59327),
    "Hybrid": (-25.307832, 3.109231, 672.26, 1.924e-15),
    "PBMT-R": (-8.649606, 3.116686, 674.32, 0.0056687),
    "SBMT-SARI": (-9.427965, 3.118980, 674.56, 0.0025996),
}
MQM = {
    "ref": (2.133888, 0.312108),
    "refB": (-2.343956, 0.401763),
    "Online-W": (-0.509442, 0.297489),
    "NiuTrans": (-0.375942, 0.298697),
}


def fitted(table: RatingTable) -> RatingsModel:
    model = fit_ratings_model(table)
    assert model is not None and model.is_converged
    return model


def test_simplicity_da_is_that_of_lme4(foreign: Foreign) -> None:
    table = foreign("simplicity_da")
    model = fitted(table)
    assert not model.dropped
    variance = model.variance
    found = (variance.prompt_method, variance.evaluator_method, variance.prompt, variance.evaluator)
    assert found == pytest.approx((334.93168705, 38.20569715, 14.63440229, 269.99249665), rel=1e-3)
    assert variance.residual == pytest.approx(573.69419068, rel=1e-3)
    access = table.methods.index("ACCESS")
    for name, (difference, se, df, p) in SIMPLICITY.items():
        estimate, error, freedom = model.difference(access, table.methods.index(name))
        assert estimate == pytest.approx(difference, abs=1e-4)
        assert error == pytest.approx(se, rel=1e-4)
        assert freedom == pytest.approx(df, rel=1e-4)
        assert freedom is not None
        assert 2 * scipy.special.stdtr(freedom, -abs(estimate / error)) == pytest.approx(p, rel=2e-3)


def test_mqm_is_that_of_lme4_without_the_term_that_one_rating_a_text_hides(foreign: Foreign) -> None:
    table = foreign("mqm_ted_zh_en")
    model = fitted(table)
    assert [(one.term, one.reason) for one in model.dropped] == [("prompt:method", "aliased")]
    variance = model.variance
    assert variance.prompt_method is None
    found = (variance.prompt, variance.evaluator_method, variance.evaluator, variance.residual)
    assert found == pytest.approx((3.05508899, 0.16422376, 2.25910347, 7.88154505), rel=1e-3)
    borderline = table.methods.index("Borderline")
    for name, (difference, se) in MQM.items():
        estimate, error, _ = model.difference(borderline, table.methods.index(name))
        assert estimate == pytest.approx(difference, abs=1e-4)
        assert error == pytest.approx(se, rel=1e-4)


@pytest.mark.parametrize("name", NULLS)
def test_gradient_and_slopes_are_those_of_central_differences(name: str) -> None:
    table = NULLS[name](np.random.default_rng(3))
    for turned in (False, True):
        row, line = (table.prompt, table.evaluator) if turned else (table.evaluator, table.prompt)
        sums = Sums.of(row, line, table.method, table.score - table.score.mean(), np.ones(4, dtype=np.bool_))
        for ratios in (np.array([0.7, 0.2, 0.4, 1.3]), np.array([0.3, 0.1, 1e-9, 1e-9])):
            at = evaluate(sums, ratios)
            for term in (STRAND, LINE, CELL, ROW):
                width = 1e-5
                below, above = (evaluate(sums, ratios + s * width * np.eye(4)[term]) for s in (0, 1))
                if ratios[term] > width:
                    below = evaluate(sums, ratios - width * np.eye(4)[term])
                    width *= 2
                slope = (above.deviance - below.deviance) / width
                assert slope == pytest.approx(at.gradient[term], rel=2e-3, abs=2e-3)
                slopes = (above.phi - below.phi) / width
                assert slopes == pytest.approx(at.slopes[term], rel=2e-3, abs=2e-4)


def test_which_side_is_eliminated_changes_nothing() -> None:
    table = drawn(np.random.default_rng(1).random((9, 11, 3)) < 0.6, np.random.default_rng(2))
    turned = replace(
        table,
        evaluator=table.prompt,
        prompt=table.evaluator,
        evaluators=table.prompts,
        prompts=table.evaluators,
    )
    one, other = fitted(table), fitted(turned)
    assert one.difference(0, 2) == pytest.approx(other.difference(0, 2), rel=1e-5)
    assert one.variance.evaluator_method == pytest.approx(other.variance.prompt_method, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", NULLS)
def test_variance_is_at_its_best_or_at_zero_with_the_likelihood_falling(name: str) -> None:
    for seed in range(5):
        at = fitted(NULLS[name](np.random.default_rng(seed))).at
        assert isinstance(at, Evaluation)
        for ratio, slope in zip(at.ratios, at.gradient, strict=True):
            assert abs(slope) * max(ratio, 1e-3) < 1e-5 if ratio > 0 else slope >= 0


def test_scale_and_level_of_the_scores_change_the_result_by_themselves_alone() -> None:
    table = NULLS["missing prompts"](np.random.default_rng(5))
    one = fitted(table).difference(0, 3)
    other = fitted(replace(table, score=-20 * table.score + 1000)).difference(0, 3)
    assert other[0] == pytest.approx(-20 * one[0], rel=1e-5)
    assert other[1] == pytest.approx(20 * one[1], rel=1e-5)
    assert other[2] == pytest.approx(one[2], rel=1e-4)


def test_ratings_that_do_not_vary_or_are_too_few_have_no_fit() -> None:
    table = NULLS["missing prompts"](np.random.default_rng(5))
    assert fit_ratings_model(replace(table, score=np.full(len(table), 3.0))) is None
    assert fit_ratings_model(table.rows(np.arange(len(table)) < 3)) is None


def test_weights_of_a_mean_give_back_the_mean() -> None:
    table = NULLS["unequal loads"](np.random.default_rng(7))
    model = fitted(table)
    influences = model.influences(0, 1)
    # Residuals about the methods' means, weighted as the difference is: they add up to nothing.
    assert influences.sum() == pytest.approx(0, abs=1e-8)
    assert len(influences) == len(table)


@pytest.mark.parametrize("name", [name for name in NULLS if "three" not in name])
def test_difference_where_there_is_none_is_found_no_oftener_than_it_should_be(name: str) -> None:
    """The 99 % Monte Carlo interval of the share holds 5 %; `benchmarks.stats.ratings_false_positives` takes more."""
    rng = np.random.default_rng(20)
    studies, found = 40, 0
    for _ in range(studies):
        estimate, se, df = fitted(NULLS[name](rng)).difference(0, 1)
        assert df is not None
        found += bool(2 * scipy.special.stdtr(df, -abs(estimate / se)) < 0.05)
    low, high = monte_carlo_interval(found, studies)
    assert low <= 0.05 <= high


def monte_carlo_interval(found: int, studies: int, tail: float = 0.005) -> tuple[float, float]:
    """Return the exact interval of Clopper and Pearson."""
    low = float(scipy.special.betaincinv(found, studies - found + 1, tail)) if found else 0.0
    high = float(scipy.special.betaincinv(found + 1, studies - found, 1 - tail)) if found < studies else 1.0
    return low, high


def test_components_that_made_the_ratings_are_found_again() -> None:
    def spreads(seed: int) -> Floats:
        rng = np.random.default_rng(seed)
        found = fitted(drawn(rng.random((40, 60, 4)) < 0.3, rng)).variance
        return np.array(
            [found.evaluator, found.prompt, found.evaluator_method, found.prompt_method, found.residual]
        )

    mean = np.mean([spreads(seed) for seed in range(12)], axis=0)
    assert mean == pytest.approx(np.square(SPREADS), rel=0.2)
