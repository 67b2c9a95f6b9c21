from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from evalsite import celery, health
from generation.models import Prompt, Worker
from generation.runs.runs import queue_run

SECRET = "hunter2"


@pytest.fixture
def client() -> Client:
    """Nobody is logged in."""
    return Client()


@pytest.fixture
def worker_seen(db: None) -> None:
    Worker.objects.report("demo@host")


@pytest.fixture
def broken_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise OperationalError(f"connection to postgres://site:{SECRET}@db failed")

    monkeypatch.setattr(connection, "cursor", refuse)


@pytest.fixture
def silent_socket() -> Iterator[str]:
    """A socket that accepts and never says a word."""
    with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{directory}/s")
        server.listen()
        yield f"{directory}/s"


def test_living_process_is_healthy_whatever_the_database_does(client: Client, broken_database: None) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


def test_site_with_all_its_parts_is_ready(client: Client, worker_seen: None) -> None:
    response = client.get("/readyz")
    good = {"ok": True, "reason": ""}
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "database": good,
        "broker": good,
        "worker": good,
        "texts": {"waiting": 0, "without_worker": 0},
    }
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db
def test_site_without_a_worker_is_not_ready(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["worker"] == {"ok": False, "reason": "none has reported for 45 seconds"}
    assert response.json()["database"]["ok"]


def test_worker_silent_for_46_seconds_does_not_count(client: Client, worker_seen: None) -> None:
    Worker.objects.update(seen_at=Now() - timedelta(seconds=44))
    assert client.get("/readyz").status_code == 200
    Worker.objects.update(seen_at=Now() - timedelta(seconds=46))
    assert client.get("/readyz").status_code == 503


def test_site_without_its_database_is_not_ready_and_tells_no_secret(
    client: Client, broken_database: None, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["database"] == {"ok": False, "reason": "does not answer"}
    assert response.json()["worker"]["reason"] == "unknown: the reports cannot be read from the database"
    assert response.json()["texts"] is None
    assert SECRET not in response.content.decode()
    assert SECRET in caplog.text, "the operator must find the cause"


@pytest.mark.parametrize("address", ["redis+socket:///nowhere/v.sock", f"redis://:{SECRET}@127.0.0.1:1/0"])
def test_site_without_its_broker_is_not_ready_and_tells_no_secret(
    client: Client, worker_seen: None, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(celery.app.conf, "broker_write_url", address)
    begun = time.monotonic()
    response = client.get("/readyz")
    assert time.monotonic() - begun < 2 * health.BROKER_SECONDS
    assert response.status_code == 503
    assert response.json()["broker"] == {"ok": False, "reason": "does not answer"}
    assert SECRET not in response.content.decode()


def test_hanging_broker_does_not_hang_the_probe(
    client: Client, worker_seen: None, monkeypatch: pytest.MonkeyPatch, silent_socket: str
) -> None:
    monkeypatch.setattr(celery.app.conf, "broker_write_url", f"redis+socket://{silent_socket}")
    begun = time.monotonic()
    assert client.get("/readyz").json()["broker"]["reason"] == "does not answer"
    assert time.monotonic() - begun < 3 * health.BROKER_SECONDS


def test_waiting_texts_are_counted(client: Client, worker_seen: None) -> None:
    prompts = Prompt.objects.bulk_create(Prompt(genre="poem", text=text) for text in "春江花")
    queue_run("inverse_prompting", prompts)
    queue_run("inverse_prompting", prompts[:1], model="large")
    Worker.objects.update(queues=["default", "generate"])
    response = client.get("/readyz")
    assert response.json()["texts"] == {"waiting": 4, "without_worker": 1}
    assert response.status_code == 200, "a model without a worker is no reason to take the site away"


def test_probes_cost_the_same_at_any_number_of_workers(
    client: Client, worker_seen: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        client.get("/healthz")
    Worker.objects.bulk_create(Worker(hostname=f"w{number}", seen_at=Now()) for number in range(20))
    with django_assert_num_queries(4):
        client.get("/readyz")


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_probes_only_read(client: Client, address: str) -> None:
    assert client.post(address).status_code == 405
