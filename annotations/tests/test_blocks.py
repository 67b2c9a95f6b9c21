"""Where not all texts of a prompt share a page, who sees which is balanced and connected."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from annotations.models import Enrolment, Placement, Rating, Study
from annotations.plan.rehearsal import rehearse
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.questionnaire.blocks import balanced_blocks, block_order, cycle_length
from annotations.questionnaire.progress import progress_of
from annotations.recruiting.enrolment import enrol
from annotations.results.report import study_report
from annotations.setup.lifecycle import block_obstacles, close_study, material_obstacles
from annotations.setup.material import material_checks
from annotations.setup.study import change_study
from annotations.tests.cast import build_study, build_user
from generation.refusals import Refused


def pairs(blocks: list[tuple[int, ...]], methods: int) -> list[int]:
    """Count how often each two methods stand together."""
    counted = Counter(pair for block in blocks for pair in combinations(sorted(block), 2))
    return [counted[pair] for pair in combinations(range(methods), 2)]


@pytest.mark.parametrize("methods", range(2, 13))
def test_every_pair_of_up_to_twelve_methods_stands_together_equally_often(methods: int) -> None:
    for size in range(2, methods + 1):
        blocks = balanced_blocks(methods, size)
        assert all(len(set(block)) == size for block in blocks)
        assert len(set(Counter(item for block in blocks for item in block).values())) == 1
        assert len(set(pairs(list(blocks), methods))) == 1


@pytest.mark.parametrize(("methods", "size"), [(20, 2), (20, 3), (20, 4), (20, 10), (26, 13)])
def test_every_pair_of_twenty_methods_stands_together_nearly_equally_often(methods: int, size: int) -> None:
    blocks = list(balanced_blocks(methods, size))
    counted = pairs(blocks, methods)
    mean = len(blocks) * size * (size - 1) / methods / (methods - 1)
    assert max(abs(count - mean) for count in counted) <= (0 if size == 2 else 2)
    assert len({sum(item in block for block in blocks) for item in range(methods)}) == 1


@pytest.mark.parametrize(("seed", "methods", "cycles"), [(1, 3, 3), (2, 4, 2), (3, 5, 1), (4, 7, 1)])
def test_a_full_cycle_of_pages_has_every_pair_equally_often_and_after_two_on_both_sides(
    seed: int, methods: int, cycles: int
) -> None:
    length = cycle_length(methods, 2)
    orders = [
        tuple(block_order(seed=seed, of="s", place=place, methods=methods, size=2))
        for place in range(2 * cycles * length)
    ]
    for start in range(0, len(orders), length):
        assert set(pairs(orders[start : start + length], methods)) == {1}
    assert set(Counter(orders).values()) == {cycles}
    assert len(set(orders)) == methods * (methods - 1)


def connected(pages: list[set[int]], methods: int) -> bool:
    """Whether every method is reached from the first one over methods that share a page."""
    reached = {0}
    for _ in range(methods):
        reached = reached.union(*(page for page in pages if page & reached))
    return len(reached) == methods


def shown(study: Study) -> dict[tuple[int, int], list[int]]:
    """Return the methods of each page of each evaluator in their places, by the numbers of sub-task and place."""
    rows = Placement.objects.filter(enrolment__study=study).order_by(
        "page__subtask__number", "enrolment__number", "page__number", "position"
    )
    found: dict[tuple[int, int], list[int]] = {}
    for subtask, enrolment, page, key in rows.values_list(
        "page__subtask__number", "enrolment__number", "page__number", "candidate__run__method__key"
    ):
        found.setdefault((subtask, enrolment * 1000 + page), []).append(int(key.removeprefix("method-")))
    return found


@pytest.mark.parametrize(("methods", "size", "evaluators"), [(5, 2, 4), (6, 3, 2), (20, 2, 38)])
def test_enrolled_evaluators_see_blocks_that_connect_all_methods_within_each_subtask(
    db: None, methods: int, size: int, evaluators: int
) -> None:
    study = build_study(prompts=10, methods=methods, pages_per_subtask=5)
    Study.objects.filter(pk=study.pk).update(candidates_per_page=size)
    study.refresh_from_db()
    for number in range(evaluators):
        enrol(study, build_user(f"rater-{number}"))
    pages = shown(study)
    assert len(pages) == 10 * evaluators
    assert {len(page) for page in pages.values()} == {size}
    for subtask in (1, 2):
        of_subtask = [tuple(page) for (number, _), page in sorted(pages.items()) if number == subtask]
        assert len(set(pairs(of_subtask, methods))) == 1
        assert connected([set(page) for page in of_subtask], methods)


def test_a_prompt_that_lacks_a_text_has_blocks_of_those_there_are(db: None, alice: User) -> None:
    study = build_study(prompts=2, methods=4)
    study.subtasks.get().pages.earliest("number").page_candidates.order_by("study_method__number")[0].delete()
    Study.objects.update(candidates_per_page=2, allows_missing_texts=True)
    study.refresh_from_db()
    for number in range(3):
        enrol(study, build_user(f"rater-{number}"))
    first = [tuple(page) for (_, place), page in sorted(shown(study).items()) if place % 1000 == 1]
    assert sorted(tuple(sorted(page)) for page in first) == [(1, 2), (1, 3), (2, 3)]


def test_an_evaluator_is_asked_about_the_texts_of_the_block_alone(db: None) -> None:
    study = build_study(prompts=4, methods=6)
    Study.objects.update(candidates_per_page=3)
    study.refresh_from_db()
    enrolments = simulate_ratings(study, evaluators=10, seed=1)
    assert Rating.objects.count() == 10 * 4 * 3 * 2
    progress = progress_of(enrolments)
    assert {(one.answered, one.total) for one in progress.values()} == {(4 * (3 * 2 + 1), 4 * (3 * 2 + 1))}
    close_study(study)
    report = study_report(study)
    assert (report.participants.finished, report.study.missing_texts) == (10, 0)
    assert report.analysis is not None
    assert len(report.analysis.comparisons) == 15 * 2


def test_a_rehearsal_of_blocks_goes_the_way_of_a_browser(db: None) -> None:
    study = build_study(prompts=3, methods=5)
    Study.objects.update(candidates_per_page=2)
    study.refresh_from_db()
    copy = rehearse(study, evaluators=4, effects=Effects(), seed=1)
    assert (copy.candidates_per_page, study_report(copy).participants.finished) == (2, 4)


# What a draft may say of its pages


@pytest.fixture
def draft(db: None) -> Study:
    study = build_study(prompts=6, methods=5)
    Study.objects.filter(pk=study.pk).update(state="draft")
    study.refresh_from_db()
    return study


def test_pairwise_pages_have_two_texts_and_no_pick(draft: Study) -> None:
    changed = change_study(draft, by=None, protocol="pairwise")
    assert changed == ("protocol", "candidates_per_page", "has_best_picks")
    assert (draft.candidates_per_page, draft.has_best_picks, draft.signed_off_at) == (2, False, None)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"protocol": "pairwise", "candidates_per_page": 3}, "candidates_per_page"),
        ({"protocol": "best_worst", "candidates_per_page": 2}, "candidates_per_page"),
        ({"candidates_per_page": 1}, "candidates_per_page"),
        ({"candidates_per_page": 27}, "candidates_per_page"),
        ({"protocol": "duel"}, "protocol"),
        ({"preference_scale": "stars"}, "preference_scale"),
    ],
)
def test_pages_that_cannot_be_are_refused_by_their_field(
    draft: Study, fields: dict[str, Any], name: str
) -> None:
    with pytest.raises(ValidationError) as error:
        change_study(draft, by=None, **fields)
    assert set(error.value.message_dict) == {name}
    assert Study.objects.get(pk=draft.pk).candidates_per_page is None


def test_pages_are_fixed_with_the_first_evaluator(draft: Study, alice: User) -> None:
    Enrolment.objects.create(
        evaluator=alice, study=draft, number=0, pseudonym="E001", deadline="2030-01-01T00:00Z"
    )
    with pytest.raises(Refused, match="Evaluators are enrolled already"):
        change_study(draft, by=None, candidates_per_page=2)


def test_too_few_evaluators_to_connect_all_methods_keep_a_study_from_its_launch(draft: Study) -> None:
    change_study(draft, by=None, candidates_per_page=2, evaluators_per_subtask=1, subtasks_per_evaluator=1)
    checks = material_checks(draft)
    assert block_obstacles(draft, checks) == [
        "The evaluators of a sub-task see 6 pages together, and 10 are needed for every two methods to stand on one:"
        " take larger sub-tasks or more evaluators for each."
    ]
    change_study(draft, by=None, evaluators_per_subtask=2)
    assert block_obstacles(draft, checks) == []


def test_prompts_with_fewer_texts_than_a_page_needs_keep_a_study_from_its_sign_off(draft: Study) -> None:
    change_study(draft, by=None, protocol="best_worst", allows_missing_texts=True)
    page = draft.subtasks.get().pages.earliest("number")
    page.page_candidates.filter(study_method__number__lt=3).delete()
    said = "1 prompt has fewer than the 3 texts that a page of this protocol needs."
    assert said in material_obstacles(draft, material_checks(draft))
