from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from celery.signals import celeryd_init
from django.db import OperationalError

from evalsite import celery, embedded
from evalsite.testing import wait_for
from generation.models import Worker, WorkerQuerySet

WORKER = SimpleNamespace(hostname="demo@host")


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

    def report_at_last(workers: WorkerQuerySet, hostname: str) -> None:
        if error := next(failures, None):
            raise error
        report(workers, hostname)

    monkeypatch.setattr(type(Worker.objects), "report", report_at_last)
    sign_of_life.start(WORKER)
    wait_for(Worker.objects.exists)
    assert caplog.text.count("could not report to the database: the database is away") == 2


def test_worker_without_its_servers_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[str]:
        raise embedded.EmbeddedError("the disk is full")

    monkeypatch.setattr(embedded, "start", fail)
    with pytest.raises(SystemExit, match="cannot be used: the disk is full"):
        celeryd_init.send(sender="demo@host", instance=None, conf=None, options=None)
