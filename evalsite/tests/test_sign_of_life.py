from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.signals import celeryd_init, worker_process_init
from django.db import OperationalError
from pytest_django import Settings

from evalsite import celery, embedded
from evalsite.tests.cast import wait_for
from generation.models import Worker, WorkerQuerySet

QUEUES = SimpleNamespace(consume_from={"default": object(), "generate": object()})
WORKER = SimpleNamespace(
    hostname="demo@host", concurrency=2, app=SimpleNamespace(amqp=SimpleNamespace(queues=QUEUES))
)


@pytest.fixture
def sign_of_life(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[celery.SignOfLife]:
    """The step that a starting worker takes; it reports from a thread, on a connection of its own."""
    monkeypatch.setattr(celery, "REPORT_SECONDS", 0.02)
    step = celery.SignOfLife(WORKER)
    yield step
    step.stop(WORKER)


def test_worker_reports_again_and_again(sign_of_life: celery.SignOfLife) -> None:
    sign_of_life.start(WORKER)
    wait_for(Worker.objects.seen_lately().exists)
    first = Worker.objects.get().seen_at
    wait_for(lambda: Worker.objects.get().seen_at > first)
    assert Worker.objects.count() == 1


def test_worker_that_stops_does_not_count_any_more(sign_of_life: celery.SignOfLife) -> None:
    sign_of_life.start(WORKER)
    wait_for(Worker.objects.exists)
    sign_of_life.stop(WORKER)
    assert not Worker.objects.exists()


def test_database_error_does_not_end_the_reports(
    sign_of_life: celery.SignOfLife, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    report = WorkerQuerySet.report
    failures = iter([OperationalError("the database is away")] * 2)

    def report_at_last(workers: WorkerQuerySet, hostname: str, **options: Any) -> None:
        if error := next(failures, None):
            raise error
        report(workers, hostname, **options)

    monkeypatch.setattr(type(Worker.objects), "report", report_at_last)
    sign_of_life.start(WORKER)
    wait_for(Worker.objects.exists)
    assert caplog.text.count("cannot reach the database: the database is away") == 2


def test_worker_reports_what_it_takes(sign_of_life: celery.SignOfLife) -> None:
    sign_of_life.start(WORKER)
    wait_for(Worker.objects.exists)
    worker = Worker.objects.get()
    assert (worker.queues, worker.slots) == (["default", "generate"], 2)


def test_starting_worker_is_rung_for_at_once(
    sign_of_life: celery.SignOfLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    greeted: list[tuple[list[str], int]] = []
    monkeypatch.setattr(
        "generation.runs.notifications.notify_started", lambda queues, slots: greeted.append((queues, slots))
    )
    sign_of_life.start(WORKER)
    wait_for(Worker.objects.exists)
    assert greeted == [(["default", "generate"], 2)]


def test_worker_looks_round_again_and_again_whatever_goes_wrong(
    sign_of_life: celery.SignOfLife, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looked, added = [], []

    def poll() -> None:
        looked.append(1)
        raise ValueError("a mistake of ours")

    monkeypatch.setattr("generation.runs.notifications.poll", poll)
    monkeypatch.setattr("annotations.setup.runs.add_finished_runs", lambda: added.append(1))
    sign_of_life.start(WORKER)
    wait_for(lambda: len(looked) >= 2 and len(added) >= 2)
    assert "a mistake of ours" in caplog.text
    assert Worker.objects.seen_lately().exists()


def test_worker_takes_the_queues_of_models_that_are_new(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    consumer = SimpleNamespace(
        add_task_queue="add", call_soon=lambda action, queue: asked.append((action, queue))
    )
    worker = SimpleNamespace(**vars(WORKER), consumer=consumer)

    def queues_to_take(queues: list[str]) -> list[str]:
        assert queues == ["default", "generate"]
        return ["generate-mine-1"]

    monkeypatch.setattr("generation.self_training.chain.queues_to_take", queues_to_take)
    step = celery.SignOfLife(worker)
    step.start(worker)
    wait_for(lambda: asked)
    step.stop(worker)
    assert asked == [("add", "generate-mine-1")]


def test_worker_leaves_a_core_to_the_web(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for cores, threads in ((1, "1"), (2, "1"), (8, "7")):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        celery.bound_threads()
        assert os.environ.pop("OMP_NUM_THREADS") == threads
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    celery.bound_threads()
    assert os.environ["OMP_NUM_THREADS"] == "3", "the operator knows better"


def test_process_that_runs_tasks_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(os, "nice", asked.append)
    worker_process_init.send(sender="demo@host")
    assert asked == [10]


def test_message_comes_back_only_after_its_task_must_have_ended(settings: Settings) -> None:
    visible_again = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert settings.CELERY_TASK_SOFT_TIME_LIMIT < settings.CELERY_TASK_TIME_LIMIT < visible_again


def test_worker_without_its_servers_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[str]:
        raise embedded.EmbeddedError("the disk is full")

    monkeypatch.setattr(embedded, "start", fail)
    with pytest.raises(SystemExit, match="cannot be used: the disk is full"):
        celeryd_init.send(sender="demo@host", instance=None, conf=None, options=None)
