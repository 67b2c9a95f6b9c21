"""What the benchmarks that serve something share: a database of their own, gunicorn, and what requests cost."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import django
import psutil

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 120
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True)
class Cost:
    """What one kind of request took: how many a second, and CPU seconds a 1,000 of web server and PostgreSQL."""

    rate: float
    web: float
    database: float

    @property
    def cpu(self) -> float:
        return self.web + self.database


class Connection:
    """One connection that is kept, for requests whose bytes are at hand."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(("localhost", self.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> bytes:
        """Return the answer with its head; anything but 200 is an error."""
        self.socket.sendall(request)
        answer = self.socket.recv(65536)
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self.received()
        length = LENGTH.search(answer, 0, end)
        while length and len(answer) < end + 4 + int(length[1]):
            answer += self.received()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer[:300].decode(errors="replace"))
        if b"\r\nConnection: close\r\n" in answer[: end + 2]:
            self.socket.close()
            self.open()
        return answer

    def received(self) -> bytes:
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the server has hung up")
        return part


def cpu_seconds(process: psutil.Process) -> float:
    """Return what a process and its children took, those that have ended among them."""
    spent = 0.0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            spent += times.user + times.system + times.children_user + times.children_system
    return spent


@dataclass(frozen=True)
class Servers:
    """A web server and the database behind it, if there is one."""

    port: int
    web: psutil.Process
    database: psutil.Process | None

    def cost(self, requests: Sequence[Iterator[bytes]], seconds: float) -> Cost:
        """Return what requests cost, of one client for each iterator."""
        until = time.perf_counter() + seconds

        def send_all() -> int:
            with ThreadPoolExecutor(len(requests)) as threads:
                return sum(threads.map(lambda one: self.send(one, until), requests))

        return self.cost_of(send_all)

    def cost_of(self, act: Callable[[], int]) -> Cost:
        """Return what one of the things cost that `act` does, which returns their number."""
        before = self.spent()
        started = time.perf_counter()
        done = act()
        took = time.perf_counter() - started
        web, database = (after - earlier for after, earlier in zip(self.spent(), before, strict=True))
        return Cost(done / took, 1000 * web / done, 1000 * database / done)

    def spent(self) -> tuple[float, float]:
        """Return the CPU seconds of web server and database up to now."""
        return cpu_seconds(self.web), cpu_seconds(self.database) if self.database else 0.0

    def send(self, requests: Iterator[bytes], until: float) -> int:
        """Send one request after the other and return how many were answered; one at least."""
        connection = Connection(self.port)
        sent = 0
        while sent == 0 or time.perf_counter() < until:
            connection.ask(next(requests))
            sent += 1
        connection.socket.close()
        return sent


@contextmanager
def serving(application: str) -> Iterator[Servers]:
    """Serve an application with gunicorn as an operator does, and end it after the block."""
    from evalsite import embedded

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", application, f"--bind=127.0.0.1:{port}"]
    process = subprocess.Popen([*command, "--no-control-socket"], cwd=ROOT)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                Connection(port).ask(HEALTH)
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("The web server does not start.") from None
                time.sleep(0.2)
        (database,) = (server.pid for server in embedded.status() if server.label == "PostgreSQL")
        yield Servers(port, psutil.Process(process.pid), psutil.Process(database))
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def own_database() -> Iterator[None]:
    """Set Django up on embedded servers of its own, with all tables."""
    with tempfile.TemporaryDirectory(prefix="ev") as home:
        # The servers run as another user where this one is root.
        Path(home).chmod(0o755)
        for named in ("DATABASE_URL", "CELERY_BROKER_URL"):
            os.environ.pop(named, None)
        os.environ["EVALSITE_HOME"] = home
        os.environ["DJANGO_SETTINGS_MODULE"] = "evalsite.settings"
        from evalsite import embedded

        embedded.start()
        try:
            django.setup()
            from django.conf import settings
            from django.core.management import call_command

            os.environ["SECRET_KEY"] = settings.SECRET_KEY
            call_command("migrate", verbosity=0)
            yield
        finally:
            embedded.stop()
