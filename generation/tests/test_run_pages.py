"""Staff watch a run, see what went wrong, cancel it or try again; nobody else sees that it exists."""

from __future__ import annotations

import re
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from generation.compose.composing import compose
from generation.conftest import Queue, written
from generation.models import GenerationRun, RunPrompt, Worker
from generation.orders import Order, OrderRefused, Step
from generation.runs.claiming import claim, give_up, record, report_step


def shown(client: Client, path: str, language: str = "en") -> str:
    """Return a page with every run of white space as one space."""
    response = client.get(path, headers={"accept-language": language})
    assert response.status_code == HTTPStatus.OK
    return " ".join(response.content.decode().split())


def news(client: Client, run: GenerationRun, query: str = "") -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/manage/runs/{run.uuid}/progress/{query}").json()
    return answer


def write_one(text: str = "山中一夜雨，树杪百重泉。", *, runners_up: int = 1) -> None:
    claimed = claim("generate")
    assert claimed
    record(claimed, written(text, runners_up=runners_up))


@pytest.fixture
def run(queue: Queue) -> GenerationRun:
    return queue("春", "江", "花", seed=3)


ADDRESSES = ["", "progress/", "cancel/", "retry/", "prompts/1/"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_staff_see_that_a_run_exists(client: Client, run: GenerationRun, address: str) -> None:
    path = f"/manage/runs/{run.uuid}/{address}"
    assert client.get(path).status_code == HTTPStatus.FOUND, "to the log-in"
    client.force_login(User.objects.create_user("alice"))
    assert client.get(path).status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
    assert client.post(path).status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
    assert client.get("/manage/runs/").status_code == HTTPStatus.NOT_FOUND
    run.refresh_from_db()
    assert run.state == GenerationRun.State.QUEUED


def test_unknown_run_is_not_found(staff: Client) -> None:
    assert staff.get("/manage/runs/00000000-0000-4000-8000-000000000000/").status_code == HTTPStatus.NOT_FOUND


def test_page_says_what_the_run_is_and_how_far(staff: Client, run: GenerationRun, worker: Worker) -> None:
    write_one()
    claimed = claim("generate")
    assert claimed
    report_step(claimed, Step(1, 8, "孤舟随远水，"))
    page = shown(staff, run.get_absolute_url())
    assert "1 of 3 written · 1 being written · 1 waiting · 0 failed" in page
    assert '<progress max="3" value="1"' in page
    assert "山中一夜雨，" in page
    assert "孤舟随远水，" in page, "the text in the making"
    assert "Cancel the run" in page
    assert 'href="/manage/runs/' + str(run.uuid) + '/prompts/3/"' in page


def test_news_are_what_the_page_shows(staff: Client, run: GenerationRun, worker: Worker) -> None:
    write_one()
    told = news(staff, run)
    assert told["words"]["counts"] == "1 of 3 written · 0 being written · 2 waiting · 0 failed"
    assert (told["finished"], told["total"], told["open"], told["failed"]) == (1, 3, True, False)
    assert told["prompts"][0] == {
        "number": 1,
        "prompt": "春",
        "state": "done",
        "label": "done",
        "attempts": 1,
        "note": "山中一夜雨，树杪百重泉。",
    }


def test_every_word_of_the_news_has_its_place_on_the_page(staff: Client, run: GenerationRun) -> None:
    page = shown(staff, run.get_absolute_url())
    assert set(re.findall(r'data-word="(\w+)"', page)) == set(news(staff, run)["words"])


def test_pace_is_that_of_the_latest_texts(staff: Client, queue: Queue, worker: Worker) -> None:
    run = queue(*(f"题{number}" for number in range(10)))
    assert news(staff, run)["words"]["pace"] == "–"
    for _ in range(4):
        write_one()
    # Texts 1 to 4 were finished 15 seconds apart, so three took 45: four a minute, and six are left.
    for number in range(1, 5):
        run.run_prompts.filter(number=number).update(finished_at=Now() + number * timedelta(seconds=15))
    assert news(staff, run)["words"] | {"counts": ""} == {
        "state": "running",
        "counts": "",
        "pace": "4.0 texts a minute",
        "left": "about 2 minutes",
        "sent": "–",
        "trouble": "",
    }


def test_run_that_nobody_works_on_says_so(staff: Client, run: GenerationRun, worker: Worker) -> None:
    assert news(staff, run)["words"]["trouble"] == ""
    Worker.objects.update(seen_at=F("seen_at") - timedelta(seconds=46))
    trouble = "No worker that takes the queue generate has reported for 45 seconds; 3 texts wait."
    assert news(staff, run)["words"]["trouble"] == trouble
    assert trouble in shown(staff, run.get_absolute_url())
    assert "No worker has reported for 45 seconds; 3 texts wait." in shown(staff, "/manage/runs/")


def test_queue_that_no_worker_takes_is_named(staff: Client, queue: Queue, worker: Worker) -> None:
    run = queue("春", model="large")
    assert "queue generate-large" in news(staff, run)["words"]["trouble"]
    assert "1 text waits in a queue that no worker takes." in shown(staff, "/manage/runs/")


def test_cancelling_asks_first_and_ends_the_run(staff: Client, run: GenerationRun) -> None:
    assert "Cancel this run?" in shown(staff, f"/manage/runs/{run.uuid}/cancel/")
    run.refresh_from_db()
    assert run.state != GenerationRun.State.CANCELLED, "asking changes nothing"
    page = staff.post(f"/manage/runs/{run.uuid}/cancel/", follow=True).content.decode()
    assert "The run is cancelled." in page
    run.refresh_from_db()
    assert run.state == GenerationRun.State.CANCELLED
    told = news(staff, run)
    assert (told["open"], told["failed"]) == (False, False)


def test_failed_prompts_show_their_reason_and_can_be_tried_again(staff: Client, queue: Queue) -> None:
    run = queue("毒")
    claimed = claim("generate")
    assert claimed
    give_up(claimed, OrderRefused("title: <b>too long</b>"))
    page = shown(staff, run.get_absolute_url())
    assert "title: &lt;b&gt;too long&lt;/b&gt;" in page
    assert "title: &lt;b&gt;too long&lt;/b&gt;" in shown(staff, f"/manage/runs/{run.uuid}/prompts/1/")
    assert news(staff, run)["failed"]
    page = staff.post(f"/manage/runs/{run.uuid}/retry/", follow=True).content.decode()
    assert "1 prompt is tried again." in page
    assert run.run_prompts.get().state == RunPrompt.State.WAITING


def test_a_link_cancels_nothing(staff: Client, run: GenerationRun) -> None:
    assert staff.get(f"/manage/runs/{run.uuid}/retry/").status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert staff.get(f"/manage/runs/{run.uuid}/cancel/").status_code == HTTPStatus.OK
    assert Client(enforce_csrf_checks=True).post(f"/manage/runs/{run.uuid}/cancel/").status_code in (
        HTTPStatus.FORBIDDEN,
        HTTPStatus.FOUND,
    )
    run.refresh_from_db()
    assert run.state == GenerationRun.State.QUEUED


def test_page_of_a_text_says_why_it_was_chosen(staff: Client, run: GenerationRun) -> None:
    write_one(runners_up=2)
    page = shown(staff, f"/manage/runs/{run.uuid}/prompts/1/")
    assert "by 0.500 over the next of 2 others" in page
    for figure in ("−2.500", "−1.750", "−0.750", "−3.000", "−4.000", "−5.000"):
        assert figure in page
    assert "霾" in page, "the character that the model does not know"
    assert "ab12" in page, "the digest of the checkpoint"
    assert "style=" not in page, "the site's rules for content allow no style in a page"
    # The widest row is the last one: four units of 100, of which the inverse term has two.
    assert '<rect x="50.0" y="1" width="50.0" height="8" class="bar-0"/>' in page


def test_bars_are_drawn_in_every_language(staff: Client, run: GenerationRun) -> None:
    write_one(runners_up=2)
    pages = [shown(staff, f"/manage/runs/{run.uuid}/prompts/1/", language) for language in ("en", "zh-hans")]
    rects = [re.findall(r"<rect[^>]*>", page) for page in pages]
    assert rects[0] == rects[1]
    assert len(rects[0]) > 10


def test_text_without_rivals_is_said_to_have_none(staff: Client, run: GenerationRun) -> None:
    write_one(runners_up=0)
    assert "It is the only final text." in shown(staff, f"/manage/runs/{run.uuid}/prompts/1/")


def test_prompt_that_waits_has_a_page_too(staff: Client, run: GenerationRun) -> None:
    assert "Nothing is written yet." in shown(staff, f"/manage/runs/{run.uuid}/prompts/2/")
    assert staff.get(f"/manage/runs/{run.uuid}/prompts/4/").status_code == HTTPStatus.NOT_FOUND


def test_long_run_is_shown_in_parts(staff: Client, queue: Queue) -> None:
    run = queue(*(f"题{number}" for number in range(60)))
    assert "1 to 50 of 60" in shown(staff, run.get_absolute_url())
    page = shown(staff, f"{run.get_absolute_url()}?page=2")
    assert f'data-progress="/manage/runs/{run.uuid}/progress/?page=2"' in page
    assert [row["number"] for row in news(staff, run, "?page=2")["prompts"]] == list(range(51, 61))


@pytest.mark.parametrize(
    ("address", "queries"), [("", 8), ("progress/", 8), ("prompts/1/", 4)], ids=["run", "progress", "prompt"]
)
def test_pages_of_a_run_cost_the_same_at_any_length(
    staff: Client,
    queue: Queue,
    worker: Worker,
    django_assert_num_queries: DjangoAssertNumQueries,
    address: str,
    queries: int,
) -> None:
    for titles in (["春"], [f"题{number}" for number in range(40)]):
        run = queue(*titles)
        write_one()
        with django_assert_num_queries(queries):
            staff.get(f"/manage/runs/{run.uuid}/{address}")


def test_list_of_runs_costs_the_same_at_any_length(
    staff: Client, queue: Queue, worker: Worker, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in (1, 12):
        for _ in range(number):
            queue("春", "江")
        with django_assert_num_queries(5):
            page = shown(staff, "/manage/runs/")
    assert page.count("0 of 2") == 13
    assert "1 worker has reported" in page


def test_texts_of_visitors_are_listed_only_where_asked_for(staff: Client, queue: Queue) -> None:
    run = queue("春")
    order = Order("search_baseline", "poem", "夜", seed=1)
    theirs = compose(order, visitor="somebody", address="192.0.2.7").run_prompt.run
    page = shown(staff, "/manage/runs/")
    assert run.get_absolute_url() in page
    assert theirs.get_absolute_url() not in page
    page = shown(staff, "/manage/runs/?visitors=1")
    assert run.get_absolute_url() in page
    assert theirs.get_absolute_url() in page
    assert "Without texts of visitors" in page


def test_further_pages_of_the_list_have_the_same_filter(staff: Client, queue: Queue) -> None:
    for number in range(51):
        queue(f"题{number}")
    assert 'href="?page=2"' in shown(staff, "/manage/runs/")
    assert 'href="?visitors=1&amp;page=2"' in shown(staff, "/manage/runs/?visitors=1")
