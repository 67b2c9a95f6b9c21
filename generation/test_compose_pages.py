"""Anybody asks for a text, watches it come and keeps its link; carol is staff, alice rates a study."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation import compose_forms
from generation.claiming import LOST, claim, give_up, record, report_step
from generation.conftest import written
from generation.model_library import ENGLISH, FOLDERS, VERSE, VERSE_SELF_TRAINED
from generation.models import Candidate, Composition, GenerationRun, Prompt, RunPrompt, Worker
from generation.orders import OrderRefused, Step
from generation.runs import OWN_METHODS, cancel_run

POEM, ANSWER = "/compose/poem/", "/compose/answer/"
KNOWN = "春夜山中一雨树杪百重泉李白，。"
POSTED = {"title": "春夜", "method": "inverse_prompting"}


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The models that come with the site lie in folders of their own; the verse model knows a few characters."""
    for name in (VERSE, VERSE_SELF_TRAINED, ENGLISH):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "model.safetensors").touch()
        monkeypatch.setitem(FOLDERS, name, folder)
    vocabulary = {"type": "WordLevel", "vocab": {word: place for place, word in enumerate(["<unk>", *KNOWN])}}
    (tmp_path / VERSE / "tokenizer.json").write_text(json.dumps({"model": vocabulary}))
    return tmp_path


@pytest.fixture
def visitor(db: None, rings: list[str], client: Client) -> Client:
    return client


@pytest.fixture
def composed(visitor: Client, worker: Worker) -> Composition:
    """A quatrain that somebody asked for."""
    response = visitor.post(POEM, {**POSTED, "form": "jueju5"})
    assert response.status_code == 302
    return Composition.objects.with_order().get()


def link(composition: Composition, what: str = "") -> str:
    return f"/compose/{composition.run_prompt.run.uuid}/{what}"


def errors(client: Client, address: str, **fields: str) -> dict[str, str]:
    """Return the first problem by field of a form that is sent; nothing is queued if there is one."""
    response = client.post(address, fields)
    if response.status_code == 302:
        return {}
    assert response.status_code == 400
    assert not GenerationRun.objects.exists()
    return {name: str(problems[0]) for name, problems in response.context["form"].errors.items()}


def poem_errors(client: Client, title: str = "春夜", **fields: str) -> dict[str, str]:
    return errors(client, POEM, **{**POSTED, "title": title, **fields})


def body(client: Client, address: str, **headers: str) -> str:
    return client.get(address, headers=headers).content.decode()


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
    assert "You can have the next one in 30 minutes." in refused.content.decode()
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


def test_a_model_that_is_not_there_is_named_with_the_command_that_gets_it(
    visitor: Client, models: Path
) -> None:
    (models / ENGLISH / "model.safetensors").unlink()
    page = body(visitor, ANSWER)
    assert "“manage.py prepare_english_model” gets it." in page
    assert "<textarea" not in page
    assert "prepare_english_model" in poem_errors(visitor, title="Night rain")["title"]
    asked = errors(visitor, ANSWER, question="Why is the sky blue?", method="inverse_prompting")
    assert "prepare_english_model" in asked["question"]
    assert poem_errors(visitor) == {}


def test_the_self_trained_model_is_offered_where_it_is(visitor: Client, models: Path) -> None:
    assert "inverse_prompting_st" in body(visitor, POEM)
    (models / VERSE_SELF_TRAINED / "model.safetensors").unlink()
    assert "inverse_prompting_st" not in body(visitor, POEM)
    assert "method" in poem_errors(visitor, method="inverse_prompting_st")


# Watching


def progress(client: Client, composition: Composition) -> dict[str, Any]:
    found: dict[str, Any] = client.get(link(composition, "progress/")).json()
    return found


