"""Answers by the API: an evaluator gives them, and those who run the study read them once the seal is off."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import Enrolment, Rating, StaffAct, Study, StudyRole
from annotations.recruiting.enrolment import enrol
from annotations.results.answer_rows import COLUMNS, answers
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything, build_study, build_user, placements
from annotations.tests.test_api_studies import API, called
from generation.models import Prompt

PAGE = "my/studies/poems/subtasks/1/pages/1/"


@pytest.fixture
def olga(study: Study) -> User:
    user = build_user("olga")
    StudyRole.objects.create(study=study, user=user, role=StudyRole.Role.OWNER)
    return user


def test_an_evaluator_sees_their_studies_and_no_others(enrolment: Enrolment, alice: User, bob: User) -> None:
    build_study(slug="another")
    (row,) = called(alice, "get", "my/studies/").json()["results"]
    assert (row["slug"], row["is_open"], row["answered"], row["total"]) == ("poems", True, 0, 18)
    assert called(bob, "get", "my/studies/").json()["results"] == []
    assert called(bob, "get", "my/studies/poems/").status_code == 404
    assert called(bob, "get", PAGE).status_code == 404


def test_a_study_tells_how_far_each_page_is(enrolment: Enrolment, alice: User) -> None:
    shown = called(alice, "get", "my/studies/poems/").json()
    assert shown["pages"] == [
        {"subtask": 1, "page": 1, "answered": 0, "total": 9},
        {"subtask": 1, "page": 2, "answered": 0, "total": 9},
    ]
    assert shown["needs_consent"] is False


def test_a_page_names_texts_by_tokens_alone(enrolment: Enrolment, alice: User, study: Study) -> None:
    page = called(alice, "get", PAGE).json()
    own = placements(study, alice)
    assert [card["token"] for card in page["candidates"]] == [placement.token for placement in own]
    assert set(page["candidates"][0]) == {"token", "letter", "text", "lines", "marking", "scores", "is_best"}
    assert page["candidates"][0]["scores"] == {"format": None, "overall": None}


def test_a_page_gives_all_of_a_prompt_to_read(enrolment: Enrolment, alice: User, study: Study) -> None:
    prompt = Prompt.objects.get(page__subtask__study=study, page__number=1)
    prompt.text = "word " * 200
    prompt.parts = [{"name": "source", "text": "  One\n\n\ttwo"}]
    prompt.turns = [{"role": "user", "text": "Why?"}]
    prompt.external_id, prompt.tags = "secret-7", {"domain": "secret"}
    prompt.save()
    body = called(alice, "get", PAGE)
    assert body.json()["prompt"] == {
        "text": prompt.text,
        "description": prompt.description,
        "genre": "poem",
        "parts": prompt.parts,
        "turns": prompt.turns,
    }
    assert "secret" not in body.content.decode()


def test_a_rating_and_a_pick_are_saved_and_read_again(
    enrolment: Enrolment, alice: User, study: Study
) -> None:
    token = placements(study, alice)[0].token
    body = {"token": token, "criterion": "overall", "score": 7, "order": 5, "seconds": 2.5}
    receipt = called(alice, "post", f"{PAGE}ratings/", body).json()
    assert (receipt["score"], receipt["order"], receipt["is_latest"]) == (7, 5, True)
    assert called(alice, "post", f"{PAGE}best/", {"token": token}).status_code == 200
    page = called(alice, "get", PAGE).json()
    assert (page["candidates"][0]["scores"]["overall"], page["candidates"][0]["is_best"]) == (7, True)
    assert (page["answered"], page["total"]) == (2, 9)


def test_an_earlier_answer_does_not_replace_a_later_one(
    enrolment: Enrolment, alice: User, study: Study
) -> None:
    body = {"token": placements(study, alice)[0].token, "criterion": "overall", "score": 7, "order": 5}
    called(alice, "post", f"{PAGE}ratings/", body)
    receipt = called(alice, "post", f"{PAGE}ratings/", {**body, "score": 2, "order": 4}).json()
    assert (receipt["score"], receipt["is_latest"]) == (7, False)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"score": 11}, 409),
        ({"score": 0}, 409),
        ({"score": "seven"}, 400),
        ({"criterion": "colour"}, 404),
        ({"token": "x" * 22}, 404),
        ({"token": "x" * 23}, 400),
        ({"method": "human"}, 400),
        ({"off_scale": True}, 400),
        ({"order": 2**53}, 400),
    ],
)
def test_what_is_no_answer_is_refused(
    enrolment: Enrolment, alice: User, study: Study, change: dict[str, Any], status: int
) -> None:
    body = {"token": placements(study, alice)[0].token, "criterion": "overall", "score": 7}
    response = called(alice, "post", f"{PAGE}ratings/", body | change)
    assert response.status_code == status
    assert response.json()["detail"]
    assert not Rating.objects.exists()


def test_nobody_answers_in_the_name_of_another(
    enrolment: Enrolment, study: Study, alice: User, bob: User
) -> None:
    enrol(study, bob)
    body = {"token": placements(study, alice)[0].token, "criterion": "overall", "score": 7}
    assert called(bob, "post", f"{PAGE}ratings/", body).status_code == 404
    assert not Rating.objects.exists()


@pytest.mark.parametrize("state", [Study.State.CLOSED, Study.State.PAUSED])
def test_a_study_that_takes_no_answers_says_so(
    enrolment: Enrolment, study: Study, alice: User, state: str
) -> None:
    Study.objects.update(state=state)
    body = {"token": placements(study, alice)[0].token, "criterion": "overall", "score": 7}
    response = called(alice, "post", f"{PAGE}ratings/", body)
    assert response.status_code == 409
    assert "not saved" in response.json()["detail"]


def test_nothing_is_shown_or_taken_before_the_consent(
    enrolment: Enrolment, study: Study, alice: User
) -> None:
    question = {
        "key": "age", "kind": "number", "label": {"en": "Age"}, "choices": [], "is_required": True,
    }  # fmt: skip
    Study.objects.update(consent={"en": "You may stop at any time."}, questions=[question])
    assert called(alice, "get", PAGE).status_code == 409
    refused = called(alice, "post", "my/studies/poems/consent/", {})
    assert (refused.status_code, list(refused.json()["fields"])) == (409, ["age"])
    assert called(alice, "post", "my/studies/poems/consent/", {"answers": {"age": "31"}}).json() == {
        "changed": True
    }
    assert called(alice, "get", PAGE).status_code == 200
    assert Enrolment.objects.get().form_answers == {"age": 31}


def test_an_evaluator_leaves_by_saying_so(enrolment: Enrolment, alice: User) -> None:
    answer_everything(enrolment)
    assert called(alice, "post", "my/studies/poems/withdraw/", {}).status_code == 400
    gone = called(alice, "post", "my/studies/poems/withdraw/", {"confirm": "withdraw"})
    assert gone.json() == {"removed": 18}
    assert not Rating.objects.exists()


def test_answers_are_sealed_until_the_study_is_closed(enrolment: Enrolment, study: Study, olga: User) -> None:
    answer_everything(enrolment)
    response = called(olga, "get", "studies/poems/ratings/")
    assert response.status_code == 403
    assert "sealed" in response.json()["detail"]
    assert "method-3" not in called(olga, "get", "studies/poems/report/").json()["best_choices"]
    assert called(olga, "post", "studies/poems/close/").status_code == 200
    assert called(olga, "get", "studies/poems/ratings/").json()["count"] == 18
    assert called(olga, "get", "studies/poems/report/").json()["best_choices"]["method-3"] == 2


def test_pages_of_answers_are_the_export_in_pieces(
    enrolment: Enrolment, study: Study, alice: User, bob: User, olga: User
) -> None:
    answer_everything(enrolment)
    answer_everything(enrol(study, bob))
    token = placements(study, alice)[0].token
    for order, score in ((10, 3), (11, 4)):
        body = {"token": token, "criterion": "format", "score": score, "order": order}
        called(alice, "post", f"{PAGE}ratings/", body)
    close_study(study)
    rows: list[Any] = []
    path = "studies/poems/ratings/?page_size=7"
    while path:
        page = called(olga, "get", path).json()
        rows += page["results"]
        path = page["next"] and page["next"].split(API)[1]
    assert rows == [dict(zip(COLUMNS, row, strict=True)) for row in answers(study)]
    assert len(rows) == 36
    (changed,) = (row for row in rows if row["times_changed"])
    assert (changed["evaluator"], changed["score"]) == ("E001", 4)


def test_answers_of_one_evaluator_are_a_filter(
    enrolment: Enrolment, study: Study, bob: User, olga: User
) -> None:
    answer_everything(enrolment)
    answer_everything(enrol(study, bob))
    close_study(study)
    page = called(olga, "get", "studies/poems/ratings/?evaluator=E002&page_size=500").json()
    assert page["count"] == 18
    assert {row["evaluator"] for row in page["results"]} == {"E002"}
    assert called(olga, "get", "studies/poems/ratings/?evaluator=nobody").json()["count"] == 0


def test_reading_answers_is_logged_once_a_reading(enrolment: Enrolment, study: Study, olga: User) -> None:
    answer_everything(enrolment)
    close_study(study)
    for page in (1, 2, 3):
        called(olga, "get", f"studies/poems/ratings/?page={page}&page_size=5")
    assert StaffAct.objects.filter(act="export.answers", actor=olga).count() == 1


@pytest.mark.parametrize("prompts", [2, 20])
@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("studies/poems/ratings/", 15),
        ("studies/poems/candidates/", 6),
        ("studies/poems/prompts/", 6),
        ("studies/poems/evaluators/", 15),
        ("studies/poems/progress/", 13),
        ("studies/poems/payments/", 9),
    ],
)
def test_the_number_of_queries_does_not_grow_with_the_study(
    db: None, carol: User, prompts: int, path: str, queries: int, django_assert_max_num_queries: Any
) -> None:
    study = build_study(prompts=prompts)
    for number in range(prompts // 4 + 1):
        answer_everything(enrol(study, build_user(f"evaluator-{number}")))
    close_study(study)
    client = Client()
    client.force_login(carol)
    with django_assert_max_num_queries(queries):
        assert client.get(f"{API}{path}").json()


def test_candidates_are_found_by_method_and_sub_task(study: Study, olga: User) -> None:
    page = called(olga, "get", "studies/poems/candidates/?method=method-2&subtask=1").json()
    assert (page["count"], {row["method"] for row in page["results"]}) == (2, {"method-2"})
    assert called(olga, "get", "studies/poems/candidates/?subtask=2").json()["count"] == 0


def test_progress_is_told_without_methods(enrolment: Enrolment, study: Study, olga: User) -> None:
    answer_everything(enrolment)
    response = called(olga, "get", "studies/poems/progress/")
    assert response.json()["funnel"] | {"invited": None} == {
        "invited": None, "enrolled": 1, "started": 1, "finished": 1, "valid": 1, "withdrawn": 0,
        "simulated": 0, "imported": 0,
    }  # fmt: skip
    assert response.json()["subtasks"] == [
        {"number": 1, "prompts": 2, "evaluators": 1, "complete": 2, "asked": 2}
    ]
    assert "method" not in response.content.decode()


def test_a_plan_is_locked_once_and_read_again(study: Study, olga: User) -> None:
    assert called(olga, "get", "studies/poems/plan/").status_code == 404
    body = {
        "primary_criterion": "overall",
        "comparisons": [["method-0", "method-1"]],
        "planned_evaluators": 9,
    }
    locked = called(olga, "post", "studies/poems/plan/", body)
    assert (locked.status_code, locked.json()["comparisons"]) == (201, [["method-0", "method-1"]])
    assert called(olga, "get", "studies/poems/plan/").json() == locked.json()
    assert called(olga, "post", "studies/poems/plan/", body).status_code == 409
    assert (
        called(olga, "post", "studies/poems/plan/", body | {"primary_criterion": "colour"}).status_code == 409
    )


def test_a_token_of_somebody_else_is_said_to_be_so_in_no_words_of_a_browser(
    enrolment: Enrolment, alice: User, bob: User, study: Study
) -> None:
    enrol(study, bob)
    body = {"token": placements(study, bob)[0].token, "criterion": "overall", "score": 7, "order": 5}
    refused = called(alice, "post", f"{PAGE}ratings/", body)
    assert (refused.status_code, refused.json()) == (
        404,
        {"detail": "This token belongs to another account."},
    )
