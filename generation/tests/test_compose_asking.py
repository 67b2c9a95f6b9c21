"""Anybody asks for a text: what the forms take, and what the site may bear; carol is staff, alice rates a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.engines.model_library import ENGLISH, VERSE_SELF_TRAINED
from generation.models import Composition, GenerationRun, Prompt, Worker
from generation.tests.compose_cast import ANSWER, POEM, POSTED, body, errors, link, poem_errors
from generation.web.once import new_nonce

pytestmark = pytest.mark.usefixtures("models")


# Asking


def test_a_title_is_enough_for_a_poem(visitor: Client) -> None:
    response = visitor.post(POEM, POSTED)
    run = GenerationRun.objects.get()
    assert response.headers["Location"] == f"/compose/{run.uuid}/"
    assert (run.config, run.priority, run.started_by) == ({"form": "lushi5"}, 10, None)
    assert run.run_prompts.get().prompt.text == "春夜"


def test_everything_that_a_visitor_asks_for_is_in_the_order(visitor: Client) -> None:
    asked = {"form": "ci", "tune": "浣溪沙", "heads": "山中", "author": "李白", "method": "search_baseline"}
    assert poem_errors(visitor, **asked) == {}
    run = GenerationRun.objects.select_related("method").get()
    assert {**run.config, "method": run.method.key} == asked


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        ({"tune": "浣溪沙"}, "ci"),
        ({"heads": "春夜"}, "jueju5"),
        ({"heads": "春夜山中一"}, "lushi5"),
        ({"form": "free"}, "free"),
    ],
)
def test_the_form_follows_from_the_rest(visitor: Client, fields: dict[str, str], form: str) -> None:
    assert poem_errors(visitor, **fields) == {}
    assert GenerationRun.objects.get().config["form"] == form


def test_an_english_title_is_for_a_free_poem(visitor: Client) -> None:
    assert poem_errors(visitor, title="Night rain") == {}
    assert GenerationRun.objects.get().config == {}


def test_a_question_is_queued_with_its_description(visitor: Client) -> None:
    asked = {
        "question": "Why is the sky blue?",
        "description": "By day.\nNot at dusk.",
        "method": "inverse_prompting",
    }
    assert errors(visitor, ANSWER, **asked) == {}
    prompt = Prompt.objects.get()
    assert (prompt.genre, prompt.text, prompt.description) == (
        "qa", "Why is the sky blue?", "By day. Not at dusk.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("title", "problem"),
    [
        ("", "Give the poem a title."),
        (" \u3000\t", "Give the poem a title."),
        ("？！……", "There is no word in it."),
        ("春" * 31, "This is 31 characters long; at most 30 are possible."),
        ("春\x07夜", "There is an invisible character in it (U+0007). Type it again without that."),
        ("春\u202e夜", "There is an invisible character in it (U+202E). Type it again without that."),
        ("春\x00夜", "There is an invisible character in it (U+0000). Type it again without that."),
        ("龘靐", "The model knows none of these characters."),
    ],
)
def test_a_title_that_cannot_be_written_about_is_refused_at_its_field(
    visitor: Client, title: str, problem: str
) -> None:
    assert poem_errors(visitor, title=title) == {"title": problem}


def test_a_title_of_the_greatest_length_is_taken(visitor: Client) -> None:
    assert poem_errors(visitor, title="春" * 30) == {}


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        ({"tune": "水调歌"}, "tune", "There is no such tune here. Similar names: 水调歌头、调笑歌、调笑."),
        ({"tune": "浣溪沙", "form": "lushi5"}, "tune",
         "Only a ci has a tune: choose that form, or leave the tune out."),
        ({"form": "ci"}, "tune", "Name the tune of the ci, such as 浣溪沙."),
        ({"heads": "春夜山中一", "form": "jueju5"}, "heads",
         "The poem has 4 short sentences, and the acrostic 5 characters."),
        ({"heads": "春夜山中一雨树"}, "heads", ""),
        ({"heads": "ab"}, "heads", "An acrostic is of Chinese characters only."),
        ({"heads": "春夜", "form": "free"}, "heads", "An acrostic needs another form than the free one."),
        ({"heads": "春龘"}, "heads", "The model does not know 龘."),
        ({"author": "靐"}, "author", "The model knows none of these characters."),
        ({"form": "sonnet"}, "form", "Select a valid choice. sonnet is not one of the available choices."),
        ({"method": "human"}, "method", "Select a valid choice. human is not one of the available choices."),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_at_its_field(
    visitor: Client, fields: dict[str, str], field: str, problem: str
) -> None:
    assert poem_errors(visitor, **fields) == ({field: problem} if problem else {})


@pytest.mark.parametrize(
    "fields", [{"tune": "浣溪沙"}, {"heads": "春夜"}, {"form": "lushi7"}, {"method": "inverse_prompting_st"}]
)
def test_forms_of_chinese_verse_are_refused_for_an_english_title(
    visitor: Client, fields: dict[str, str]
) -> None:
    assert set(poem_errors(visitor, title="Night rain", **fields)) == set(fields)


def test_a_chinese_question_is_refused_because_no_model_answers_it(visitor: Client) -> None:
    found = errors(visitor, ANSWER, question="天为什么是蓝的？", method="inverse_prompting")
    assert found == {"question": "Questions can be answered in English only, so far."}


def test_problems_are_told_in_chinese_and_what_was_typed_stays(visitor: Client) -> None:
    response = visitor.post(
        POEM, {**POSTED, "title": "<i>春</i>\u200b", "author": "李白"}, headers={"accept-language": "zh-hans"}
    )
    page = response.content.decode()
    assert "&lt;i&gt;春" in page
    assert 'value="李白"' in page
    assert "<i>" not in page


def test_a_problem_is_linked_to_its_field_and_read_out_with_it(visitor: Client) -> None:
    page = visitor.post(POEM, {**POSTED, "tune": "水调歌"}).content.decode()
    assert '<a href="#id_tune">Tune: There is no such tune here.' in page
    assert 'aria-describedby="id_tune-hint id_tune-error"' in page
    assert 'aria-invalid="true"' in page


# What the site may bear


def test_too_many_texts_are_refused_with_the_time_to_wait(visitor: Client, settings: Any) -> None:
    settings.COMPOSE_PER_VISITOR = 2
    assert [visitor.post(POEM, POSTED).status_code for _ in range(3)] == [302, 302, 429]
    refused = visitor.post(POEM, POSTED)
    assert 1795 < int(refused.headers["Retry-After"]) <= 1800
    assert "Try again in 30 minutes." in refused.content.decode()
    assert 'value="春夜"' in refused.content.decode()
    assert GenerationRun.objects.count() == 2
    assert Client().post(POEM, POSTED).status_code == 302


def test_without_the_cookie_the_address_counts(visitor: Client, settings: Any) -> None:
    settings.COMPOSE_PER_ADDRESS = 2
    assert [Client().post(POEM, POSTED).status_code for _ in range(3)] == [302, 302, 429]


def test_an_account_counts_on_every_device(visitor: Client, settings: Any) -> None:
    settings.COMPOSE_PER_VISITOR = 1
    alice = User.objects.create_user("alice")
    answers = []
    for _ in range(2):
        device = Client()
        device.force_login(alice)
        answers.append(device.post(POEM, POSTED).status_code)
    assert answers == [302, 429]


def test_a_cookie_that_was_tampered_with_is_another_visitor(visitor: Client, settings: Any) -> None:
    settings.COMPOSE_PER_ADDRESS = 2
    visitor.cookies["composer"] = "token:0000:forged"
    assert visitor.post(POEM, POSTED).status_code == 302


def test_a_full_queue_says_that_it_is_busy(visitor: Client, composed: Composition, settings: Any) -> None:
    settings.COMPOSE_QUEUE = 1
    refused = visitor.post(POEM, POSTED)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
    assert "The workers are busy: 1 text waits already." in refused.content.decode()
    again = visitor.post(link(composed, "again/"))
    assert (again.status_code, again.headers["Retry-After"]) == (503, "30")
    assert GenerationRun.objects.count() == 1


def test_without_a_worker_the_pages_say_so(visitor: Client) -> None:
    assert "No worker is running." in body(visitor, POEM)
    visitor.post(POEM, POSTED)
    assert "No worker is running. Your text keeps its place" in body(visitor, link(Composition.objects.get()))
    Worker.objects.report("one@test", queues=["default", "generate"])
    assert "No worker is running." not in body(visitor, POEM)


def test_a_visitor_is_told_of_a_model_that_is_not_there(visitor: Client, models: Path) -> None:
    assert ANSWER in body(visitor, POEM)
    assert ANSWER in body(visitor, "/")
    (models / ENGLISH / "model.safetensors").unlink()
    assert ANSWER not in body(visitor, POEM)
    assert ANSWER not in body(visitor, "/")
    page = body(visitor, ANSWER)
    assert "This site has no English model." in page
    assert "<textarea" not in page
    assert body(visitor, POEM).count("This site has no English model.") == 1
    assert poem_errors(visitor, title="Night rain")["title"] == "This site has no English model."
    asked = errors(visitor, ANSWER, question="Why is the sky blue?", method="inverse_prompting")
    assert asked["question"] == "This site has no English model."
    assert poem_errors(visitor) == {}


def test_the_command_that_gets_a_model_is_shown_to_administrators_alone(staff: Client, models: Path) -> None:
    (models / ENGLISH / "model.safetensors").unlink()
    for address in (POEM, ANSWER):
        assert "manage.py prepare_english_model" in body(staff, address)
        assert "manage.py" not in body(Client(), address)


def test_the_self_trained_model_is_offered_where_it_is(visitor: Client, models: Path) -> None:
    assert "inverse_prompting_st" in body(visitor, POEM)
    (models / VERSE_SELF_TRAINED / "model.safetensors").unlink()
    assert "inverse_prompting_st" not in body(visitor, POEM)
    assert "method" in poem_errors(visitor, method="inverse_prompting_st")


def test_a_second_press_leads_to_the_text_that_the_first_asked_for(worker: Worker, models: Path) -> None:
    # A first visit: neither press brings a cookie that tells the visitor.
    sent = {**POSTED, "nonce": new_nonce()}
    first, second = Client().post(POEM, sent), Client().post(POEM, sent)
    assert first.headers["Location"] == second.headers["Location"]
    assert Composition.objects.count() == GenerationRun.objects.count() == 1
    third = Client().post(POEM, {**POSTED, "nonce": new_nonce()})
    assert third.headers["Location"] != first.headers["Location"]
    assert Composition.objects.count() == 2


def test_a_second_press_of_another_try_asks_for_one_more_text(visitor: Client, composed: Composition) -> None:
    sent = {"nonce": new_nonce()}
    again = [visitor.post(link(composed, "again/"), sent) for _ in range(2)]
    assert again[0].headers["Location"] == again[1].headers["Location"]
    assert Composition.objects.count() == 2
