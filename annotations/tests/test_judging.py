"""Answers about a whole page: saved at once, the later one stays, and nothing but what the protocol asks is taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotations.models import AnswerChange, Enrolment, Judgement, Rating, Study
from annotations.protocols.protocol import BadJudgement
from annotations.questionnaire.judging import SentJudgement, save_judgement
from annotations.questionnaire.progress import study_progress
from annotations.questionnaire.saving import AnotherAccount, Closed, PageAddress, Paused, UnknownPlace
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, placements, shown

PAGE = "/studies/poems/subtasks/1/pages/1/"
ADDRESS = PageAddress("poems", 1, 1)

Asked = Callable[..., list[str]]


@pytest.fixture
def asked(db: None, alice: User) -> Asked:
    """Return a function that enrols alice in a study of a protocol and returns the tokens of her first page."""

    def begin(protocol: str, size: int | None = None, **fields: Any) -> list[str]:
        study = build_study(prompts=2, methods=4)
        fields |= {"protocol": protocol, "candidates_per_page": size, "has_best_picks": False}
        Study.objects.filter(pk=study.pk).update(**fields)
        study.refresh_from_db()
        enrol(study, alice)
        return [placement.token for placement in placements(study, alice)]

    return begin


def test_a_preference_is_saved_with_its_history_and_sent_again_changes_nothing(
    asked: Asked, alice: User
) -> None:
    tokens = asked("pairwise", 2)
    for _ in range(2):
        receipt = save_judgement(
            alice, ADDRESS, SentJudgement(tokens[0], "overall", 5, number=3, seconds_on_page=2)
        )
        assert (receipt.number, receipt.places, receipt.is_latest) == (3, None, True)
    assert list(Judgement.objects.values_list("criterion__key", "preference", "both_bad", "places")) == [
        ("overall", 1, False, None)
    ]
    step = AnswerChange.objects.get()
    assert (step.preference, step.candidate, step.seconds_on_page) == (1, None, 2)


def test_of_two_answers_the_later_one_by_the_device_stays(asked: Asked, alice: User) -> None:
    tokens = asked("pairwise", 2)
    save_judgement(alice, ADDRESS, SentJudgement(tokens[0], "overall", 7, number=4))
    late = save_judgement(alice, ADDRESS, SentJudgement(tokens[0], "overall", 6, number=1))
    assert (late.number, late.is_latest) == (4, False)
    assert Judgement.objects.values_list("preference", "both_bad").get() == (0, True)
    changed = save_judgement(alice, ADDRESS, SentJudgement(tokens[1], "overall", 8, number=1))
    assert (changed.number, changed.is_latest) == (1, True)
    assert AnswerChange.objects.count() == 2


def test_an_order_grows_text_by_text_and_counts_as_an_answer_when_it_is_whole(
    asked: Asked, alice: User
) -> None:
    tokens = asked("ranking")
    for order in range(1, 5):
        chosen = tuple(reversed(tokens))[:order]
        receipt = save_judgement(alice, ADDRESS, SentJudgement(tokens[0], "overall", order, places=chosen))
        assert receipt.places == chosen
        progress = study_progress(Enrolment.objects.get())
        assert (progress.answered, progress.total) == (int(order == 4), 2 * 2)
    assert Judgement.objects.get().places == [3, 2, 1, 0]


def test_of_best_and_worst_two_texts_are_a_whole_answer(asked: Asked, alice: User) -> None:
    tokens = asked("best_worst", 3)
    assert len(tokens) == 3
    save_judgement(alice, ADDRESS, SentJudgement(tokens[0], "overall", 1, places=(tokens[2],)))
    assert study_progress(Enrolment.objects.get()).answered == 0
    save_judgement(alice, ADDRESS, SentJudgement(tokens[0], "overall", 2, places=(tokens[2], tokens[0])))
    assert study_progress(Enrolment.objects.get()).answered == 1


@pytest.mark.parametrize(
    ("sent", "refusal"),
    [
        ({"number": 5}, BadJudgement),
        ({"number": None}, BadJudgement),
        ({"places": ("T", "U")}, UnknownPlace),
        ({"number": 1, "criterion": "wit"}, UnknownPlace),
        ({"number": 1, "token": "A" * 22}, UnknownPlace),
    ],
)
def test_what_the_page_does_not_ask_is_refused_and_changes_nothing(
    asked: Asked, alice: User, sent: dict[str, Any], refusal: type[Exception]
) -> None:
    tokens = asked("pairwise", 2)
    fields: dict[str, Any] = {"token": tokens[0], "criterion": "overall", "client_order": 1} | sent
    with pytest.raises(refusal):
        save_judgement(alice, ADDRESS, SentJudgement(**fields))
    assert not Judgement.objects.exists()
    assert not AnswerChange.objects.exists()


def test_a_page_whose_texts_are_rated_takes_no_judgement(
    enrolment: Enrolment, alice: User, study: Study
) -> None:
    token = placements(study, alice)[0].token
    with pytest.raises(UnknownPlace):
        save_judgement(alice, ADDRESS, SentJudgement(token, "overall", 1, number=1))


def test_a_text_of_somebody_else_is_told_apart_from_none(asked: Asked, bob: User) -> None:
    tokens = asked("pairwise", 2)
    with pytest.raises(AnotherAccount):
        save_judgement(bob, ADDRESS, SentJudgement(tokens[0], "overall", 1, number=1))


def test_after_the_deadline_and_in_a_pause_nothing_is_saved(asked: Asked, alice: User) -> None:
    tokens = asked("pairwise", 2)
    Study.objects.update(state="paused")
    with pytest.raises(Paused):
        save_judgement(alice, ADDRESS, SentJudgement(tokens[0], "overall", 1, number=1))
    Study.objects.update(state="open")
    Enrolment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Closed):
        save_judgement(alice, ADDRESS, SentJudgement(tokens[0], "overall", 1, number=1))
    assert not Judgement.objects.exists()


# The page


def post(client: Client, **fields: Any) -> Any:
    body = {"score": None, "order": 1, "seconds": 1.5, "criterion": "overall"} | fields
    return client.post(f"{PAGE}judgements/", json.dumps(body), content_type="application/json")


def test_a_page_of_two_asks_each_criterion_about_both(asked: Asked, as_alice: Client) -> None:
    tokens = asked("pairwise", 2)
    page = shown(as_alice, PAGE)
    assert page.count('<article class="card"') == 2
    assert page.count('type="radio"') == 2 * 4
    assert "A is better <kbd" in page
    assert f'data-question="{tokens[0]}.overall"' in page
    assert "0 of 2 answered" in page
    assert 'data-answers-url="/studies/poems/subtasks/1/pages/1/judgements/"' in page
    assert "Which poem is the best?" not in page


def test_five_steps_are_offered_where_the_study_says_so(asked: Asked, as_alice: Client) -> None:
    asked("pairwise", 2, preference_scale="steps")
    page = shown(as_alice, PAGE)
    assert page.count('type="radio"') == 2 * 5
    assert "B is a little better" in page


def test_the_browser_gets_back_what_is_stored_and_the_page_shows_it(asked: Asked, as_alice: Client) -> None:
    tokens = asked("ranking")
    reply = post(as_alice, token=tokens[0], places=[tokens[1], tokens[0]]).json()
    assert (reply["places"], reply["score"], reply["latest"]) == ([tokens[1], tokens[0]], None, True)
    page = shown(as_alice, PAGE)
    assert f'data-order value="{tokens[1]} {tokens[0]}"' in page
    assert "0 of 2 answered" in page


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"places": ["x" * 23]}, 400),
        ({"places": "ab"}, 400),
        ({"places": [1]}, 400),
        ({"score": 1.5}, 400),
        ({"score": 9}, 400),
        ({"extra": 1}, 400),
        ({"places": ["T" * 22]}, 404),
        ({"places": ["x" * 22] * 60}, 400),
    ],
)
def test_a_body_that_is_no_answer_is_refused_in_one_line(
    asked: Asked, as_alice: Client, fields: dict[str, Any], status: int
) -> None:
    tokens = asked("ranking")
    response = post(as_alice, **{"token": tokens[0], **fields})
    assert response.status_code == status
    assert set(response.json()) == {"error"}
    assert not Judgement.objects.exists()


def test_a_body_that_nests_deeper_than_the_parser_goes_is_refused(asked: Asked, as_alice: Client) -> None:
    asked("ranking")
    for body in ("[" * 1_200, '{"token":' * 130):
        response = as_alice.post(f"{PAGE}judgements/", body, content_type="application/json")
        assert response.status_code == 400
        assert response.json() == {"error": "This is not an answer. Load the page again."}


@pytest.mark.parametrize("protocol", ["pairwise", "ranking", "best_worst"])
def test_a_page_takes_at_most_eight_queries_and_a_save_four_at_any_size(
    as_alice: Client, alice: User, protocol: str, django_assert_max_num_queries: Any
) -> None:
    for slug, prompts in (("small", 1), ("large", 24)):
        study = build_study(slug=slug, prompts=prompts)
        size = 2 if protocol == "pairwise" else 4
        Study.objects.filter(pk=study.pk).update(
            protocol=protocol, candidates_per_page=size, has_best_picks=False
        )
        study.refresh_from_db()
        enrol(study, alice)
        tokens = [placement.token for placement in placements(study, alice)]
        path = f"/studies/{slug}/subtasks/1/pages/1/"
        with django_assert_max_num_queries(8):
            assert as_alice.get(path).status_code == 200
        answer = {"score": 1} if protocol == "pairwise" else {"score": None, "places": tokens[:2]}
        body = {"token": tokens[0], "criterion": "overall", "order": 1, "seconds": None} | answer
        with django_assert_max_num_queries(4):
            saved = as_alice.post(f"{path}judgements/", json.dumps(body), content_type="application/json")
        assert saved.status_code == 200


# Without JavaScript the page is one form


def test_a_form_saves_preferences_and_goes_on(asked: Asked, as_alice: Client) -> None:
    tokens = asked("pairwise", 2)
    for _ in range(2):
        response = as_alice.post(PAGE, {f"{tokens[0]}.overall": "1", f"{tokens[0]}.format": "2"})
        assert response.headers["Location"] == "/studies/poems/subtasks/1/pages/2/"
    assert sorted(Judgement.objects.values_list("criterion__key", "preference")) == [
        ("format", 0),
        ("overall", -1),
    ]
    assert AnswerChange.objects.count() == 2
    assert not Rating.objects.exists()


def test_a_form_saves_an_order_and_names_a_text_that_stands_twice(asked: Asked, as_alice: Client) -> None:
    tokens = asked("best_worst", 3)
    names = [f"{tokens[0]}.overall.{place}" for place in (1, 2)]
    response = as_alice.post(PAGE, dict.fromkeys(names, tokens[1]))
    assert response.status_code == 400
    assert "An answer is an order of at most 2 texts, each once." in response.content.decode()
    response = as_alice.post(PAGE, {names[0]: tokens[1], names[1]: "nonsense"})
    assert response.status_code == 400
    assert '<a href="#page-overall">Overall: ' in response.content.decode()
    assert not Judgement.objects.exists()
    as_alice.post(PAGE, {names[0]: tokens[1], names[1]: tokens[0]})
    assert Judgement.objects.get().places == [1, 0]
    assert f'<option value="{tokens[1]}" selected>' in shown(as_alice, PAGE)


def test_a_form_does_not_take_the_worst_text_for_the_best_where_the_best_is_missing(
    asked: Asked, as_alice: Client
) -> None:
    tokens = asked("best_worst", 3)
    names = [f"{tokens[0]}.overall.{place}" for place in (1, 2)]
    response = as_alice.post(PAGE, {names[0]: "", names[1]: tokens[1]})
    assert response.status_code == 400
    assert "Fill the places from the first on, without a gap." in response.content.decode()
    assert not Judgement.objects.exists()


# The API


def test_the_api_shows_what_a_page_asks_and_takes_the_answer(asked: Asked, as_alice: Client) -> None:
    tokens = asked("pairwise", 2)
    path = "/api/v1/my/studies/poems/subtasks/1/pages/1/"
    page = as_alice.get(path).json()
    assert page["protocol"] == "pairwise"
    assert [one["criterion"] for one in page["judged"]] == ["format", "overall"]
    assert page["judged"][0]["options"][3] == {"number": 4, "label": "both bad"}
    body = {"token": tokens[0], "criterion": "overall", "number": 3}
    receipt = as_alice.post(f"{path}judgements/", json.dumps(body), content_type="application/json")
    assert (receipt.status_code, receipt.json()["number"]) == (200, 3)
    assert as_alice.get(path).json()["judged"][1]["number"] == 3
    bad = as_alice.post(
        f"{path}judgements/", json.dumps(body | {"number": 5}), content_type="application/json"
    )
    assert (bad.status_code, bad.json()["detail"]) == (400, "An answer is a number from 1 to 4.")
