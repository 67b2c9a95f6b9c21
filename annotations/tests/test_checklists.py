"""Checklists: items of the study and of a prompt, answered about each text and saved at once."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotations.models import AnswerChange, ChecklistAnswer, ChecklistItem, Enrolment, Study
from annotations.questionnaire.checklists.saving import save_checklist_answer
from annotations.questionnaire.progress import study_progress
from annotations.questionnaire.saving import (
    AnotherAccount,
    Answer,
    Closed,
    OffScale,
    PageAddress,
    Paused,
    UnknownPlace,
)
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_checklist_study, build_study, placements

PAGE = "/studies/poems/subtasks/1/pages/1/"
ADDRESS = PageAddress("poems", 1, 1)


@pytest.fixture
def tokens(alice: User) -> list[str]:
    """The texts of alice's first page of a study that asks a checklist, as her browser knows them."""
    study = build_checklist_study()
    enrol(study, alice)
    return [placement.token for placement in placements(study, alice)]


def test_an_answer_is_saved_with_its_history_and_sent_again_changes_nothing(
    tokens: list[str], alice: User
) -> None:
    for _ in range(2):
        receipt = save_checklist_answer(alice, ADDRESS, Answer(tokens[1], 5, "prompt-1", 3, 2.5))
        assert (receipt.criterion, receipt.score, receipt.is_latest) == ("prompt-1", 3, True)
    stored = ChecklistAnswer.objects.get()
    assert stored.item.page is not None
    assert (stored.item.key, stored.item.page.number, stored.answer) == ("prompt-1", 1, 3)
    assert stored.candidate == placements(stored.item.study, alice)[1].candidate
    step = AnswerChange.objects.get()
    assert (step.item, step.criterion, step.score, step.seconds_on_page) == (stored.item, None, 3, 2.5)


def test_of_two_answers_the_later_one_by_the_device_stays(tokens: list[str], alice: User) -> None:
    save_checklist_answer(alice, ADDRESS, Answer(tokens[0], 7, "study-1", 1))
    late = save_checklist_answer(alice, ADDRESS, Answer(tokens[0], 6, "study-1", 2))
    assert (late.score, late.client_order, late.is_latest) == (1, 7, False)
    changed = save_checklist_answer(alice, ADDRESS, Answer(tokens[0], 8, "study-1", 2))
    assert (changed.score, changed.is_latest) == (2, True)
    assert [change.score for change in AnswerChange.objects.order_by("pk")] == [1, 2]


@pytest.mark.parametrize(
    ("key", "answer", "refusal"),
    [
        ("study-1", 4, OffScale),
        ("study-1", None, OffScale),
        ("study-2", 3, OffScale),
        ("study-3", 1, UnknownPlace),
        ("prompt-2", 1, UnknownPlace),
        ("overall", 1, UnknownPlace),
        (None, 1, UnknownPlace),
    ],
)
def test_what_an_item_does_not_take_is_refused_and_changes_nothing(
    tokens: list[str], alice: User, key: str | None, answer: int | None, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        save_checklist_answer(alice, ADDRESS, Answer(tokens[0], 1, key, answer))
    assert not ChecklistAnswer.objects.exists()
    assert not AnswerChange.objects.exists()


def test_nobody_answers_for_another_nor_after_the_time_nor_while_it_is_paused(
    tokens: list[str], alice: User, bob: User
) -> None:
    sent = Answer(tokens[0], 1, "study-1", 1)
    with pytest.raises(AnotherAccount):
        save_checklist_answer(bob, ADDRESS, sent)
    Study.objects.update(state="paused")
    with pytest.raises(Paused):
        save_checklist_answer(alice, ADDRESS, sent)
    Study.objects.update(state="open")
    Enrolment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Closed):
        save_checklist_answer(alice, ADDRESS, sent)
    assert not ChecklistAnswer.objects.exists()


