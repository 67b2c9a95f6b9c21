from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import Enrolment, Rating, Study
from annotations.recruiting.consent import BadAnswers, check_questions, give_consent, parse_answers
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, placements
from generation.refusals import Refused

AGE = {
    "key": "age",
    "kind": "number",
    "label": {"en": "Age", "zh-hans": "年龄"},
    "choices": [],
    "is_required": True,
}
READS = {
    "key": "reads",
    "kind": "choice",
    "label": {"en": "How often do you read poems?"},
    "choices": ["never", "now and then", "daily"],
    "is_required": False,
}
FIELD = {
    "key": "field",
    "kind": "text",
    "label": {"en": "Field of study"},
    "choices": [],
    "is_required": False,
}
QUESTIONS: list[dict[str, Any]] = [AGE, READS, FIELD]


@pytest.fixture
def asking(study: Study) -> Study:
    """The study, with a consent and a form, in which alice is enrolled."""
    study.consent, study.questions = {"en": "We keep your answers."}, QUESTIONS
    study.contact = "carol@example.org"
    study.save()
    return study


def answer(client: Client, study: Study, user: User) -> Any:
    return send(client, placements(study, user)[0].token)


def send(client: Client, token: str) -> Any:
    fields = {"token": token, "criterion": "format", "score": 3, "order": 5, "seconds": 1}
    path = "/studies/poems/subtasks/1/pages/1/answers/"
    return client.post(path, json.dumps(fields), content_type="application/json")


def test_before_the_consent_no_page_is_shown_and_no_answer_saved(
    as_alice: Client, asking: Study, alice: User
) -> None:
    enrol(asking, alice)
    page = as_alice.get("/studies/poems/subtasks/1/pages/1/", follow=True)
    assert (
        page.redirect_chain[-1][0]
        == as_alice.get("/studies/poems/").headers["Location"]
        == "/studies/poems/consent/"
    )
    response = answer(as_alice, asking, alice)
    assert response.status_code == 403
    assert response.json()["error"].startswith("Agree to take part first")
    form = as_alice.post("/studies/poems/subtasks/1/pages/1/", {})
    assert form.status_code == 302
    assert not Rating.objects.exists()


def test_the_page_shows_the_text_the_contact_and_how_to_withdraw(
    as_alice: Client, asking: Study, alice: User
) -> None:
    enrol(asking, alice)
    page = as_alice.get("/studies/poems/consent/").content.decode()
    assert "We keep your answers." in page
    assert "withdraw at any time until the study is closed" in page
    assert "carol@example.org" in page


def test_agreeing_stores_the_form_and_opens_the_study(as_alice: Client, asking: Study, alice: User) -> None:
    enrol(asking, alice)
    sent = {"age": "31", "reads": "daily", "field": "", "AGREED": "on", "other": "x"}
    response = as_alice.post("/studies/poems/consent/", sent)
    assert response.headers["Location"] == "/studies/poems/"
    enrolment = Enrolment.objects.get()
    assert enrolment.consented_at is not None
    assert enrolment.form_answers == {"age": 31, "reads": "daily"}
    assert as_alice.get("/studies/poems/subtasks/1/pages/1/").status_code == 200
    assert answer(as_alice, asking, alice).status_code == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"AGREED": ""}, "Agree to take part, or leave this page"),
        ({"age": ""}, "Answer this question."),
        ({"age": "old"}, "Give a whole number"),
        ({"reads": "hourly"}, "Choose one of the answers."),
    ],
)
def test_a_form_that_is_not_filled_in_stores_nothing(
    as_alice: Client, asking: Study, alice: User, change: dict[str, str], message: str
) -> None:
    enrol(asking, alice)
    response = as_alice.post("/studies/poems/consent/", {"age": "31", "AGREED": "on"} | change)
    assert response.status_code == 400
    assert message in response.content.decode()
    assert Enrolment.objects.get().consented_at is None


def test_a_form_without_a_text_needs_no_agreement(as_alice: Client, asking: Study, alice: User) -> None:
    Study.objects.update(consent={})
    enrol(asking, alice)
    assert as_alice.post("/studies/poems/consent/", {"age": "31"}).status_code == 302
    assert Enrolment.objects.get().form_answers == {"age": 31}


def test_consent_is_given_once(asking: Study, alice: User) -> None:
    enrol(asking, alice)
    assert give_consent(alice, "poems", {"age": 31})
    assert not give_consent(alice, "poems", {"age": 13})
    assert Enrolment.objects.get().form_answers == {"age": 31}