def test_the_text_comes_short_sentence_by_short_sentence(visitor: Client, composed: Composition) -> None:
    blank = ["unwritten", "□□□□□，□□□□□。"]
    assert progress(visitor, composed) == {
        "state": "waiting", "open": True, "words": "Waiting for a worker to be free.", "sentence": 0, "most": 4,
        "lines": [[blank], [blank]],
    }  # fmt: skip
    claimed = claim("generate")
    assert claimed is not None
    assert progress(visitor, composed)["words"] == "The first short sentence is being written."
    report_step(claimed, Step(1, 4, "山中一夜雨，"))
    news = progress(visitor, composed)
    assert (news["sentence"], news["most"]) == (1, 4)
    assert news["words"] == "1 of at most 4 short sentences are written."
    assert news["lines"] == [[["written", "山中一夜雨，"], ["unwritten", "□□□□□。"]], [blank]]
    record(claimed, written())
    news = progress(visitor, composed)
    assert (news["open"], news["state"], news["words"]) == (False, "done", "Written.")


def test_a_browser_that_has_the_news_is_told_only_that(visitor: Client, composed: Composition) -> None:
    first = visitor.get(link(composed, "progress/"))
    assert "no-store" in first.headers["Cache-Control"]
    second = visitor.get(link(composed, "progress/"), headers={"if-none-match": first.headers["ETag"]})
    assert (second.status_code, second.content) == (304, b"")
    assert claim("generate")
    third = visitor.get(link(composed, "progress/"), headers={"if-none-match": first.headers["ETag"]})
    assert third.status_code == 200


def test_who_waits_is_told_how_many_come_first(visitor: Client, composed: Composition) -> None:
    visitor.post(POEM, POSTED)
    later = Composition.objects.with_order().order_by("-pk")[0]
    assert progress(visitor, later)["words"] == "1 other text comes first."


def test_the_page_of_what_is_being_written_works_without_a_script(
    visitor: Client, composed: Composition
) -> None:
    page = body(visitor, link(composed))
    assert "□□□□□，□□□□□。" in page
    assert f'<noscript><a class="button button-plain" href="{link(composed)}">' in page


# The result


@pytest.fixture
def done(composed: Composition) -> Composition:
    claimed = claim("generate")
    assert claimed is not None
    record(claimed, written("山中一夜雨，树杪百重泉。山中一夜雨，树杪百重泉。"))
    return composed


def test_the_result_is_set_as_verse_with_its_scores(visitor: Client, done: Composition) -> None:
    page = body(visitor, link(done))
    assert page.count('<p><span class="written">山中一夜雨，树杪百重泉。</span></p>') == 2
    for words in ("Relevance", "−1.750", "Fluency", "−0.750", "Together", "−2.500", "by 0.500"):
        assert words in page
    assert "passed them over: 霾" in page
    assert "seed" in page
    assert "The 1 other text that came close" in page
    assert "其0" in page
    assert visitor.get(link(done)).headers["X-Robots-Tag"] == "noindex"


def test_breaches_of_the_form_are_told_by_kind(visitor: Client, composed: Composition) -> None:
    claimed = claim("generate")
    assert claimed is not None
    # The last character of 王之涣's quatrain is exchanged for one that it has and that does not rhyme.
    best = replace(
        written("白日依山尽，黄河入海流。欲穷千里目，更上一层山。").best,
        terms={"forward": -1.0, "format": -2.0},
    )
    record(claimed, replace(written(), best=best))
    assert "the poem breaks the rules of its form: rhymes 1, repeated characters 1" in body(
        visitor, link(composed)
    )


def test_a_link_keeps_and_anybody_may_have_it(visitor: Client, done: Composition) -> None:
    assert "山中一夜雨" in body(Client(), link(done))
    assert f'value="http://testserver{link(done)}"' in body(Client(), link(done))


def test_another_try_leads_to_a_page_of_its_own(visitor: Client, done: Composition) -> None:
    response = visitor.post(link(done, "again/"))
    first, second = GenerationRun.objects.order_by("pk")
    assert response.headers["Location"] == f"/compose/{second.uuid}/"
    assert (second.seed, second.config) == (first.seed + 1, first.config)
    assert visitor.get(link(done, "again/")).status_code == 405


