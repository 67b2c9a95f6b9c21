"""Where each rule of quality control and of the protocols begins and ends (pure): at a share, at the end of a range."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from annotations.models import ErrorCategory, ErrorSeverity
from annotations.protocols.protocol import BadJudgement, Judged
from annotations.protocols.table import PROTOCOLS
from annotations.results.quality.checks import flags_of
from annotations.results.quality.known_answers import Known, met_answers
from annotations.results.quality.straight_lines import lines_of_ratings
from annotations.setup.quality.layout import with_known
from stats.groups.compared import FEWEST_PROMPTS, Grouping, GroupsCompared, groups_compared
from stats.judges.agreement import weighted_kappa
from stats.ratings.table import Picks, RatingTable
from stats.reports.quality_facts import EvaluatorChecks, Flag, QualityRules
from stats.scores import Criterion

RULES = QualityRules(
    known_pages=4,
    known_answer_share=0.5,
    repeats_per_subtask=0,
    training_pages=0,
    training_share=None,
    training_attempts=3,
    has_flags=True,
    hasty_seconds=5,
    flag_share=0.2,
)
NOTHING = EvaluatorChecks("E001", 4, 4, 10, 0, 10, 0, 10, 0, 0.0, 0, 0, False, ())


@pytest.mark.parametrize(
    ("checks", "flags"),
    [
        ({"known_right": 2}, ()),
        ({"known_right": 1}, ("known answers",)),
        ({"known": 0, "known_right": 0}, ()),
        ({"hasty": 2}, ()),
        ({"hasty": 3}, ("hasty",)),
        ({"straight": 2}, ()),
        ({"straight": 3}, ("straight lines",)),
        ({"left": 2}, ()),
        ({"left": 3}, ("left",)),
        ({"pasted": 1}, ("pasted",)),
        ({"timed": 0}, ()),
    ],
)
def test_a_flag_is_raised_beyond_its_share_and_not_at_it(
    checks: dict[str, int], flags: tuple[Flag, ...]
) -> None:
    assert flags_of(replace(NOTHING, **checks), RULES) == flags  # type: ignore[arg-type]


def test_flags_that_are_not_declared_are_not_raised_and_known_answers_are() -> None:
    careless = replace(NOTHING, known_right=0, hasty=9, straight=9, left=9, pasted=9)
    assert flags_of(careless, replace(RULES, has_flags=False)) == ("known answers",)


def table(
    *rows: tuple[int, int, int, float],
    lower_is_better: bool = False,
    overall: int = 0,
    picks: Picks | None = None,
) -> RatingTable:
    """Return a table of one page: rows of evaluator, method, criterion and score on scales from 1 to 5."""
    columns = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return RatingTable(
        evaluator=columns[:, 0].astype(np.int64),
        prompt=np.zeros(len(columns), dtype=np.int64),
        method=columns[:, 1].astype(np.int64),
        criterion=columns[:, 2].astype(np.int64),
        score=columns[:, 3],
        evaluators=("E001", "E002"),
        prompts=("1/1",),
        methods=("a", "b", "c"),
        criteria=tuple(
            Criterion(key, 1, 5, number == overall, lower_is_better)
            for number, key in enumerate(("clear", "true"))
        ),
        picks=picks or Picks.none(),
    )


def right(table: RatingTable, known: Known, *, has_best_picks: bool = False) -> list[tuple[str, bool]]:
    return [
        (one.evaluator, one.is_right) for one in met_answers(table, [known], has_best_picks=has_best_picks)
    ]


@pytest.mark.parametrize(("score", "is_right"), [(1, False), (2, True), (4, True), (5, False)])
def test_a_range_has_both_its_ends(score: float, is_right: bool) -> None:
    known = Known(1, "1/1", "a", "clear", 2, 4)
    assert right(table((0, 0, 0, score)), known) == [("E001", is_right)]


def test_the_best_text_is_better_than_all_others_of_its_evaluator_and_a_tie_is_none() -> None:
    known = Known(1, "1/1", "a", "clear", None, None)
    alone = [(0, 0, 0, 4.0), (0, 1, 0, 3.0)]
    assert right(table(*alone), known) == [("E001", True)]
    assert right(table(*alone, (0, 2, 0, 4.0)), known) == [("E001", False)]
    # What another evaluator says of the others has no part in it.
    assert right(table(*alone, (1, 2, 0, 5.0)), known) == [("E001", True)]
    assert right(table(*alone, lower_is_better=True), known) == [("E001", False)]
    lowest = [(0, 0, 0, 1.0), (0, 1, 0, 3.0)]
    assert right(table(*lowest, lower_is_better=True), known) == [("E001", True)]


def test_the_best_as_a_whole_is_by_the_overall_criterion() -> None:
    known = Known(1, "1/1", "a", None, None, None)
    rows = [(0, 0, 0, 1.0), (0, 1, 0, 5.0), (0, 0, 1, 5.0), (0, 1, 1, 1.0)]
    assert right(table(*rows, overall=1), known) == [("E001", True)]
    assert right(table(*rows, overall=0), known) == [("E001", False)]
    assert right(table(*rows, overall=9), known) == [("E001", False)]


def test_a_pick_says_something_where_the_text_was_shown_or_picked() -> None:
    one, other = np.array([0, 1]), np.array([0, 0])
    picks = Picks(evaluator=one, prompt=other, method=np.array([1, 0]), position=np.array([-1, -1]))
    known = Known(1, "1/1", "a", None, None, None)
    shown_to_nobody = table((0, 1, 0, 3.0), picks=picks)
    assert right(shown_to_nobody, known, has_best_picks=True) == [("E002", True)]
    shown_to_one = table((0, 0, 0, 3.0), picks=picks)
    assert right(shown_to_one, known, has_best_picks=True) == [("E001", False), ("E002", True)]


def test_a_line_is_told_from_three_ratings_on() -> None:
    two = table((0, 0, 0, 3.0), (0, 1, 0, 3.0))
    assert [one.tolist() for one in lines_of_ratings(two)] == [[1, 0], [0, 0], [0, 0]]
    three = table((0, 0, 0, 3.0), (0, 1, 0, 3.0), (0, 2, 0, 3.0))
    assert [one.tolist() for one in lines_of_ratings(three)] == [[1, 0], [1, 0], [1, 0]]
    uneven = table((0, 0, 0, 3.0), (0, 1, 0, 3.0), (0, 2, 0, 4.0))
    assert [one.tolist() for one in lines_of_ratings(uneven)] == [[1, 0], [1, 0], [0, 0]]


def test_no_sub_task_has_two_known_answers_more_than_another() -> None:

    for seed in range(20):
        batches = with_known(list(range(8)), ["k1", "k2", "k3"], size=4, rng=random.Random(seed))
        held = [sum(isinstance(one, str) for one in batch) for batch in batches]
        assert max(held) - min(held) <= 1


def test_weights_of_kappa_are_squares() -> None:
    """Cohen (1968): x = 1 2 3 3, y = 1 2 3 5; mean square 1, expected .6875 + 2.1875 + .25: kappa .68."""
    x, y = np.array([1.0, 2, 3, 3]), np.array([1.0, 2, 3, 5])
    assert weighted_kappa(x, y) == pytest.approx(1 - 1 / 3.125)


def test_a_penalty_is_that_of_the_pair_or_else_the_product_of_the_weights() -> None:
    category = ErrorCategory(key="punctuation", weight=2, penalties={"minor": 0.1})
    assert category.penalty(ErrorSeverity(key="minor", weight=1)) == 0.1
    assert category.penalty(ErrorSeverity(key="major", weight=5)) == 10


def test_each_protocol_says_how_many_texts_a_page_has() -> None:
    sizes = {key: (one.fewest, one.most) for key, one in PROTOCOLS.items() if one.answer is not None}
    assert sizes == {"pairwise": (2, 2), "ranking": (2, 12), "best_worst": (3, 12)}


def test_the_fourth_of_five_steps_is_a_preference_and_the_fourth_choice_says_both_are_bad() -> None:
    class AskedBy:
        preference_scale = "steps"

    answer = PROTOCOLS["pairwise"].answer
    assert answer is not None
    assert answer.read(AskedBy(), 4, None, 2) == Judged(preference=1)
    choice = AskedBy()
    choice.preference_scale = "choice"
    assert answer.read(choice, 4, None, 2) == Judged(preference=0, both_bad=True)


def test_half_an_order_is_taken_and_one_with_a_text_twice_or_too_many_is_not() -> None:
    class AskedBy:
        preference_scale = "choice"

    for key, most in (("ranking", 4), ("best_worst", 2)):
        answer = PROTOCOLS[key].answer
        assert answer is not None
        assert answer.read(AskedBy(), None, [1], 4).places == (1,)
        for places in ([1, 1], list(range(most + 1))):
            with pytest.raises(BadJudgement, match=f"at most {most} texts, each once"):
                answer.read(AskedBy(), None, places, 4)


def grouped(sizes: tuple[int, ...], prompts: int = 6) -> RatingTable:
    """Return ratings of two methods by groups of evaluators; the second method gains a point a group."""
    rng = np.random.default_rng(1)
    evaluators = [f"{group}-{number}" for group, size in enumerate(sizes) for number in range(size)]
    gains = [group for group, size in enumerate(sizes) for _ in range(size)]
    evaluator, prompt, method = (one.ravel() for one in np.indices((len(evaluators), prompts, 2)))
    return RatingTable(
        evaluator=evaluator,
        prompt=prompt,
        method=method,
        criterion=np.zeros(len(evaluator), dtype=np.int64),
        score=3 + method * np.array(gains)[evaluator] + rng.standard_normal(len(evaluator)) / 2,
        evaluators=tuple(evaluators),
        prompts=tuple(f"1/{number + 1}" for number in range(prompts)),
        methods=("a", "b"),
        criteria=(Criterion("overall", -9, 99, True),),
    )


def compared(sizes: tuple[int, ...], prompts: int = 6) -> tuple[GroupsCompared, ...]:
    found = grouped(sizes, prompts)
    return groups_compared(
        found, "overall", [Grouping("group", {one: one.split("-")[0] for one in found.evaluators})]
    )


def test_groups_are_two_to_six_of_three_evaluators_at_least() -> None:
    assert compared((3, 2)) == ()
    assert [one.group for one in compared((3, 3, 2))[0].groups] == ["0", "1"]
    assert len(compared((3,) * 6)[0].groups) == 6
    assert compared((3,) * 7) == ()


def test_a_difference_of_groups_is_the_second_less_the_first_and_corrected_over_all() -> None:
    (found,) = compared((4, 4, 4))
    assert [one.groups for one in found.differences] == [("0", "1"), ("0", "2"), ("1", "2")]
    for one in found.differences:
        assert one.first is not None
        assert one.second is not None
        assert one.crossed.estimate == pytest.approx(one.second - one.first)
        assert (one.crossed.estimate or 0) > 0
        assert one.p_holm is not None
        assert one.crossed.p is not None
    largest = max(found.differences, key=lambda one: one.crossed.p or 0)
    smallest = min(found.differences, key=lambda one: one.crossed.p or 0)
    assert smallest.p_holm == pytest.approx(min(1.0, 3 * (smallest.crossed.p or 0)))
    assert (largest.p_holm or 0) >= (largest.crossed.p or 0)


def test_with_fewer_than_five_prompts_groups_are_described_alone() -> None:
    assert FEWEST_PROMPTS == 5
    few, enough = compared((3, 3), prompts=4)[0], compared((3, 3), prompts=5)[0]
    assert [one.crossed.descriptive_only for one in (*few.differences, *enough.differences)] == [True, False]
