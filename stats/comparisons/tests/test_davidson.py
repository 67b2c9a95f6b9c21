"""Strengths of published comparisons, and of made ones by other implementations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import choix
import numpy as np
import pytest
import scipy

from stats.comparisons.davidson import davidson
from stats.comparisons.fragility import circles, fewest_to_flip
from stats.comparisons.pairs import Pairs, pairs_of
from stats.ratings.table import RatingTable
from stats.scores import Criterion, Floats

GOLDEN = Path(__file__).parents[4] / "shared" / "reference" / "golden_examples.json"
Teams = tuple[Pairs, dict[str, Any]]


def pairs(methods: int, rows: list[tuple[int, int, int]], *, first: bool = False, clusters: int = 1) -> Pairs:
    """Return comparisons (a, b, outcome); with `first` a was shown before b."""
    a, b, outcome = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    place = np.arange(len(a))
    return Pairs(
        methods=tuple(f"m{number}" for number in range(methods)),
        a=a,
        b=b,
        outcome=outcome,
        evaluator=place % clusters,
        prompt=(place // clusters) % clusters,
        page=place,
        covariates=np.ones((len(a), 1)) if first else np.empty((len(a), 0)),
        names=("first",) if first else (),
    )


@pytest.fixture(scope="module")
def baseball() -> Teams:
    """The games of 1987 between seven teams at home and away (Agresti 2002, table 10.10), with its published fit."""
    if not GOLDEN.exists():
        pytest.skip("the published examples are not beside the project")
    golden = json.loads(GOLDEN.read_text())["bradley_terry_baseball"]
    found = (
        golden["rows"] if isinstance(golden["rows"], list) else json.loads(golden["rows"].replace("'", '"'))
    )
    teams = sorted({row[0] for row in found})
    rows = [
        (teams.index(home), teams.index(away), outcome)
        for home, away, won, lost in found
        for outcome in [1] * won + [-1] * lost
    ]
    games = pairs(len(teams), rows, first=True)
    return Pairs(**{**vars(games), "methods": tuple(teams)}), golden


@pytest.mark.parametrize("with_order", [False, True])
def test_baseball_of_1987_has_the_published_strengths_and_errors(baseball: Teams, with_order: bool) -> None:
    games, golden = baseball
    fit = davidson(games if with_order else games.only(()))
    assert fit is not None
    baltimore = games.methods.index("Baltimore")
    for team, (strength, error) in golden["with_order" if with_order else "plain"].items():
        if team == "at_home":
            assert fit.gamma[0] == pytest.approx(strength, abs=5e-5)
            assert np.sqrt(fit.inverse_information[-1, -1]) == pytest.approx(error, abs=5e-5)
            continue
        contrast = np.zeros(len(fit.inverse_information))
        contrast[games.methods.index(team)], contrast[baltimore] = 1, -1
        assert contrast[:7] @ fit.strengths == pytest.approx(strength, abs=5e-5)
        assert np.sqrt(contrast @ fit.inverse_information @ contrast) == pytest.approx(error, abs=5e-5)


def test_shares_of_strength_in_baseball_are_the_published_ones(baseball: Teams) -> None:
    fit = davidson(baseball[0])
    assert fit is not None
    worth = np.exp(fit.strengths)
    assert sorted((worth / worth.sum()).round(3).tolist()) == [
        0.044,
        0.088,
        0.137,
        0.157,
        0.164,
        0.190,
        0.220,
    ]


@pytest.fixture
def made() -> Pairs:
    """Comparisons of five methods with ties, of which the first shown is somewhat preferred."""
    rng = np.random.default_rng(7)
    strengths = np.array([0.0, 0.3, 0.6, 1.0, 1.2])
    rows = []
    for _ in range(600):
        a, b = rng.choice(5, 2, replace=False)
        eta = strengths[a] - strengths[b] + 0.4
        odds = np.array([np.exp(eta / 2), 0.5, np.exp(-eta / 2)])
        rows.append((int(a), int(b), int(rng.choice([1, 0, -1], p=odds / odds.sum()))))
    return pairs(5, rows, first=True, clusters=24)


def test_strengths_with_ties_and_order_maximise_the_likelihood_as_a_general_optimiser_finds_it(
    made: Pairs,
) -> None:
    def loss(parameters: Floats) -> float:
        strengths, gamma, log_nu = np.append(0.0, parameters[:4]), parameters[4], parameters[5]
        eta = strengths[made.a] - strengths[made.b] + gamma
        terms = np.stack([-eta / 2, np.full(len(eta), log_nu), eta / 2])
        return float(
            (scipy.special.logsumexp(terms, axis=0) - terms[made.outcome + 1, np.arange(len(eta))]).sum()
        )

    best = scipy.optimize.minimize(loss, np.zeros(6), method="BFGS", options={"gtol": 1e-8})
    fit = davidson(made)
    assert fit is not None
    assert fit.strengths - fit.strengths[0] == pytest.approx(np.append(0.0, best.x[:4]), abs=1e-4)
    assert fit.gamma[0] == pytest.approx(best.x[4], abs=1e-4)
    assert np.log(fit.nu) == pytest.approx(best.x[5], abs=1e-4)


def test_strengths_without_ties_are_those_of_choix(made: Pairs) -> None:
    decided = made.rows(made.outcome != 0).only(())
    fit = davidson(decided)
    assert fit is not None
    won = [
        (int(a), int(b)) if outcome > 0 else (int(b), int(a))
        for a, b, outcome in zip(decided.a, decided.b, decided.outcome, strict=True)
    ]
    assert fit.strengths == pytest.approx(choix.opt_pairwise(5, won), abs=1e-5)


def test_errors_of_clusters_of_one_are_those_of_a_sandwich(made: Pairs) -> None:
    fit = davidson(made)
    assert fit is not None
    assert fit.errors is not None
    plain = np.sqrt(np.diag(fit.inverse_information))
    # 576 clusters of evaluator and prompt: the model is right, so both errors estimate the same.
    assert fit.errors[:5] == pytest.approx(plain[:5], rel=0.5)


def test_a_method_that_lost_everything_keeps_a_finite_strength() -> None:
    fit = davidson(pairs(3, [(0, 1, -1)] * 5 + [(1, 2, -1)] * 3 + [(1, 2, 1)] * 2))
    assert fit is not None
    assert fit.is_regularised
    assert np.isfinite(fit.strengths).all()
    assert fit.strengths.argmin() == 0


def test_a_covariate_that_says_nothing_of_its_own_is_left_out_by_name(made: Pairs) -> None:
    of_method = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    collinear = (of_method[made.a] - of_method[made.b])[:, np.newaxis]
    more = Pairs(
        **{**vars(made), "covariates": np.hstack([made.covariates, collinear]), "names": ("first", "size")}
    )
    fit = davidson(more)
    assert fit is not None
    assert (fit.pairs.names, fit.left_out) == (("first",), ("size",))


def test_without_comparisons_nothing_is_fitted() -> None:
    assert davidson(pairs(3, [])) is None


# How few judgements hold a first place up


def test_without_the_judgements_that_are_named_another_method_is_first() -> None:
    rows = [(0, 1, 1)] * 12 + [(0, 1, -1)] * 8 + [(1, 2, 1)] * 12 + [(1, 2, -1)] * 6
    rows += [(0, 2, 1)] * 12 + [(0, 2, -1)] * 6
    everything = pairs(3, rows)
    fit = davidson(everything)
    assert fit is not None
    flip = fewest_to_flip(fit)
    assert flip is not None
    assert (flip.first, flip.second, flip.all_judgements) == ("m0", "m1", len(rows))
    # Of 12 to 8 four more losses make a tie, and the fifth the fall; wins over the third count less.
    assert flip.judgements in (4, 5)
    assert not flip.is_fragile


def test_a_close_race_is_fragile_and_a_clear_one_is_not() -> None:
    close = davidson(pairs(2, [(0, 1, 1)] * 501 + [(0, 1, -1)] * 500))
    clear = davidson(pairs(2, [(0, 1, 1)] * 900 + [(0, 1, -1)] * 100))
    assert close is not None
    assert clear is not None
    narrow, wide = fewest_to_flip(close), fewest_to_flip(clear)
    assert narrow is not None
    assert (narrow.judgements, narrow.is_fragile) == (2, True)
    assert wide is not None
    assert wide.judgements == pytest.approx(801, abs=20)


@pytest.mark.parametrize(
    "rows",
    [[(0, 1, 1)] * 4 + [(0, 1, -1)] * 4, [(0, 1, 1), (0, 1, -1)] * 3 + [(0, 1, 0)] * 2, [(0, 1, 0)] * 8],
)
def test_of_methods_that_are_equal_none_has_a_first_place_to_lose(rows: list[tuple[int, int, int]]) -> None:
    fit = davidson(pairs(2, rows))
    assert fit is not None
    assert fewest_to_flip(fit) is None


# Preferences in a circle


def test_a_circle_of_three_methods_is_found_and_tested() -> None:
    rows = ([(0, 1, 1), (1, 2, 1), (2, 0, 1)] * 4 + [(1, 0, 1)]) * 30
    rows += [(0, 3, 1), (1, 3, 1), (2, 3, 1), (3, 0, 1)] * 30
    fit = davidson(pairs(4, rows, clusters=20))
    assert fit is not None
    (circle,) = circles(fit)
    assert set(circle.methods) == {"m0", "m1", "m2"}
    assert circle.p is not None
    assert circle.p < 0.001


def test_strengths_alone_make_no_circle(made: Pairs) -> None:
    fit = davidson(made)
    assert fit is not None
    assert all(one.p is None or one.p > 0.05 for one in circles(fit))


# Comparisons from scores


def table(scores: Floats, positions: Any = None) -> RatingTable:
    """Return scores (E, P, M) as ratings on one criterion."""
    evaluator, prompt, method = np.nonzero(~np.isnan(scores))
    e, p, m = scores.shape
    return RatingTable(
        evaluator=evaluator,
        prompt=prompt,
        method=method,
        criterion=np.zeros(len(evaluator), dtype=np.int64),
        score=scores[evaluator, prompt, method],
        evaluators=tuple(f"e{number}" for number in range(e)),
        prompts=tuple(f"p{number}" for number in range(p)),
        methods=tuple(f"m{number}" for number in range(m)),
        criteria=(Criterion("overall", 0, 1),),
        position=None if positions is None else positions[evaluator, prompt, method],
    )


def test_pages_give_each_pair_once_with_the_first_shown_first() -> None:
    nan = np.nan
    scores = np.array([[[1, 0, 0.5], [0.5, nan, 0.5]]])
    positions = np.array([[[2, 0, 1], [1, -1, 0]]])
    found = pairs_of(
        table(scores, positions), "overall", ties=True, of_texts={"size": np.arange(6.0).reshape(2, 3)}
    )
    assert list(zip(found.a.tolist(), found.b.tolist(), found.outcome.tolist(), strict=True)) == [
        (1, 0, -1),
        (2, 0, -1),
        (1, 2, -1),
        (2, 0, 0),
    ]
    assert found.covariates.tolist() == [[1, 1], [1, 2], [1, -1], [1, 2]]
    assert len(pairs_of(table(scores, positions), "overall", ties=False)) == 3


def test_a_place_that_decides_every_comparison_is_left_out_and_the_methods_are_equal() -> None:
    rows = [(a, b, 1) for a in range(3) for b in range(3) if a != b]
    fit = davidson(pairs(3, rows * 4, first=True, clusters=2))
    assert fit is not None
    assert (fit.left_out, fit.pairs.names, fit.gamma.size) == (("first",), (), 0)
    assert fit.strengths == pytest.approx([0, 0, 0])
    assert fit.covariance is not None
    assert np.isfinite(fit.covariance).all()
