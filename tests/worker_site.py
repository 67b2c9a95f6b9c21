"""Servers and workers of their own for tests that kill them; the ones that other tests use are left alone."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import dj_database_url
import kombu.pools
import psutil
import pytest
from django.conf import settings
from django.db import connection

from evalsite import embedded
from evalsite.celery import app
from evalsite.embedded.layout import lay_out
from evalsite.tests.cast import connect, valkey, wait_for
from evalsite.tests.tables import copy_tables_from, copy_tables_to
from generation.models import GenerationRun, Prompt, RunPrompt, SelfTraining, Worker

ROOT = Path(__file__).resolve().parent.parent
# On a machine that has other things to do.
START_SECONDS = 120


class WorkerProcess:
    """A worker with a process group of its own, as an operator would start it, with a stand-in for its model."""

    app = "tests.standin_worker"

    def __init__(self, name: str, log: Path, *, seconds: float = 0.15, lease: float | None = None) -> None:
        self.name = name
        self.log = log
        environment = os.environ | {"STANDIN_SECONDS": str(seconds)}
        if lease:
            environment["STANDIN_LEASE"] = str(lease)
        with log.open("a") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "celery", "-A", self.app, "worker",
                    f"--hostname={name}@test", "--loglevel=INFO", "--without-gossip", "--without-mingle",
                ],
                cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, process_group=0,
            )  # fmt: skip

    def wait_until_there(self) -> WorkerProcess:
        wait_for(self.has_reported, START_SECONDS)
        wait_for(self.children, START_SECONDS)
        return self

    def has_reported(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return Worker.objects.seen_lately().filter(hostname=f"{self.name}@test").exists()

    def children(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children()
        return []

    def signal_group(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)

    def end(self) -> None:
        """Leave nothing of the worker."""
        with suppress(ProcessLookupError):
            self.signal_group(signal.SIGKILL)
        self.process.wait(30)


class RealWorkerProcess(WorkerProcess):
    """A worker with the model that comes with the site."""

    app = "evalsite"


class Crew:
    """The workers of a site. Starting one takes seconds, so those that live are used again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.workers: dict[str, WorkerProcess] = {}

    def only(self, name: str, **options: float) -> WorkerProcess:
        """Return the worker of this name, running, and end all others."""
        for other in set(self.workers) - {name}:
            self.workers.pop(other).end()
        return self.also(name, **options)

    def also(self, name: str, **options: float) -> WorkerProcess:
        """Return the worker of this name, running."""
        worker = self.workers.get(name)
        if worker is None or worker.process.poll() is not None:
            worker = self.workers[name] = WorkerProcess(name, self.home / f"{name}.log", **options)
        return worker.wait_until_there()

    def end(self) -> None:
        for worker in self.workers.values():
            worker.end()


@dataclass
class WebServer:
    """Gunicorn with a process group of its own, as the demonstration starts it."""

    log: Path
    port: int = 0
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
        with self.log.open("a") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "gunicorn", "evalsite.wsgi", f"--bind=127.0.0.1:{self.port}",
                    "--no-control-socket",
                ],
                cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, process_group=0,
                # Sessions that are made here are known there.
                env=os.environ | {"SECRET_KEY": settings.SECRET_KEY},
            )  # fmt: skip

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)


@contextmanager
def own_site(blocker: pytest.MonkeyPatch, home: Path) -> Iterator[Path]:
    """Point Django and Celery in this process at embedded servers in a home, with all tables and nothing in them."""
    blocker.setenv("EVALSITE_HOME", str(home / "site"))
    blocker.delenv("DATABASE_URL", raising=False)
    blocker.delenv("CELERY_BROKER_URL", raising=False)
    embedded.start()
    tables = home / "tables.dump"
    if not tables.exists():
        copy_tables_to(tables)
    connection.close()
    before = dict(connection.settings_dict)
    connection.settings_dict.update(dj_database_url.parse(embedded.urls().database, conn_health_checks=True))
    with broker_at(embedded.urls().broker):
        try:
            begin_anew(tables)
            yield home
        finally:
            connection.close()
            connection.settings_dict.update(before)
            shutil.rmtree(home / "site" / "models", ignore_errors=True)


def begin_anew(tables: Path) -> None:
    """Empty the servers of a home. Its tables come from a file once, and are copied from then on."""
    valkey("FLUSHALL")
    with closing(connect("postgres")) as server, server.cursor() as cursor:
        server.autocommit = True
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'empty'")
        if cursor.fetchone():
            # Whoever was killed may have left a connection.
            cursor.execute("DROP DATABASE evalsite WITH (FORCE)")
            cursor.execute("CREATE DATABASE evalsite TEMPLATE empty")
        else:
            copy_tables_from(tables)
            cursor.execute("CREATE DATABASE empty TEMPLATE evalsite")


@contextmanager
def broker_at(address: str) -> Iterator[None]:
    """Send this process's messages to another broker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app.conf, "broker_write_url", address)
        forget_connections()
        yield
    forget_connections()


def forget_connections() -> None:
    kombu.pools.reset()
    # Celery keeps what it has once opened.
    vars(app)["_pool"] = vars(app.amqp)["_producer_pool"] = None


def a_moment() -> None:
    time.sleep(1)


def kill_server(label: str, *, with_file: bool = False, while_away: Callable[[], object] = a_moment) -> None:
    """Kill an embedded server, with its file if asked, and start it again after a moment, or after `while_away`."""
    (server,) = (server for server in embedded.status() if server.label == label)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(server.pid or 0))
    if with_file:
        for path in (lay_out().place / "valkey").iterdir():
            shutil.rmtree(path)
    while_away()
    embedded.start()
    connection.close()


def empty_tables() -> None:
    for table in (SelfTraining, GenerationRun, Prompt, Worker):
        table.objects.all().delete()


def titles(*words: str) -> list[Prompt]:
    return Prompt.objects.bulk_create(Prompt(genre="poem", text=word) for word in words)


def finished(run: GenerationRun) -> int:
    return run.run_prompts.exclude(state__in=RunPrompt.OPEN).count()


def wait_until_ended(run: GenerationRun, seconds: float = 60) -> None:
    wait_for(lambda: not GenerationRun.objects.get(pk=run.pk).is_open(), seconds)
    run.refresh_from_db()
