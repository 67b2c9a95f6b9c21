"""The training round by the API: answered, checked and read there, with nothing that names a method."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import Assignment, Enrolment, Page, PageCandidate, Study, TrainingAttempt
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user
from annotations.tests.test_training import of, trained_study

pytestmark = pytest.mark.django_db
OWN = "/api/v1/my/studies/poems/"
TRAINING = f"{OWN}training/"


@pytest.fixture
def alice() -> User:
    return build_user("alice")


def post(client: Client, path: str, **body: Any) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


def answer_by_api(client: Client, enrolment: Enrolment, *, best: int, score: int, order: int = 1) -> None:
    """Answer both training pages as the API shows them: pick the text of one method, and rate everything alike."""
    text_of = dict(
        PageCandidate.objects.filter(study_method__number=best).values_list("candidate__text", "pk")
    )
    for page in client.get(TRAINING).json()["pages"]:
        path = f"{OWN}subtasks/{page['subtask']}/pages/{page['page']}/"
        for one in client.get(path).json()["candidates"]:
            for criterion, points in (("format", 1), ("overall", score)):
                body = {"token": one["token"], "criterion": criterion, "score": points, "order": order}
                saved = post(client, f"{path}ratings/", **body)
                assert saved.status_code == 200
            if one["text"] in text_of:
                assert post(client, f"{path}best/", token=one["token"], order=order).status_code == 200


def test_whoever_works_by_the_api_passes_the_training_and_reads_what_is_right(alice: User) -> None:
    study = trained_study(share=1, attempts=2)
    Page.objects.filter(role="training").update(explanation={"en": "It rhymes.", "zh-hans": "押韵。"})
    enrolment = enrol(study, alice)
    client = of(alice)
    own = client.get(OWN).json()
    assert (own["total"], own["pages"], len(own["training"])) == (0, [], 2)
    before = client.get(TRAINING).json()
    assert (before["share"], before["is_answered"]) == (1, False)
    assert (before["attempts"], before["attempts_left"]) == (0, 2)
    assert (before["feedback"], before["asked"], before["right"]) == ([], None, None)
    assert [(page["subtask"], page["answered"]) for page in before["pages"]] == [(0, 0), (0, 0)]
    assert client.get(f"{OWN}subtasks/1/pages/1/").status_code == 404
    answer_by_api(client, enrolment, best=0, score=2)
    # What is right is not said before the answers are checked.
    assert client.get(TRAINING).json()["feedback"] == []
    failed = post(client, f"{TRAINING}check/").json()
    assert (failed["is_passed"], failed["asked"], failed["right"], failed["attempts_left"]) == (
        False,
        2,
        1,
        1,
    )
    assert [one["is_right"] for page in failed["feedback"] for one in page["answers"]] == [False, True]
    # With what is right anybody would pass at the next attempt.
    assert not failed["tells_answers"]
    words = [[one["words"] for one in page["answers"]] for page in failed["feedback"]]
    assert words == [["The best text of the page"], ["Overall"]]
    assert failed["feedback"][0]["explanation"] == {}
    assert post(client, f"{TRAINING}check/").json() == failed
    answer_by_api(client, enrolment, best=1, score=2, order=2)
    assert client.get(TRAINING).json()["is_changed"]
    passed = post(client, f"{TRAINING}check/").json()
    assert (passed["is_passed"], passed["right"], passed["attempts"]) == (True, 2, 2)
    assert passed["tells_answers"]
    assert passed["feedback"][0]["explanation"] == {"en": "It rhymes.", "zh-hans": "押韵。"}
    letter = "AB"[enrolment.placements.get(
        page__role="training", page__number=1,
        candidate__run__method__key="method-1",
    ).position]  # fmt: skip
    assert passed["feedback"][0]["answers"][0]["words"] == f"Text {letter} is the best of the page."
    assert Assignment.objects.filter(enrolment=enrolment).count() == 1
    assert len(client.get(OWN).json()["pages"]) == 3
    for said in (before, failed, passed, own):
        assert "method" not in json.dumps(said)


def test_what_the_page_refuses_the_api_refuses(alice: User) -> None:
    study = trained_study(share=1, attempts=1)
    enrolment = enrol(study, alice)
    client = of(alice)
    early = post(client, f"{TRAINING}check/")
    assert (early.status_code, early.json()["detail"]) == (409, "Answer all training pages first.")
    answer_by_api(client, enrolment, best=0, score=9)
    assert post(client, f"{TRAINING}check/").json()["is_failed"]
    answer_by_api(client, enrolment, best=1, score=2, order=2)
    late = post(client, f"{TRAINING}check/")
    assert (late.status_code, late.json()["detail"]) == (409, "There is no further attempt.")
    assert TrainingAttempt.objects.count() == 1
    assert not Assignment.objects.exists()


def test_the_training_of_others_and_of_a_study_without_one_is_not_found(alice: User) -> None:
    enrol(trained_study(), alice)
    bob = of(build_user("bob"))
    assert bob.get(TRAINING).status_code == post(bob, f"{TRAINING}check/").status_code == 404
    plain = build_study(slug="plain")
    enrol(plain, alice)
    client = of(alice)
    assert client.get("/api/v1/my/studies/plain/training/").status_code == 404
    assert post(client, "/api/v1/my/studies/plain/training/check/").status_code == 404
    assert Client().get(TRAINING).status_code == 401


def test_nothing_of_the_training_is_read_before_one_agrees(alice: User) -> None:
    enrol(trained_study(), alice)
    Study.objects.update(consent={"en": "Agree?"})
    client = of(alice)
    assert client.get(TRAINING).status_code == 409
    assert post(client, f"{TRAINING}check/").status_code == 409


def test_practice_has_feedback_and_no_mark(alice: User) -> None:
    enrolment = enrol(trained_study(share=None), alice)
    client = of(alice)
    answer_by_api(client, enrolment, best=1, score=9)
    found = post(client, f"{TRAINING}check/").json()
    assert (found["share"], found["is_passed"], found["is_failed"]) == (None, False, False)
    assert [one["is_right"] for page in found["feedback"] for one in page["answers"]] == [True, False]
    assert len(client.get(OWN).json()["pages"]) == 3


def test_the_api_reads_a_training_round_with_a_constant_number_of_queries(
    alice: User, django_assert_max_num_queries: Any
) -> None:
    enrolment = enrol(trained_study(), alice)
    client = of(alice)
    answer_by_api(client, enrolment, best=1, score=9)
    post(client, f"{TRAINING}check/")
    with django_assert_max_num_queries(11):
        client.get(TRAINING)
