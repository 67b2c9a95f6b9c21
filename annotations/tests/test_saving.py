from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from annotations.models import AnswerChange, BestChoice, Enrolment, Rating, Study
from annotations.questionnaire.forms import BadAnswer, parse_answer
from annotations.questionnaire.saving import MAX_CLIENT_ORDER, Answer
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, placements

ANSWERS = "/studies/poems/subtasks/1/pages/1/answers/"
TOKEN = "abcdefghijklmnopqrstuv"
GOOD = {"token": TOKEN, "criterion": "format", "score": 3, "order": 5, "seconds": 2.5}


def post(client: Client, fields: object, path: str = ANSWERS) -> Any:
    return client.post(path, json.dumps(fields), content_type="application/json")


@pytest.fixture
def first(study: Study, enrolment: Enrolment, alice: User) -> Any:
    """The placement of the first candidate on Alice's first page."""
    return placements(study, alice)[0]


def test_a_rating_is_stored_and_the_receipt_says_so(as_alice: Client, first: Any) -> None:
    response = post(as_alice, {**GOOD, "token": first.token})
    assert response.status_code == 200
    reply = response.json()
    assert parse_datetime(reply.pop("saved_at")) == Rating.objects.get().saved_at
    assert reply == {"token": first.token, "criterion": "format", "score": 3, "order": 5, "latest": True}
    stored = Rating.objects.get()
    assert (stored.candidate_id, stored.score, stored.client_order) == (first.candidate_id, 3, 5)
    assert AnswerChange.objects.get().seconds_on_page == 2.5


def test_the_best_pick_has_neither_criterion_nor_score(as_alice: Client, first: Any) -> None:
    response = post(as_alice, {**GOOD, "token": first.token, "criterion": None, "score": None})
    assert response.json()["token"] == first.token
    assert BestChoice.objects.get().candidate_id == first.candidate_id


def test_a_doubled_request_changes_nothing(as_alice: Client, first: Any) -> None:
    replies = [post(as_alice, {**GOOD, "token": first.token}).json() for _ in range(3)]
    assert replies[0] == replies[1] == replies[2]
    assert Rating.objects.count() == AnswerChange.objects.count() == 1


def test_an_earlier_answer_that_comes_late_is_answered_with_the_stored_one(
    as_alice: Client, first: Any
) -> None:
    post(as_alice, {**GOOD, "token": first.token, "order": 9, "score": 5})
    reply = post(as_alice, {**GOOD, "token": first.token, "order": 8, "score": 1}).json()
    assert (reply["score"], reply["order"], reply["latest"]) == (5, 9, False)


def test_a_pick_that_comes_late_is_answered_with_the_stored_one(
    as_alice: Client, study: Study, first: Any, alice: User
) -> None:
    other = placements(study, alice)[3]
    pick = {**GOOD, "criterion": None, "score": None}
    post(as_alice, {**pick, "token": other.token, "order": 9})
    reply = post(as_alice, {**pick, "token": first.token, "order": 8}).json()
    assert (reply["token"], reply["latest"]) == (other.token, False)


# A clock that is wrong

YEAR = 365 * 86_400_000


def milliseconds() -> int:
    return time.time_ns() // 1_000_000


@pytest.mark.django_db(transaction=True)
def test_a_device_whose_clock_is_a_year_ahead_does_not_make_later_answers_lose(
    as_alice: Client, first: Any
) -> None:
    ahead = post(as_alice, {**GOOD, "token": first.token, "score": 2, "order": milliseconds() + YEAR}).json()
    assert ahead["latest"]
    assert ahead["order"] <= milliseconds()
    for score in (4, 5):
        later = {**GOOD, "token": first.token, "score": score, "order": milliseconds()}
        assert post(as_alice, later).json()["latest"]
        time.sleep(0.002)
    # And the device itself goes on to win, also after its clock was put right.
    for score, order in ((1, milliseconds() + YEAR), (3, ahead["order"] + YEAR + 9)):
        assert post(as_alice, {**GOOD, "token": first.token, "score": score, "order": order}).json()["latest"]
        assert Rating.objects.get().score == score


@pytest.mark.django_db(transaction=True)
def test_a_pick_from_a_clock_that_is_ahead_is_bounded_too(
    as_alice: Client, study: Study, first: Any, alice: User
) -> None:
    pick = {**GOOD, "criterion": None, "score": None}
    post(as_alice, {**pick, "token": first.token, "order": MAX_CLIENT_ORDER})
    time.sleep(0.002)
    other = placements(study, alice)[2]
    assert post(as_alice, {**pick, "token": other.token, "order": milliseconds()}).json()["latest"]
    assert BestChoice.objects.get().candidate_id == other.candidate_id


@pytest.mark.django_db(transaction=True)
def test_an_answer_ahead_of_the_clock_that_arrives_twice_is_stored_once(as_alice: Client, first: Any) -> None:
    fields = {**GOOD, "token": first.token, "order": milliseconds() + YEAR}
    replies = []
    for _ in range(3):
        replies.append(post(as_alice, fields).json())
        time.sleep(0.002)
    assert replies[0] == replies[1] == replies[2]
    assert replies[0]["latest"]
    assert AnswerChange.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_order_far_ahead_that_is_stored_from_before_counts_as_when_it_was_saved(
    as_alice: Client, first: Any
) -> None:
    post(as_alice, {**GOOD, "token": first.token, "score": 2})
    Rating.objects.update(client_order=milliseconds() + YEAR)
    time.sleep(0.002)
    reply = post(as_alice, {**GOOD, "token": first.token, "score": 4, "order": milliseconds()}).json()
    assert (reply["score"], reply["latest"]) == (4, True)