def test_a_study_that_rates_takes_no_answer_to_an_item(alice: User) -> None:
    study = build_study()
    ChecklistItem.objects.create(study=study, number=1, text={"en": "It rhymes."})
    enrol(study, alice)
    token = placements(study, alice)[0].token
    with pytest.raises(UnknownPlace):
        save_checklist_answer(alice, ADDRESS, Answer(token, 1, "study-1", 1))


def post(client: Client, path: str, **body: Any) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


def test_a_page_asks_every_item_about_every_text_and_takes_answers_at_once(
    as_alice: Client, tokens: list[str], django_assert_num_queries: Any
) -> None:
    as_alice.get(PAGE)
    with django_assert_num_queries(6):
        page = as_alice.get(PAGE).content.decode()
    assert page.count('class="question item"') == 3 * 4
    assert 'data-answers-url="/studies/poems/subtasks/1/pages/1/checklist/"' in page
    assert 'data-total="12"' in page
    assert page.count("It names the rain.</legend>") == 4
    assert "How good is the poem" not in page
    assert "method" not in page.replace('method="post"', "")
    # An item that always applies has two answers.
    assert page.count(f'name="{tokens[0]}.study-2"') == 2
    body = {"token": tokens[0], "criterion": "study-1", "score": 1, "order": 5, "seconds": 2}
    post(as_alice, f"{PAGE}checklist/", **body | {"criterion": "study-2"})
    with django_assert_num_queries(2):
        reply = post(as_alice, f"{PAGE}checklist/", **body).json()
    assert (reply["criterion"], reply["score"], reply["latest"]) == ("study-1", 1, True)
    assert post(as_alice, f"{PAGE}checklist/", **body | {"score": 9}).status_code == 400
    page = as_alice.get(PAGE).content.decode()
    assert len(re.findall(r"<input[^>]* checked", page)) == 2
    assert "2 of 12 answered" in page
    assert 'data-highest-order="5"' in page


def test_a_page_without_javascript_is_saved_whole(as_alice: Client, tokens: list[str], alice: User) -> None:
    keys = ["study-1", "study-2", "prompt-1"]
    answers = {f"{token}.{key}": "2" for token in tokens for key in keys}
    bad = as_alice.post(PAGE, answers | {f"{tokens[0]}.study-2": "3"})
    assert "An answer is 1 (yes) or 2 (no)." in bad.content.decode()
    assert not ChecklistAnswer.objects.exists()
    assert as_alice.post(PAGE, answers).headers["Location"] == "/studies/poems/subtasks/1/pages/2/"
    assert ChecklistAnswer.objects.filter(answer=2).count() == 12
    progress = study_progress(Enrolment.objects.get(evaluator=alice))
    assert [(page.answered, page.total) for page in progress.subtasks[0].pages] == [(12, 12), (0, 12)]
    assert progress.next_page is not None
    assert progress.next_page.page == 2


def test_the_api_shows_the_items_and_takes_answers(as_alice: Client, tokens: list[str]) -> None:
    path = f"/api/v1/my{PAGE}"
    page = as_alice.get(path).json()
    assert page["protocol"] == "checklist"
    assert [item["key"] for item in page["checklist"]] == ["study-1", "study-2", "prompt-1"]
    assert [option["label"] for option in page["checklist"][0]["options"]] == ["yes", "no", "does not apply"]
    assert page["candidates"][0]["scores"] == {"study-1": None, "study-2": None, "prompt-1": None}
    body = {"token": tokens[0], "item": "prompt-1", "answer": 2}
    reply = post(as_alice, f"{path}checklist/", **body).json()
    assert (reply["item"], reply["answer"], reply["is_latest"]) == ("prompt-1", 2, True)
    assert post(as_alice, f"{path}checklist/", **body | {"answer": 4}).status_code == 400
    assert post(as_alice, f"{path}checklist/", **body | {"item": "prompt-9"}).status_code == 404
    assert as_alice.get(path).json()["candidates"][0]["scores"]["prompt-1"] == 2
