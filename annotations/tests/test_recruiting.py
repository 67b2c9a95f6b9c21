from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from annotations.models import Enrolment, PageCandidate, Placement, Study
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user, placements


def test_an_evaluator_gets_every_subtask_and_a_week(study: Study, alice: User) -> None:
    enrolment = Enrolment.objects.get(pk=enrol(study, alice).pk)
    assert enrolment.pseudonym == "E001"
    assert enrolment.assignments.count() == study.subtasks.count()
    assert abs(enrolment.deadline - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)


def test_enrolling_twice_changes_nothing(study: Study, alice: User) -> None:
    first = enrol(study, alice)
    before = list(Placement.objects.order_by("pk").values())
    assert enrol(study, alice) == first
    assert list(Placement.objects.order_by("pk").values()) == before


def test_every_candidate_is_placed_once_on_its_page(study: Study, enrolment: Enrolment) -> None:
    shown = PageCandidate.objects.values_list("page_id", "candidate_id")
    placed = enrolment.placements.values_list("page_id", "candidate_id")
    assert sorted(placed) == sorted(shown)
    assert [placement.position for placement in placements(study, enrolment.evaluator)] == [0, 1, 2, 3]


def test_every_method_stands_in_every_place_equally_often_over_the_evaluators_of_a_page(db: None) -> None:
    study = build_study(prompts=8)
    for number in range(4):
        enrol(study, build_user(f"evaluator-{number}"))
    method_of = dict(PageCandidate.objects.values_list("candidate_id", "study_method__number"))
    rows = Placement.objects.values_list("page_id", "candidate_id", "position")
    by_page = Counter((page, method_of[candidate], place) for page, candidate, place in rows)
    assert set(by_page.values()) == {1}


def test_two_evaluators_share_no_token_and_not_all_orders(study: Study, alice: User, bob: User) -> None:
    enrol(study, alice)
    enrol(study, bob)
    of_alice, of_bob = placements(study, alice), placements(study, bob)
    assert {one.token for one in of_alice}.isdisjoint(one.token for one in of_bob)
    assert [one.candidate_id for one in of_alice] != [one.candidate_id for one in of_bob]


def test_tokens_do_not_sort_in_the_order_of_methods(db: None) -> None:
    # Kendall's tau over many pages; with 600 independent draws its standard error is about .014 x 4.
    study = build_study(prompts=300)
    enrol(study, build_user("evaluator"))
    method_of = dict(PageCandidate.objects.values_list("candidate_id", "study_method__number"))
    by_page: dict[int, list[tuple[str, int]]] = {}
    for page, candidate, token in Placement.objects.values_list("page_id", "candidate_id", "token"):
        by_page.setdefault(page, []).append((token, method_of[candidate]))
    agreements = [
        1 if (one[0] < other[0]) == (one[1] < other[1]) else -1
        for tokens in by_page.values()
        for index, one in enumerate(tokens)
        for other in tokens[index + 1 :]
    ]
    assert sum(agreements) / len(agreements) == pytest.approx(0, abs=0.12)


def test_the_number_of_queries_does_not_grow_with_the_study(
    db: None, alice: User, bob: User, django_assert_max_num_queries: object
) -> None:
    small, large = build_study(slug="small"), build_study(slug="large", prompts=40)
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        enrol(small, alice)
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        enrol(large, bob)
