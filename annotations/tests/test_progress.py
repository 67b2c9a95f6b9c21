from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from annotations.models import Enrolment, Study
from annotations.questionnaire.progress import Progress, progress_of, study_progress
from annotations.questionnaire.saving import Answer, PageAddress, save_answer
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user, placements


def answer_page(study: Study, evaluator: User, *, subtask: int = 1, page: int = 1) -> None:
    """Answer every question of a page."""
    address = PageAddress(study.slug, subtask, page)
    shown = placements(study, evaluator, subtask=subtask, page=page)
    for placement in shown:
        for key in ("format", "overall"):
            save_answer(evaluator, address, Answer(placement.token, 1, key, 3))
    save_answer(evaluator, address, Answer(shown[0].token, 1))


def test_a_page_asks_for_a_rating_by_criterion_and_candidate_and_one_pick(enrolment: Enrolment) -> None:
    progress = study_progress(enrolment)
    assert [page.total for page in progress.subtasks[0].pages] == [4 * 2 + 1] * 2
    assert (progress.answered, progress.total) == (0, 18)
    assert not progress.is_started
    assert not progress.is_finished


def test_a_subtask_of_ten_poem_prompts_asks_for_210_answers(alice: User) -> None:
    study = build_study(prompts=10)
    for number, key in enumerate(["innovation", "relevance", "aesthetics"], start=2):
        study.criteria.create(number=number, key=key, label={"en": key})
    assert study_progress(enrol(study, alice)).subtasks[0].total == 210


def test_every_kind_of_answer_counts_once(study: Study, enrolment: Enrolment, alice: User) -> None:
    address, first = PageAddress(study.slug, 1, 2), placements(study, alice, page=2)[0]
    save_answer(alice, address, Answer(first.token, 1, "format", 3))
    save_answer(alice, address, Answer(first.token, 2, "format", 4))
    save_answer(alice, address, Answer(first.token, 1))
    assert [page.answered for page in study_progress(enrolment).subtasks[0].pages] == [0, 2]


def test_the_next_page_is_the_first_with_something_missing(alice: User) -> None:
    study = build_study(prompts=4, pages_per_subtask=2)
    enrolment = enrol(study, alice)
    answer_page(study, alice, subtask=1, page=1)
    answer_page(study, alice, subtask=2, page=1)
    progress = study_progress(enrolment)
    assert progress.next_page is not None
    assert (progress.next_page.subtask, progress.next_page.page) == (1, 2)
    assert progress.subtasks[1].next_page.page == 2


def test_a_finished_study_has_no_next_page_and_its_subtasks_open_at_the_first(
    study: Study, enrolment: Enrolment, alice: User
) -> None:
    answer_page(study, alice, page=1)
    answer_page(study, alice, page=2)
    progress = study_progress(enrolment)
    assert progress.is_finished
    assert progress.missing == 0
    assert progress.next_page is None
    assert progress.subtasks[0].next_page.page == 1


def test_progress_of_many_evaluators_agrees_with_that_of_each(
    study: Study, enrolment: Enrolment, alice: User, bob: User
) -> None:
    other = enrol(study, bob)
    answer_page(study, alice, page=1)
    save_answer(bob, PageAddress(study.slug, 1, 1), Answer(placements(study, bob)[2].token, 1))
    assert progress_of(study.enrolments.all()) == {
        enrolment.pk: Progress(answered=9, total=18),
        other.pk: Progress(answered=1, total=18),
    }


def test_answers_in_another_study_do_not_count(enrolment: Enrolment, alice: User) -> None:
    other = build_study(slug="other", prompts=1)
    enrol(other, alice)
    answer_page(other, alice)
    assert study_progress(enrolment).answered == 0
    assert progress_of([enrolment])[enrolment.pk].answered == 0


def test_progress_takes_one_query_at_any_size(alice: User, bob: User, django_assert_num_queries: Any) -> None:
    small, large = build_study(slug="small", prompts=1), build_study(slug="large", prompts=24)
    for study in (small, large):
        enrolment = enrol(study, alice)
        with django_assert_num_queries(1):
            study_progress(enrolment)
    for name in ("dave", "erin", "frank"):
        enrol(large, build_user(name))
    for study in (small, large):
        enrolments = list(study.enrolments.all())
        with django_assert_num_queries(1):
            assert len(progress_of(enrolments)) == len(enrolments)