@pytest.mark.parametrize("score", [0, 6, 32_767])
def test_a_score_off_its_scale_is_refused(as_alice: Client, first: Any, score: int) -> None:
    response = post(as_alice, {**GOOD, "token": first.token, "score": score})
    assert response.status_code == 400
    assert response.json() == {"error": "A score must be a whole number from 1 to 5."}
    assert not Rating.objects.exists()


def test_an_answer_after_the_deadline_is_refused_with_a_message(as_alice: Client, first: Any) -> None:
    Enrolment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    response = post(as_alice, {**GOOD, "token": first.token})
    assert response.status_code == 403
    assert response.json()["error"].startswith("The time for this study is over.")
    assert not Rating.objects.exists()


def test_an_answer_to_a_closed_study_is_refused(as_alice: Client, study: Study, first: Any) -> None:
    Study.objects.update(state=Study.State.CLOSED)
    assert post(as_alice, {**GOOD, "token": first.token}).status_code == 403


def test_an_unknown_place_is_not_found(as_alice: Client, study: Study, first: Any, alice: User) -> None:
    elsewhere = placements(study, alice, page=2)[0].token
    for fields in (GOOD, {**GOOD, "token": elsewhere}, {**GOOD, "token": first.token, "criterion": "beauty"}):
        response = post(as_alice, fields)
        assert response.status_code == 404
        assert "error" in response.json()


def test_nobody_saves_an_answer_for_another(client: Client, study: Study, first: Any, bob: User) -> None:
    client.force_login(bob)
    for _ in range(2):
        # 401, so that the browser keeps the answer for its own account.
        response = post(client, {**GOOD, "token": first.token})
        assert response.status_code == 401
        assert response.json()["error"].startswith("Another account is logged in here now.")
        enrol(study, bob)
    assert not Rating.objects.exists()


def test_a_visitor_saves_nothing(client: Client, first: Any) -> None:
    response = post(client, {**GOOD, "token": first.token})
    assert response.headers["Location"].startswith("/accounts/login/")
    assert not Rating.objects.exists()


def test_a_request_without_the_csrf_token_is_refused(alice: User, first: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert post(strict, {**GOOD, "token": first.token}).status_code == 403
    assert not Rating.objects.exists()


def test_answers_are_only_posted(as_alice: Client, enrolment: Enrolment) -> None:
    assert as_alice.get(ANSWERS).status_code == 405


def test_a_bad_body_is_refused_with_a_message(as_alice: Client, enrolment: Enrolment) -> None:
    response = as_alice.post(ANSWERS, b"\xff{", content_type="application/json")
    assert response.status_code == 400
    assert response.json() == {"error": "This is not an answer. Load the page again."}


def test_a_save_takes_two_queries_and_a_stale_one_three(
    as_alice: Client, alice: User, django_assert_num_queries: Any
) -> None:
    for slug, prompts in (("small", 1), ("large", 24)):
        study = build_study(slug=slug, prompts=prompts)
        enrol(study, alice)
        fields = {**GOOD, "token": placements(study, alice)[0].token}
        path = f"/studies/{slug}/subtasks/1/pages/1/answers/"
        post(as_alice, {**fields, "criterion": "overall"}, path)
        with django_assert_num_queries(2):  # session with user, one statement
            post(as_alice, fields, path)
        with django_assert_num_queries(3):
            post(as_alice, {**fields, "order": 4}, path)


# The body of an answer


def test_a_good_body_is_read_as_an_answer() -> None:
    assert parse_answer(json.dumps(GOOD).encode()) == Answer(TOKEN, 5, "format", 3, 2.5)
    assert parse_answer(json.dumps({**GOOD, "seconds": None}).encode()) == Answer(TOKEN, 5, "format", 3, None)


def test_a_long_stay_is_capped_at_a_day() -> None:
    assert parse_answer(json.dumps({**GOOD, "seconds": 10**200}).encode()).seconds_on_page == 86_400


@pytest.mark.parametrize(
    "change",
    [
        {"token": None},
        {"token": ""},
        {"token": "x" * 23},
        {"token": "\ud800" * 4},
        {"token": "a\0b"},
        {"criterion": "no such key"},
        {"criterion": None},
        {"criterion": "x" * 41},
        {"criterion": 3},
        {"score": None},
        {"score": True},
        {"score": "3"},
        {"score": 3.0},
        {"score": -32_768},
        {"score": 32_768},
        {"order": 0},
        {"order": MAX_CLIENT_ORDER + 1},
        {"order": 1.5},
        {"order": False},
        {"order": None},
        {"seconds": -0.1},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"seconds": "2"},
        {"seconds": True},
        {"is_staff": True},
    ],
)
def test_a_field_of_the_wrong_kind_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadAnswer):
        parse_answer(json.dumps({**GOOD, **change}).encode())


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_missing_field_is_refused(missing: str) -> None:
    with pytest.raises(BadAnswer):
        parse_answer(json.dumps({key: value for key, value in GOOD.items() if key != missing}).encode())


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b"null", b"[" * 600, b'{"a":' * 100, b"\xff", b" " * 601])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        parse_answer(body)


def test_a_body_that_is_too_long_is_refused_however_good() -> None:
    with pytest.raises(BadAnswer):
        parse_answer(json.dumps(GOOD).encode() + b" " * 600)
