"""The ordinal check of a study and how strict its evaluators are."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import stats.ordinal.check
from stats.analysis import analyse
from stats.ordinal.check import OrdinalCheck, joined, ordinal_check, superiority
from stats.ordinal.severity import severity
from stats.ratings.table import RatingTable
from stats.ratings.tests.designs import drawn
from stats.scores import Bools, Criterion

PAIRS: dict[tuple[str, str], float | None] = {("m0", "m1"): 20.0, ("m0", "m2"): 20.0, ("m1", "m2"): None}


def study(
    rated: Bools | None = None, *, shift: float = 0.0, strict: float = 0.0, seed: int = 1, top: int = 5
) -> RatingTable:
    """Ten evaluators, fifteen prompts, three methods; `shift` lifts the second, `strict` the odd evaluators lower."""
    everything = np.ones((10, 15, 3), dtype=np.bool_)
    table = drawn(
        everything if rated is None else rated, np.random.default_rng(seed), (0.3, 0.5, 0.2, 0.3, 0.8)
    )
    worth = 3 + table.score + shift * (table.method == 1) - strict * (table.evaluator % 2)
    scale = (Criterion("overall", 1, top, is_overall=True),)
    return replace(table, score=np.clip(np.rint(worth * top / 5), 1, top), criteria=scale)


def check(table: RatingTable) -> OrdinalCheck:
    return ordinal_check(table, "overall", PAIRS)


def test_a_clear_difference_is_found_and_pairs_without_a_primary_test_are_left_out() -> None:
    found = check(study(shift=1.0))
    assert found.refusal is None
    assert [(one.a, one.b) for one in found.contrasts] == [("m0", "m1"), ("m0", "m2")]
    lifted = found.contrast("m0", "m1")
    assert lifted is not None and lifted.ci[0] > 0 and lifted.p < 0.01
    assert 0.5 < lifted.superiority_ci[0] < lifted.superiority < lifted.superiority_ci[1] < 1
    assert set(found.deviations) == {"evaluator", "prompt", "evaluator:method", "prompt:method"}
    json.dumps(found.as_dict(), allow_nan=False)


def test_scores_turned_round_turn_the_log_odds_round() -> None:
    table = study(shift=0.5)
    one, other = check(table), check(replace(table, score=6 - table.score))
    for contrast, turned in zip(one.contrasts, other.contrasts, strict=True):
        assert turned.log_odds == pytest.approx(-contrast.log_odds, abs=1e-4)
        assert turned.superiority == pytest.approx(1 - contrast.superiority, abs=1e-4)


def test_points_that_nobody_gave_are_merged_and_counted() -> None:
    table = study(shift=0.5)
    spread = replace(table, score=2 * table.score, criteria=(Criterion("overall", 1, 10),))
    found = check(spread)
    assert (found.categories, found.unused, found.is_grouped) == (5, 4, False)
    same = check(table).contrast("m0", "m1")
    merged = found.contrast("m0", "m1")
    assert same is not None and merged is not None
    assert merged.log_odds == pytest.approx(same.log_odds)


def test_slider_scores_are_grouped() -> None:
    found = check(study(shift=1.0, top=100))
    assert found.is_grouped
    assert 5 <= found.categories <= 10
    assert found.unused == 0
    assert found.contrasts[0].ci[0] > 0


def test_method_always_at_the_top_is_penalised_and_has_a_finite_estimate() -> None:
    table = study()
    found = check(replace(table, score=np.where(table.method == 1, 5.0, np.minimum(table.score, 5))))
    assert found.penalised == ("m1",)
    assert found.refusal is None
    contrast = found.contrast("m0", "m1")
    assert contrast is not None and np.isfinite(contrast.log_odds) and contrast.log_odds > 2


@pytest.mark.parametrize(
    ("rated", "score", "reason"),
    [
        (np.ones((5, 15, 3), dtype=np.bool_), None, "too few evaluators or prompts"),
        (None, 3.0, "one score"),
    ],
)
def test_what_cannot_be_checked_says_why(rated: Bools | None, score: float | None, reason: str) -> None:
    table = study(rated)
    if score is not None:
        table = replace(table, score=np.full(len(table), score))
    found = check(table)
    assert (found.refusal, found.contrasts) == (reason, ())


def test_too_many_ratings_are_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats.ordinal.check, "MOST_RATINGS", 100)
    assert check(study()).refusal == "too many ratings"
    monkeypatch.setattr(stats.ordinal.check, "MOST_RATINGS", 1_000)
    monkeypatch.setattr(stats.ordinal.check, "MOST_LEVELS", 10)
    assert check(study()).refusal == "too many ratings"


def test_comparison_is_flagged_where_the_check_concludes_otherwise() -> None:
    analysis = analyse(study(shift=1.0), primary="overall", rng=np.random.default_rng(1), resamples=50)
    found = check(study(shift=1.0))
    agreeing = joined(analysis.comparisons, found, 0.05)
    assert [one.conclusion_depends_on_method for one in agreeing] == [
        one.conclusion_depends_on_method for one in analysis.comparisons
    ]
    other = replace(found, contrasts=tuple(replace(one, p=0.9) for one in found.contrasts))
    first, *_ = joined(analysis.comparisons, other, 0.05)
    assert first.crossed.p is not None and first.crossed.p < 0.05
    assert first.conclusion_depends_on_method


def test_superiority_is_that_of_drawn_logistic_numbers() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.logistic(size=(2, 200_000))
    for shift in (-2.0, 0.5, 3.0):
        assert superiority(shift) == pytest.approx((one + shift > other).mean(), abs=0.005)
    assert superiority(1e-5) == pytest.approx(superiority(2e-4), abs=1e-4)
    assert (superiority(800.0), superiority(-800.0)) == (1.0, 0.0)


def test_strict_evaluators_are_found_and_the_others_are_lenient() -> None:
    found = severity(study(strict=1.0), "overall")
    assert found.refusal is None
    strict = [one for one in found.evaluators if int(one.evaluator[1:]) % 2]
    lenient = [one for one in found.evaluators if not int(one.evaluator[1:]) % 2]
    assert min(one.severity for one in strict) > max(one.severity for one in lenient)
    assert sum(one.severity for one in found.evaluators) == pytest.approx(0, abs=1e-9)
    assert found.separation is not None and found.separation > 0.8
    assert all(one.ratings == 45 and one.ci[0] < one.severity < one.ci[1] for one in found.evaluators)
    json.dumps(found.as_dict(), allow_nan=False)


def test_complete_ratings_have_the_same_order_of_raw_and_fair_averages() -> None:
    found = severity(study(shift=0.7), "overall")
    assert not found.order_differs
    for one in found.averages:
        assert one.fair == pytest.approx(one.raw, abs=0.1)


def test_fair_averages_set_right_what_strict_evaluators_did_to_a_method() -> None:
    """The odd evaluators are two points stricter and rate the better method most of the time."""
    rng = np.random.default_rng(3)
    rated = np.ones((10, 15, 3), dtype=np.bool_)
    rated[::2, :, 1] = rng.random((5, 15)) < 0.25
    rated[1::2, :, 0] = rng.random((5, 15)) < 0.25
    found = severity(study(rated, shift=0.6, strict=1.6, top=10), "overall")
    raw = {one.method: one.raw for one in found.averages}
    fair = {one.method: one.fair for one in found.averages}
    assert raw["m1"] < raw["m0"]
    assert fair["m1"] > fair["m0"]
    assert found.order_differs


def test_erratic_evaluator_has_a_high_infit() -> None:
    table = study()
    noise = np.random.default_rng(2).integers(1, 6, size=len(table))
    found = severity(replace(table, score=np.where(table.evaluator == 0, noise, table.score)), "overall")
    erratic, *others = found.evaluators
    assert erratic.infit > 1.5 and not erratic.fits
    assert max(one.infit for one in others) < erratic.infit


@pytest.mark.parametrize("design", ["one rating a text", "not connected", "one score"])
def test_severities_that_cannot_be_told_say_why(design: str) -> None:
    rated = np.ones((10, 15, 3), dtype=np.bool_)
    if design == "one rating a text":
        rated = np.arange(10)[:, np.newaxis, np.newaxis] == (np.arange(45) % 10).reshape(15, 3)
    elif design == "not connected":
        rated[:5, 8:] = rated[5:, :8] = False
    table = study(rated)
    if design == "one score":
        table = replace(table, score=np.full(len(table), 3.0))
    found = severity(table, "overall")
    assert (found.refusal, found.evaluators, found.order_differs) == (design, (), False)
