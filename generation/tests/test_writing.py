"""A worker writes one text: in its lease, telling each step, through a database that comes and goes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import ModuleType

import pytest
from django.db import OperationalError, connection

from generation.conftest import Queue, written
from generation.models import Candidate, RunPrompt
from generation.orders import Order, OrderRefused, Report, Step, Written
from generation.runs import writing
from generation.runs.claiming import Claim, claim, record, renew
from generation.runs.runs import cancel_run
from generation.runs.writing import held, write_next


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A stand-in for the module that loads torch; a test gives it its `write`."""
    module = ModuleType("generation.worker")
    monkeypatch.setitem(sys.modules, "generation.worker", module)
    return module


def test_waiting_text_is_written_and_stored(queue: Queue, model: ModuleType) -> None:
    asked: list[Order] = []

    def write(order: Order, report: Report) -> Written:
        asked.append(order)
        return written()

    model.write = write  # type: ignore[attr-defined]
    run = queue("春")
    assert write_next("generate")
    assert [order.prompt for order in asked] == ["春"]
    assert run.candidates.get().text == "山中一夜雨，树杪百重泉。"
    assert not write_next("generate")


def test_steps_are_told_but_not_more_often_than_a_page_asks(queue: Queue, model: ModuleType) -> None:
    seen = []

    def write(order: Order, report: Report) -> Written:
        for number in range(1, 5):
            report(Step(number, 8, "山" * number))
            seen.append(RunPrompt.objects.get().step)
        return written()

    model.write = write  # type: ignore[attr-defined]
    queue("春")
    write_next("generate")
    assert [step and step["sentence"] for step in seen] == [1, 1, 1, 1]


def test_cancelled_run_stops_the_writer_at_its_next_step(
    queue: Queue, model: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    run = queue("春")

    def write(order: Order, report: Report) -> Written:
        cancel_run(run)
        report(Step(1, 8, "山中"))
        raise AssertionError("went on")

    model.write = write  # type: ignore[attr-defined]
    assert write_next("generate")
    assert "Nothing was stored: run prompt" in caplog.text
    assert RunPrompt.objects.get().state == RunPrompt.State.CANCELLED


@pytest.mark.parametrize(
    ("error", "state"), [(RuntimeError("no number"), "waiting"), (OrderRefused("title: too long"), "failed")]
)
def test_failed_text_is_put_back_with_its_reason(
    queue: Queue, model: ModuleType, error: Exception, state: str
) -> None:
    def write(order: Order, report: Report) -> Written:
        raise error

    model.write = write  # type: ignore[attr-defined]
    queue("春")
    assert write_next("generate")
    failed = RunPrompt.objects.get()
    assert failed.state == state
    assert str(error) in failed.error


def test_written_text_waits_for_a_database_that_went_away(
    queue: Queue, model: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.write = lambda order, report: written()  # type: ignore[attr-defined]
    failures = iter([OperationalError("shut down")] * 2)

    def record_at_last(claimed: Claim, text: Written) -> Candidate:
        if error := next(failures, None):
            raise error
        return record(claimed, text)

    monkeypatch.setattr(writing, "record", record_at_last)
    # The test's own transaction must not be lost with the connection.
    monkeypatch.setattr(connection, "close", lambda: None)
    queue("春")
    write_next("generate")
    assert Candidate.objects.count() == 1


def test_step_that_cannot_be_stored_does_not_end_the_text(
    queue: Queue, model: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(claimed: object, step: object) -> None:
        raise OperationalError("shut down")

    def write(order: Order, report: Report) -> Written:
        report(Step(1, 8, "山中"))
        return written()

    model.write = write  # type: ignore[attr-defined]
    monkeypatch.setattr(writing, "report_step", refuse)
    monkeypatch.setattr(connection, "close", lambda: None)
    queue("春")
    write_next("generate")
    assert Candidate.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_lease_is_renewed_while_the_model_computes(
    queue: Queue, model: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "RENEW_SECONDS", 0.02)
    queue("春")
    claimed = claim("generate")
    assert claimed is not None
    first = RunPrompt.objects.get().leased_until
    with held(lambda: renew(claimed), "the prompt"):
        deadline = time.monotonic() + 30
        while RunPrompt.objects.get().leased_until == first:
            assert time.monotonic() < deadline, "the lease was not renewed"
            time.sleep(0.02)
    last = RunPrompt.objects.get().leased_until
    time.sleep(0.1)
    assert RunPrompt.objects.get().leased_until == last, "the thread has ended with the block"


def test_web_process_loads_no_torch() -> None:

    code = "import django; django.setup(); import evalsite.urls, sys; sys.exit('torch' in sys.modules)"
    environment = {"DJANGO_SETTINGS_MODULE": "evalsite.settings"}

    assert subprocess.run([sys.executable, "-c", code], env=os.environ | environment).returncode == 0