def test_a_study_that_asks_nothing_has_no_such_page(as_alice: Client, study: Study, alice: User) -> None:
    enrol(study, alice)
    assert as_alice.get("/studies/poems/consent/").headers["Location"] == "/studies/poems/"


def test_nobody_agrees_for_another_or_without_being_enrolled(
    client: Client, asking: Study, alice: User, bob: User
) -> None:
    enrol(asking, alice)
    client.force_login(bob)
    assert client.post("/studies/poems/consent/", {"age": "31", "AGREED": "on"}).status_code == 404
    assert Enrolment.objects.get().consented_at is None


def test_simulated_evaluators_are_asked_nothing(asking: Study, alice: User) -> None:
    enrolment = enrol(asking, alice, source=Enrolment.Source.SIMULATED)
    assert not enrolment.needs_consent()


def test_a_save_with_a_consent_takes_two_queries_too(
    as_alice: Client, alice: User, django_assert_num_queries: Any
) -> None:
    study = build_study()
    Study.objects.update(consent={"en": "We keep your answers."}, questions=QUESTIONS)
    enrol(study, alice)
    give_consent(alice, "poems", {})
    first, second, *_rest = placements(study, alice)
    assert send(as_alice, first.token).status_code == 200
    with django_assert_num_queries(2):
        assert send(as_alice, second.token).status_code == 200
    as_alice.get("/studies/poems/subtasks/1/pages/1/")
    with django_assert_num_queries(5):
        as_alice.get("/studies/poems/subtasks/1/pages/1/")


# The questions and the answers to them


def test_good_questions_are_taken_as_they_are() -> None:
    assert check_questions(QUESTIONS) == QUESTIONS
    assert check_questions([]) == []


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"key": "age"}, "exactly these parts"),
        (AGE | {"extra": 1}, "exactly these parts"),
        ("age", "exactly these parts"),
        (AGE | {"key": "Age of you"}, "its key"),
        (AGE | {"key": 7}, "its key"),
        (AGE | {"kind": "date"}, "its kind must be one of"),
        (AGE | {"kind": []}, "its kind must be one of"),
        (AGE | {"label": {"en": None}}, "labels must be text"),
        (AGE | {"label": "Age"}, "text by language"),
        (AGE | {"label": {"xx": "Age"}}, "none of the languages"),
        (AGE | {"label": {"en": " "}}, "needs a label"),
        (AGE | {"is_required": 1}, "true or false"),
        (AGE | {"choices": ["a", "b"]}, "only a question of the kind choice"),
        (AGE | {"choices": None}, "choices must be a list"),
        (READS | {"choices": ["one"]}, "2 to 20 different choices"),
        (READS | {"choices": ["one", "one"]}, "2 to 20 different choices"),
        (READS | {"choices": ["one", " two"]}, "without spaces around"),
        (READS | {"choices": ["one", 2]}, "texts of at most"),
    ],
)
def test_a_bad_question_is_told_by_its_number(question: Any, message: str) -> None:
    with pytest.raises(Refused) as refused:
        check_questions([FIELD, question])
    (only,) = list(refused.value.reasons)
    assert only.startswith("Question 2: ")
    assert message in only


def test_two_questions_with_one_key_and_too_many_are_refused() -> None:
    with pytest.raises(Refused, match="taken by another"):
        check_questions([AGE, AGE])
    with pytest.raises(Refused, match="at most 20"):
        check_questions([AGE | {"key": f"q{number}"} for number in range(21)])
    no_lists: list[object] = [None, {}, "age"]
    for nothing in no_lists:
        with pytest.raises(Refused, match="must be a list"):
            check_questions(nothing)


def test_answers_come_back_by_key_and_without_the_empty_ones() -> None:
    assert parse_answers(QUESTIONS, {"age": 0, "reads": None, "field": "  law "}) == {
        "age": 0,
        "field": "law",
    }
    assert parse_answers(QUESTIONS, {"age": "1000000"}) == {"age": 1_000_000}


@pytest.mark.parametrize("age", ["-1", "1.5", "1000001", "٣", "1e3", [31], {"a": 1}, True])
def test_what_is_no_whole_number_is_refused(age: Any) -> None:
    with pytest.raises(BadAnswers) as refused:
        parse_answers(QUESTIONS, {"age": age})
    assert set(refused.value.fields) == {"age"}


def test_a_text_too_long_or_with_a_null_is_refused() -> None:
    for text in ("x" * 201, "a\x00b"):
        with pytest.raises(BadAnswers):
            parse_answers([FIELD], {"field": text})