def test_what_was_asked_for_can_be_changed(visitor: Client, done: Composition) -> None:
    page = body(visitor, link(done))
    address = page.split('href="/compose/poem/?')[1].split('"')[0].replace("&amp;", "&")
    form = body(visitor, f"/compose/poem/?{address}")
    assert 'value="春夜"' in form
    assert '<option value="jueju5" selected>' in form


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OrderRefused("title: the model verse knows none of the characters of 龘"),
         "The model knows none of these characters: 龘"),
        (OrderRefused("heads: the model verse does not know 龘"),
         "The model does not know these characters of the acrostic: 龘"),
        (OrderRefused("question: is too long for the model smollm2, which reads at most 2,048 tokens"),
         "What you asked for is too long for the model."),
        (OrderRefused("preset: /secret/folder"), "Something went wrong while this text was written."),
    ],
)  # fmt: skip
def test_a_refusal_of_the_model_is_told_in_the_visitors_words(
    visitor: Client, composed: Composition, error: Exception, words: str
) -> None:
    claimed = claim("generate")
    assert claimed is not None
    give_up(claimed, error)
    page = body(visitor, link(composed))
    assert words in page
    assert "secret" not in page
    assert "Try again" in page


def test_what_went_wrong_inside_stays_with_the_staff(visitor: Client, composed: Composition) -> None:
    RunPrompt.objects.update(state="failed", error="RuntimeError: /srv/models is not readable")
    assert "srv" not in body(visitor, link(composed))
    RunPrompt.objects.update(error=LOST)
    assert "The worker was lost" in body(visitor, link(composed))


def test_a_cancelled_composition_says_so(visitor: Client, composed: Composition) -> None:
    cancel_run(composed.run_prompt.run)
    assert "This was cancelled" in body(visitor, link(composed))


def test_what_a_visitor_types_is_only_ever_text(visitor: Client, worker: Worker) -> None:
    attack = "<script>alert(1)</script>"
    visitor.post(ANSWER, {"question": attack, "description": f'"{attack}', "method": "search_baseline"})
    composition = Composition.objects.with_order().get()
    assert "<script>alert" not in body(visitor, link(composition))
    claimed = claim("generate")
    assert claimed is not None
    record(claimed, written(f"It is {attack}."))
    assert "&lt;script&gt;alert(1)" in body(visitor, link(composition))
    assert "<script>alert" not in body(visitor, link(composition))


# Nobody else's


def test_only_what_visitors_asked_for_is_shown(
    visitor: Client, queue: Callable[..., GenerationRun], worker: Worker
) -> None:
    run = queue("春夜")
    for what in ("", "progress/", "again/"):
        for address in (f"/compose/{run.uuid}/{what}", f"/compose/{uuid4()}/{what}"):
            assert visitor.get(address).status_code == (405 if what == "again/" else 404)
            assert visitor.post(address).status_code == (404 if what == "again/" else 405)


def test_a_text_for_a_prompt_of_a_study_is_not_shown_to_visitors(
    visitor: Client, composed: Composition, queue: Callable[..., GenerationRun]
) -> None:
    other = queue("春夜", method="search_baseline")
    Candidate.objects.create(run=other, prompt=Prompt.objects.get(), text="别人的诗")
    assert "别人的诗" not in body(visitor, link(composed))


@pytest.mark.parametrize(("address", "queries"), [(POEM, 1), (ANSWER, 1)])
def test_a_form_needs_one_query(
    visitor: Client, django_assert_num_queries: Any, address: str, queries: int
) -> None:
    with django_assert_num_queries(queries):
        visitor.get(address)


def test_the_pages_of_a_composition_need_few_queries_however_long_it_is(
    visitor: Client, composed: Composition, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(3):
        visitor.get(link(composed))
    with django_assert_num_queries(3):
        visitor.get(link(composed, "progress/"))
    claimed = claim("generate")
    assert claimed is not None
    record(claimed, written(runners_up=9))
    with django_assert_num_queries(2):
        visitor.get(link(composed))
    with django_assert_num_queries(1):
        visitor.get(link(composed, "progress/"))


def test_queueing_needs_as_many_queries_however_much_waits(
    visitor: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        with django_assert_max_num_queries(17):
            visitor.post(POEM, POSTED)


def test_every_method_that_is_offered_can_be_carried_out() -> None:
    assert set(compose_forms.METHODS) == set(OWN_METHODS) - {"sampling"}
