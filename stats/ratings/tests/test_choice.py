"""Which analysis a study gets by its design, and that the report's numbers are those of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from stats.analysis import Analysis, analyse
from stats.conftest import Foreign
from stats.ratings.choice import choose
from stats.ratings.table import RatingTable
from stats.ratings.tests.designs import NULLS, drawn, three_raters
from stats.scores import ScoreTable


def pages(table: RatingTable) -> ScoreTable:
    """Return the ratings as pages; what nobody rated is missing."""
    shape = (len(table.evaluators), len(table.prompts), len(table.methods), len(table.criteria))
    scores = np.full(shape, np.nan)
    scores[table.evaluator, table.prompt, table.method, table.criterion] = table.score
    best = np.full(shape[:2], -1)
    return ScoreTable(scores, table.evaluators, table.prompts, table.methods, table.criteria, best)


def analysis_of(table: RatingTable, **options: Any) -> Analysis:
    primary = table.criteria[0].key
    return analyse(pages(table), primary=primary, rng=np.random.default_rng(1), resamples=50, **options)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        # Whoever rates a prompt rates all that there is of it.
        ("nested raters", "page differences"),
        ("one rater a text", "ratings model"),
        ("three raters, conditional", "these evaluators"),
        ("missing prompts", "ratings model"),
    ],
)
def test_design_decides_the_analysis(name: str, kind: str) -> None:
    table = NULLS[name](np.random.default_rng(1))
    assert choose(table, "overall").kind == kind


def test_complete_pages_and_pages_with_a_few_holes_are_compared_on_the_page() -> None:
    rated = np.ones((8, 12, 3), dtype=bool)
    assert choose(drawn(rated, np.random.default_rng(1)), "overall").kind == "page differences"
    rated[0, :2, 0] = False
    assert choose(drawn(rated, np.random.default_rng(1)), "overall").kind == "page differences"


def test_plan_may_choose_otherwise() -> None:
    table = drawn(np.ones((8, 12, 3), dtype=bool), np.random.default_rng(1))
    assert choose(table, "overall", "ratings model").kind == "ratings model"
    sparse = NULLS["missing prompts"](np.random.default_rng(1))
    assert choose(sparse, "overall", "page differences").kind == "page differences"


def test_incomplete_study_is_compared_by_all_its_ratings(foreign: Foreign) -> None:
    table = foreign("simplicity_da")
    found = analysis_of(table.of_methods([table.methods.index(name) for name in table.methods]))
    hybrid = found.comparison("simplicity", "ACCESS", "Hybrid")
    # lme4 on all ratings says -25.3; the 192 pages with both texts, of the same study, say -15.2.
    assert hybrid.crossed.method == "ratings model"
    assert hybrid.estimate == pytest.approx(-25.307832, abs=1e-4)
    assert hybrid.crossed.df == pytest.approx(672.26, rel=1e-4)
    assert hybrid.page_difference is not None
    assert hybrid.page_difference.estimate == pytest.approx(-15.205616, rel=1e-4)
    assert hybrid.page_difference.se == pytest.approx(5.246091, rel=1e-4)
    assert hybrid.page_difference.df == pytest.approx(25.1544, rel=1e-4)
    assert hybrid.p_holm is not None and hybrid.p_holm < 1e-12
    assert hybrid.robustness.cluster_robust is not None
    assert hybrid.robustness.cluster_robust.estimate == hybrid.estimate
    assert hybrid.robustness.cluster_robust.se == pytest.approx(hybrid.crossed.se, rel=0.5)
    [numbers] = found.as_dict()["analyses"]
    assert (numbers["kind"], numbers["generalises_to"]) == ("ratings model", "evaluators and prompts")
    json.dumps(found.as_dict(), allow_nan=False)


def test_three_raters_have_a_result_that_is_said_to_be_of_them_alone(foreign: Foreign) -> None:
    table = foreign("dialsummeval").for_criterion("coherence").of_methods([0, 1, 2])
    found = analysis_of(table)
    [comparison, *_] = [one for one in found.comparisons if one.criterion == "coherence"]
    assert comparison.p_holm is not None
    numbers = comparison.as_dict()
    assert (numbers["analysis"], numbers["generalises_to"]) == ("these evaluators", "prompts")
    assert "these_evaluators_only" in numbers["warnings"]
    assert comparison.robustness.sign_flip_prompts is not None


def test_holm_is_over_the_planned_pairs_and_the_others_are_exploratory() -> None:
    table = three_raters(np.random.default_rng(3))
    found = analysis_of(table, planned_pairs=[("m1", "m0"), ("m0", "m2")])
    planned = [one for one in found.comparisons if one.is_planned]
    assert [(one.a, one.b) for one in planned] == [("m0", "m1"), ("m0", "m2")]
    p_values = sorted(one.crossed.p for one in planned if one.crossed.p is not None)
    assert min(one.p_holm for one in planned if one.p_holm is not None) == pytest.approx(
        min(2 * p_values[0], 1)
    )
    assert all(one.p_holm is None for one in found.comparisons if not one.is_planned)
