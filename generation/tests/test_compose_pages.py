"""Anybody watches a text come and keeps its link; carol is staff, alice rates a study."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from generation.compose import forms as compose_forms
from generation.conftest import written
from generation.methods import METHODS
from generation.models import Candidate, Composition, GenerationRun, Prompt, RunPrompt, Worker
from generation.models.lease import LOST
from generation.orders import OrderRefused, Step
from generation.runs.claiming import claim, give_up, record, report_step
from generation.runs.runs import cancel_run
from generation.tests.compose_cast import ANSWER, POEM, POSTED, body, link

pytestmark = pytest.mark.usefixtures("models")


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
    assert re.search(rf'<noscript>\s*<a class="button button-plain" href="{link(composed)}">', page)


# The result


@pytest.fixture
def done(composed: Composition) -> Composition:
    claimed = claim("generate")
    assert claimed is not None
    record(claimed, written("山中一夜雨，树杪百重泉。山中一夜雨，树杪百重泉。"))
    return composed


def test_the_result_is_set_as_verse_with_its_scores(visitor: Client, done: Composition) -> None:
    page = body(visitor, link(done))
    assert page.count('<span class="written">山中一夜雨，树杪百重泉。</span>') == 2
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
        with django_assert_max_num_queries(19):
            visitor.post(POEM, POSTED)


def test_every_method_that_is_offered_can_be_carried_out() -> None:
    assert set(compose_forms.OFFERED) == set(METHODS) - {"sampling"}
