"""Idle workers are notified while prompts wait, and nobody is notified without need."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from kombu.exceptions import OperationalError
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from generation.conftest import Queue
from generation.models import GenerationRun, RunPrompt, Worker
from generation.runs.claiming import claim
from generation.runs.notifications import known_models, notify, notify_started, poll, queue_for
from generation.tasks import write_waiting


def test_run_notifies_idle_workers_once_it_is_stored(
    queue: Queue,
    worker: Worker,
    notified: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        queue("春", "江", "花")
        assert notified == []
    assert notified == ["generate", "generate"], "one for each of its two slots"


def test_single_text_notifies_one_worker(
    queue: Queue,
    worker: Worker,
    notified: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        queue("春")
    assert notified == ["generate"]


def test_polling_notifies_who_is_idle(queue: Queue, worker: Worker, notified: list[str]) -> None:
    queue("春", "江", "花")
    claim("generate")
    poll()
    assert notified == ["generate"], "the other slot is busy"
    claim("generate")
    poll()
    assert notified == ["generate"], "nobody is idle: who is busy notifies when it is done"


def test_prompt_whose_worker_was_killed_is_notified(
    queue: Queue, worker: Worker, notified: list[str]
) -> None:
    queue("春")
    claim("generate")
    poll()
    assert notified == []
    RunPrompt.objects.update(leased_until=Now() - timedelta(seconds=1))
    poll()
    assert notified == ["generate"]


def test_new_worker_is_notified_while_the_lease_of_a_killed_one_runs(
    queue: Queue, worker: Worker, notified: list[str]
) -> None:
    queue("春", "江", "花")
    queue("夜", model="large")
    claim("generate")
    notify_started(["default", "generate"], 1)
    assert notified == ["generate"]
    notify_started(["default", "generate"], 4)
    assert notified == ["generate"] * 3, "no more than there are texts"


def test_nobody_is_notified_who_is_not_there(queue: Queue, notified: list[str]) -> None:
    queue("春")
    Worker.objects.report("other@test", queues=["generate-large"])
    Worker.objects.report("gone@test", queues=["generate"])
    Worker.objects.filter(hostname="gone@test").update(seen_at=Now() - timedelta(seconds=46))
    poll()
    assert notified == []


def test_polling_costs_the_same_at_any_length_of_the_queue(
    queue: Queue, worker: Worker, notified: list[str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    queue("春")
    # The lost ones, those that wait, and for the one queue its slots and those who write or learn.
    with django_assert_num_queries(7):
        poll()
    queue(*(f"题{number}" for number in range(30)))
    with django_assert_num_queries(7):
        poll()


def test_broker_that_is_away_hinders_nobody(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr("evalsite.celery.app.send_task", refuse)
    notify("generate", 3)
    assert caplog.text.count("The workers could not be notified: no broker") == 1


@pytest.mark.parametrize(
    ("model", "expected"), [("", "generate"), ("verse", "generate"), ("qwen-7b", "generate-qwen-7b")]
)
def test_models_of_the_site_share_a_queue(model: str, expected: str) -> None:
    assert queue_for(model) == expected


@pytest.mark.django_db
def test_models_that_living_workers_take_can_be_named() -> None:
    Worker.objects.report("gpu@test", queues=["default", "generate-qwen-7b"])
    assert known_models(Worker.objects.seen_lately()) == ["verse", "verse-st", "smollm2", "qwen-7b"]


def test_worker_that_finds_work_notifies_one_for_what_comes_after(
    queue: Queue, notified: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([True, False])
    monkeypatch.setattr("generation.tasks.write_next", lambda queue: next(answers))
    write_waiting("generate")
    assert notified == ["generate"]
    write_waiting("generate")
    assert notified == ["generate"], "where nothing waits the notifying ends"


def test_run_is_there_even_if_nobody_can_be_notified(queue: Queue, notified: list[str]) -> None:
    run = queue("春")
    poll()
    assert notified == []
    assert run.state == GenerationRun.State.QUEUED
