"""Agreement over characters, against Krippendorff's own package and against sets of characters."""

from __future__ import annotations

from itertools import combinations

import krippendorff
import numpy as np
import pytest
import scipy

from stats.mixed import crossed_mean_of_cells
from stats.ratings.table import RatingTable
from stats.scores import Criterion, ScoreTable
from stats.spans.agreement import Marks, character_agreement
from stats.spans.facts import KindNames, span_facts


def drawn(seed: int, *, texts: int = 12, people: int = 4) -> Marks:
    """Draw overlapping marks of some evaluators in texts that not everybody has marked."""
    rng = np.random.default_rng(seed)
    length = rng.integers(5, 60, texts)
    done = [(person, text) for person in range(people) for text in range(texts) if rng.random() < 0.8]
    rows = []
    for person, text in done:
        for _ in range(rng.integers(0, 4)):
            start, end = sorted(rng.integers(0, length[text] + 1, 2).tolist())
            if start < end:
                rows.append((person, text, start, end))
    evaluator, of_text, start_at, end_at = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    by, of = np.array(done, dtype=np.int64).T
    return Marks(evaluator, of_text, start_at, end_at, by, of, length, np.arange(texts))


def characters(marks: Marks, person: int, text: int) -> set[int]:
    own = (marks.evaluator == person) & (marks.text == text)
    stretches = zip(marks.start[own], marks.end[own], strict=True)
    return {place for start, end in stretches for place in range(start, end)}


def several(marks: Marks) -> list[tuple[int, list[int]]]:
    found = [
        (text, marks.done_evaluator[marks.done_text == text].tolist()) for text in range(len(marks.length))
    ]
    return [(text, people) for text, people in found if len(people) > 1]


@pytest.mark.parametrize("seed", range(5))
def test_f1_is_that_of_sets_of_characters_over_all_pairs(seed: int) -> None:
    marks = drawn(seed)
    both = one = 0
    for text, people in several(marks):
        for a, b in combinations(people, 2):
            marked = characters(marks, a, text), characters(marks, b, text)
            both += 2 * len(marked[0] & marked[1])
            one += len(marked[0]) + len(marked[1])
    found = character_agreement(marks, rng=np.random.default_rng(1))
    assert found.texts == len(several(marks))
    assert found.f1 == pytest.approx(both / one, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_alpha_is_that_of_the_published_package(seed: int) -> None:
    marks = drawn(seed)
    columns = []
    for text, people in several(marks):
        marked = {person: characters(marks, person, text) for person in people}
        columns += [
            [float(place in marked[one]) if one in marked else np.nan for one in range(4)]
            for place in range(marks.length[text])
        ]
    expected = krippendorff.alpha(np.array(columns).T, level_of_measurement="nominal")
    found = character_agreement(marks, rng=np.random.default_rng(1))
    assert found.alpha == pytest.approx(expected, abs=1e-12)
    assert found.alpha is not None
    assert found.alpha_ci is not None
    assert found.alpha_ci[0] < found.alpha < found.alpha_ci[1]


def test_agreement_is_undefined_where_nobody_marked_anything_or_alone() -> None:
    nothing = np.empty(0, dtype=np.int64)
    nobody = Marks(
        nothing, nothing, nothing, nothing, np.array([0, 1]), np.array([0, 0]), np.array([9]), np.array([0])
    )
    found = character_agreement(nobody, rng=np.random.default_rng(1))
    assert (found.texts, found.f1, found.alpha, found.f1_ci) == (1, None, None, None)
    zero, nine = np.array([0]), np.array([9])
    alone = Marks(zero, zero, zero, np.array([4]), zero, zero, nine, zero)
    assert character_agreement(alone, rng=np.random.default_rng(1)).texts == 0


def test_marks_are_counted_by_method_and_kind() -> None:
    marks = Marks(
        evaluator=np.array([0, 0, 1]),
        text=np.array([0, 1, 1]),
        start=np.array([0, 2, -1]),
        end=np.array([3, 4, -1]),
        done_evaluator=np.array([0, 0, 1, 1]),
        done_text=np.array([0, 1, 0, 1]),
        length=np.array([10, 10]),
        prompt=np.array([0, 0]),
    )
    found = span_facts(
        marks,
        category=np.array([0, 0, 1]),
        severity=np.array([0, 1, 1]),
        method=np.array([0, 1]),
        methods=("a", "b"),
        categories=KindNames(["x", "y"], ["X", "Y"], [{"minor": 1.0}, {"minor": 2.0}]),
        severities=KindNames(["minor", "major"], ["Minor", "Major"]),
        criteria=("penalty", None),
        seed=1,
    )
    assert (found.marks, found.markings) == (3, 4)
    assert [(one.markings, one.per_text, one.without) for one in found.methods] == [
        (2, 0.5, 0.5),
        (2, 1.0, 0.0),
    ]
    assert found.methods[1].by_category == {"x": 0.5, "y": 0.5}
    assert found.methods[1].by_severity == {"minor": 0.0, "major": 1.0}
    assert [kind.marks for kind in found.categories] == [2, 1]


# Penalties are sums of few errors, skewed and often 0: whether the crossed interval holds them is tried here.
EVALUATORS, PROMPTS = 12, 30
RATE, MORE = 1.2, 0.5


def penalties(rng: np.random.Generator, evaluators: int, prompts: int) -> np.ndarray:
    """Draw MQM penalties (E, P, 2): minor errors cost 1, major ones 5, and the second method makes more of them."""
    strictness = rng.gamma(4, 1 / 4, (evaluators, 1, 1))
    liking = rng.gamma(25, 1 / 25, (evaluators, 1, 2))
    hardness = rng.gamma(2, 1 / 2, (1, prompts, 1)) * rng.gamma(4, 1 / 4, (1, prompts, 2))
    rate = np.array([RATE, RATE + MORE]) * strictness * liking * hardness
    return rng.poisson(rate * 0.8) + 5.0 * rng.poisson(rate * 0.2)


def test_the_interval_of_a_difference_in_penalties_holds_it_as_often_as_it_says() -> None:
    # All the factors have mean 1: an error of the second method more costs 0.8 * 1 + 0.2 * 5.
    truth, held, studies = MORE * (0.8 + 0.2 * 5), 0, 600
    for seed in range(studies):
        scores = penalties(np.random.default_rng(5_000 + seed), EVALUATORS, PROMPTS)
        table = RatingTable.of_scores(
            ScoreTable(
                scores=scores[..., np.newaxis],
                best=np.full((EVALUATORS, PROMPTS), -1),
                evaluators=tuple(f"e{number}" for number in range(EVALUATORS)),
                prompts=tuple(f"p{number}" for number in range(PROMPTS)),
                methods=("a", "b"),
                criteria=(Criterion("penalty", 0, 1000, is_overall=True, lower_is_better=True),),
            )
        )
        found = crossed_mean_of_cells(table.for_criterion("penalty").pages().pair(0, 1).differences)
        assert found.ci is not None
        held += found.ci[0] <= truth <= found.ci[1]
    low = float(scipy.stats.beta.ppf(0.005, held, studies - held + 1))
    high = float(scipy.stats.beta.ppf(0.995, held + 1, studies - held))
    assert low <= 0.95 <= high, held / studies
