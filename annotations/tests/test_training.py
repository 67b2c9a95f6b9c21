"""The training round: pages with feedback, a passing mark before the first real page, or practice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotations.access.fixed import has_answers
from annotations.models import (
    Assignment,
    BestChoice,
    Enrolment,
    Page,
    PageCandidate,
    Rating,
    Study,
    TrainingAttempt,
)
from annotations.plan.plan import lock_plan
from annotations.questionnaire.progress import progress_of
from annotations.questionnaire.saving import Answer, PageAddress, save_answer
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.withdrawal import withdraw
from annotations.results.rating_table import rating_table
from annotations.setup.lifecycle import launch
from annotations.setup.quality.declaration import Declaration, DeclaredAnswer, DeclaredPage, declare
from annotations.tests.cast import build_study, build_user, shown

pytestmark = pytest.mark.django_db


def trained_study(share: float | None = 0.5, attempts: int = 2, **fields: Any) -> Study:
    """Return a launched study with two training pages: method 1 is the best on one, low on the other."""
    study = build_study(prompts=5, methods=2)
    Study.objects.filter(pk=study.pk).update(
        state="draft", launched_at=None, signed_off_at="2026-01-01T00:00Z", **fields
    )
    study.refresh_from_db()
    pages = (
        DeclaredPage("1/1", "training", (DeclaredAnswer("method-1"),)),
        DeclaredPage("1/4", "training", (DeclaredAnswer("method-1", "overall", 1, 3),)),
    )
    declare(study, Declaration({"training_share": share, "training_attempts": attempts}, pages), by=None)
    launch(study, by=None, without_plan=True)
    return study


@pytest.fixture
def alice() -> User:
    return build_user("alice")


def answer_training(enrolment: Enrolment, *, best: int, score: int, order: int = 1) -> None:
    """Answer both training pages: pick the text of one method, and rate everything alike."""
    for placement in enrolment.placements.filter(page__role="training").select_related("page"):
        address = PageAddress("poems", 0, placement.page.number)
        for criterion in ("format", "overall"):
            answer = Answer(placement.token, order, criterion, score if criterion == "overall" else 1)
            save_answer(enrolment.evaluator, address, answer)
        method = PageCandidate.objects.get(candidate=placement.candidate_id).study_method.number
        if method == best:
            save_answer(enrolment.evaluator, address, Answer(placement.token, order))


def of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_until_the_training_is_passed_there_is_nothing_else(alice: User) -> None:
    enrolment = enrol(trained_study(), alice)
    client = of(alice)
    assert not Assignment.objects.exists()
    assert client.get("/studies/poems/").headers["location"] == "/studies/poems/training/"
    assert client.get("/studies/poems/subtasks/1/pages/1/").status_code == 404
    assert "Training: it does not count" in shown(client, "/studies/poems/subtasks/0/pages/1/")
    assert 'href="/studies/poems/subtasks/0/pages/1/"' in shown(client, "/studies/poems/training/")
    assert progress_of([enrolment])[enrolment.pk].total == 0
    assert enrol(enrolment.study, alice) == enrolment
    assert not Assignment.objects.exists()


def test_whoever_passes_is_given_the_study(alice: User) -> None:
    study = trained_study()
    enrolment = enrol(study, alice)
    client = of(alice)
    answer_training(enrolment, best=1, score=9)
    assert 'data-next="/studies/poems/training/"' in shown(client, "/studies/poems/subtasks/0/pages/2/")
    assert "See how you did" in shown(client, "/studies/poems/training/")
    client.post("/studies/poems/training/check/")
    page = shown(client, "/studies/poems/training/")
    assert "1 of 2 were right: you have passed" in page
    assert "is the best of the page." in page
    assert Assignment.objects.filter(enrolment=enrolment).count() == 1
    assert "0 of 15 answered" in shown(client, "/studies/poems/")
    client.post("/studies/poems/training/check/")
    assert TrainingAttempt.objects.count() == 1


def test_whoever_does_not_pass_may_try_again_and_then_no_more(alice: User) -> None:
    study = trained_study(share=1)
    Study.objects.filter(pk=study.pk).update(contact="olga@example.org")
    Page.objects.filter(role="training").update(explanation={"en": "Because it rhymes."})
    enrolment = enrol(study, alice)
    client = of(alice)
    answer_training(enrolment, best=0, score=9)
    for _ in range(2):
        client.post("/studies/poems/training/check/")
    page = shown(client, "/studies/poems/training/")
    assert "0 of 2 were right; it takes a few more." in page
    assert "you have 1 more attempt." in page
    assert "Change your answers and try again" in page
    assert "is right." not in page
    assert "is the best of the page." not in page
    assert "Because it rhymes." not in page
    assert page.count("not yet") == 2
    assert "The best text of the page" in page
    answer_training(enrolment, best=1, score=8, order=2)
    client.post("/studies/poems/training/check/")
    page = shown(client, "/studies/poems/training/")
    assert "1 of 2 were right, which is not enough for this study" in page
    assert "it says nothing about you" in page
    assert "is the best of the page." in page
    assert "Because it rhymes." in page
    assert "olga@example.org" in page
    answer_training(enrolment, best=1, score=2, order=3)
    client.post("/studies/poems/training/check/")
    assert list(TrainingAttempt.objects.values_list("number", "is_passed")) == [(1, False), (2, False)]
    assert not Assignment.objects.exists()
    assert client.get("/studies/poems/").status_code == 302


def test_answers_that_are_missing_are_no_attempt(alice: User) -> None:
    enrolment = enrol(trained_study(), alice)
    response = of(alice).post("/studies/poems/training/check/", follow=True)
    assert "Answer all training pages first." in response.content.decode()
    assert not enrolment.training_attempts.exists()


@pytest.mark.parametrize("state", ["paused", "closed", "over"])
def test_whoever_has_no_time_left_passes_nothing_and_takes_nobody_a_place(alice: User, state: str) -> None:
    enrolment = enrol(trained_study(), alice)
    answer_training(enrolment, best=1, score=2)
    if state == "over":
        Enrolment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    else:
        Study.objects.update(state=state, closed_at=timezone.now() if state == "closed" else None)
    response = of(alice).post("/studies/poems/training/check/", follow=True)
    assert "takes no answers now" in response.content.decode()
    assert not TrainingAttempt.objects.exists()
    assert not Assignment.objects.exists()


def test_practice_has_no_mark_and_keeps_nobody_out(alice: User) -> None:
    enrolment = enrol(trained_study(share=None), alice)
    client = of(alice)
    assert "Practise first, on pages that do not count" in shown(client, "/studies/poems/")
    assert shown(client, "/studies/poems/subtasks/1/pages/1/")
    answer_training(enrolment, best=1, score=2)
    client.post("/studies/poems/training/check/")
    page = shown(client, "/studies/poems/training/")
    assert "2 of 2 were as expected." in page
    assert "nothing of it counts" in page
    assert "See the practice pages again" in shown(client, "/studies/poems/")


def test_training_never_counts(alice: User) -> None:
    study = trained_study(share=None)
    enrolment = enrol(study, alice)
    answer_training(enrolment, best=1, score=2)
    assert Rating.objects.count() == 8
    assert BestChoice.objects.count() == 2
    assert len(rating_table(study)) == 0
    assert progress_of([enrolment])[enrolment.pk].answered == 0


def test_where_sub_tasks_are_shared_out_training_takes_no_place(alice: User) -> None:
    study = trained_study(evaluators_per_subtask=1, subtasks_per_evaluator=1)
    bob = build_user("bob")
    first, second = enrol(study, alice), enrol(study, bob)
    answer_training(second, best=1, score=2)
    of(bob).post("/studies/poems/training/check/")
    assert list(Assignment.objects.values_list("enrolment", flat=True)) == [second.pk]
    answer_training(first, best=1, score=2)
    response = of(alice).post("/studies/poems/training/check/", follow=True)
    assert "has all the evaluators that it needs" in response.content.decode()


def test_withdrawing_takes_the_attempts_along(alice: User) -> None:
    enrolment = enrol(trained_study(share=None), alice)
    answer_training(enrolment, best=1, score=2)
    of(alice).post("/studies/poems/training/check/")
    withdraw(enrolment)
    assert not TrainingAttempt.objects.exists()
    assert not Rating.objects.exists()


def test_a_study_without_training_has_no_such_page(alice: User) -> None:
    enrol(build_study(), alice)
    assert of(alice).get("/studies/poems/training/").status_code == 404
    assert not Page.objects.exclude(role="counted").exists()


def test_the_pages_take_eight_queries_at_most(
    alice: User, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    enrolment = enrol(trained_study(share=None), alice)
    client = of(alice)
    answer_training(enrolment, best=1, score=2)
    client.post("/studies/poems/training/check/")
    for path in ("/studies/poems/training/", "/studies/poems/", "/studies/poems/subtasks/0/pages/1/"):
        client.get(path)
        with django_assert_max_num_queries(8):
            assert client.get(path).status_code == 200


def test_a_plan_may_be_locked_after_training_and_not_after_an_answer_that_counts(alice: User) -> None:
    study = trained_study()
    enrolment = enrol(study, alice)
    answer_training(enrolment, best=1, score=2)
    of(alice).post("/studies/poems/training/check/")
    assert Rating.objects.exists()
    assert not has_answers(study)
    overall = study.criteria.get(key="overall")
    assert lock_plan(study, staff=None, primary_criterion=overall).pk
    placement = enrolment.placements.filter(page__role="counted").select_related("page__subtask").first()
    assert placement is not None
    address = PageAddress("poems", placement.page.subtask.number, placement.page.number)
    save_answer(alice, address, Answer(placement.token, 1, "overall", 2))
    assert has_answers(study)
