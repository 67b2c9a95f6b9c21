"""How many answers a second the site saves, and what a save and a rating page cost, against plain Django.

    python -m benchmarks.annotations.questionnaire_speed [--clients 1 4 16] [--seconds 5] [--texts 1]
      [--criteria 1] [--points 5]

Brings a database of its own and serves two things with gunicorn, each with the number of processes of
`gunicorn.conf.py`: the site, and a project as `django-admin startproject` makes it, with one view behind its log-in
that reads JSON and makes one INSERT. Clients keep their connections and send the next request when the last is
answered; every answer changes the stored one. Every kind of request has a window of its own at each number of clients.
CPU is what the processes of the web server and of PostgreSQL took, each counted once, in seconds a 1,000 requests. The
clients run on the same machine and are not counted, but take their part of it: on a machine with other work trust the
CPU and the ratios, not the rates. `fsync` is on.
"""

from __future__ import annotations

import argparse
import json
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
from itertools import count, cycle
from pathlib import Path
from typing import Any

import django
import psutil

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 120
WARM_SECONDS = 1.5
CSRF = "c" * 32
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
SITE, PLAIN = "evalsite.wsgi", "benchmarks.annotations._plain_django:application()"


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
        self.socket = socket.create_connection(("localhost", port), timeout=60)
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
        return answer

    def received(self) -> bytes:
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the server has hung up")
        return part


def get(path: str, session: str = "") -> bytes:
    cookie = f"Cookie: sessionid={session}\r\n" if session else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}\r\n".encode()


def post(path: str, session: str, fields: dict[str, Any]) -> bytes:
    body = json.dumps(fields)
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={session}; csrftoken={CSRF}\r\n"
        f"X-CSRFToken: {CSRF}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


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
    """A web server and the database behind it."""

    port: int
    web: psutil.Process
    database: psutil.Process

    def cost(self, requests: Sequence[Iterator[bytes]], seconds: float) -> Cost:
        """Return what requests cost, of one client for each iterator."""
        until = time.perf_counter() + seconds

        def send_all() -> int:
            with ThreadPoolExecutor(len(requests)) as threads:
                return sum(threads.map(lambda one: self.send(one, until), requests))

        return self.cost_of(send_all)

    def cost_of(self, act: Callable[[], int]) -> Cost:
        """Return what one of the things cost that `act` does, which returns their number."""
        before = cpu_seconds(self.web), cpu_seconds(self.database)
        started = time.perf_counter()
        done = act()
        took = time.perf_counter() - started
        web, database = cpu_seconds(self.web) - before[0], cpu_seconds(self.database) - before[1]
        return Cost(done / took, 1000 * web / done, 1000 * database / done)

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


@dataclass(frozen=True)
class Rater:
    """Somebody who rates: their sessions on the site and in plain Django, and the addresses of their pages."""

    session: str
    plain_session: str
    pages: list[str]
    # Address, token and criterion of every answer that is asked for.
    places: list[tuple[str, str, str]]

    def saves(self, points: int) -> Iterator[bytes]:
        """Yield saves without end, each of another score than the one before in its place."""
        for round_number in count():
            for path, token, criterion in self.places:
                fields = {"token": token, "criterion": criterion, "score": 1 + round_number % points}
                yield post(
                    path, self.session, {**fields, "order": time.time_ns() // 1_000_000, "seconds": 1.5}
                )

    def views(self) -> Iterator[bytes]:
        return cycle([get(page, self.session) for page in self.pages])

    def inserts(self) -> Iterator[bytes]:
        return cycle(
            [
                post("/insert/", self.plain_session, {"token": token, "score": 3})
                for _, token, _ in self.places
            ]
        )


def build_raters(number: int, *, prompts: int, texts: int, criteria: int, points: int) -> list[Rater]:
    """Make a study and people enrolled in it, logged in on both sites."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.test import Client

    from annotations.models import Study
    from annotations.recruiting.enrolment import enrol
    from annotations.tests.cast import CRITERIA, build_study, build_user

    study = build_study(prompts=prompts, methods=texts, pages_per_subtask=prompts)
    study.criteria.all().delete()
    for place in range(criteria):
        study.criteria.create(
            **{**CRITERIA[0], "key": f"criterion-{place}", "number": place, "maximum": points}
        )
    Study.objects.update(has_best_picks=False, evaluators_per_subtask=number, state="open")
    study.refresh_from_db()
    raters = []
    for place in range(number):
        user = build_user(f"rater{place}")
        client = Client()
        client.force_login(user)
        plain = SessionStore()
        plain[SESSION_KEY] = str(user.pk)
        plain[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        plain[HASH_SESSION_KEY] = user.get_session_auth_hash()
        plain.save()
        shown = enrol(study, user).placements.order_by("page__number", "position").select_related("page")
        pages = [f"/studies/{study.slug}/subtasks/1/pages/{page}/" for page in range(1, prompts + 1)]
        raters.append(
            Rater(
                client.cookies["sessionid"].value,
                str(plain.session_key),
                pages,
                [
                    (f"{pages[placement.page.number - 1]}answers/", placement.token, f"criterion-{key}")
                    for placement in shown
                    for key in range(criteria)
                ],
            )
        )
    return raters


KINDS: dict[str, tuple[str, Callable[[Rater, int], Iterator[bytes]]]] = {
    "save": (SITE, lambda rater, points: rater.saves(points)),
    "rating page": (SITE, lambda rater, points: rater.views()),
    "no-op (/healthz)": (SITE, lambda rater, points: cycle([HEALTH])),
    "plain Django, one INSERT": (PLAIN, lambda rater, points: rater.inserts()),
}


def measure(
    clients: Sequence[int], seconds: float, *, prompts: int, texts: int, criteria: int, points: int
) -> None:
    """Measure every kind of request at each number of clients and print the costs and their ratios."""
    from django.db import connection

    raters = build_raters(max(clients), prompts=prompts, texts=texts, criteria=criteria, points=points)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE benchmark_answer (id bigserial PRIMARY KEY, user_id bigint, token text, score int)"
        )
    costs: dict[tuple[str, int], Cost] = {}
    processes = 0
    for application in (SITE, PLAIN):
        with serving(application) as servers:
            kinds = {kind: make for kind, (where, make) in KINDS.items() if where == application}
            for make in kinds.values():
                servers.cost([make(rater, points) for rater in raters], WARM_SECONDS)
            for number in clients:
                for kind, make in kinds.items():
                    requests = [make(rater, points) for rater in raters[:number]]
                    costs[kind, number] = servers.cost(requests, seconds)
            processes = len(servers.web.children())
    print(
        f"{prompts} prompts, {texts} text(s) a page, {criteria} scale(s) of {points} points;"
        f" {processes} process(es) of gunicorn, fsync on"
    )
    print_costs(clients, costs)


def print_costs(clients: Sequence[int], costs: dict[tuple[str, int], Cost]) -> None:
    """Print the costs and the ratios."""
    print(f"{'clients':<26}" + "".join(f"{number:>26}" for number in clients))
    print(f"{'':<26}" + "".join(f"{'a second':>9}{'CPU s (web + db)':>17}" for _ in clients))
    for kind in KINDS:
        row = [costs[kind, number] for number in clients]
        cells = (f"{one.rate:>9.0f}{one.cpu:>5.1f} ({one.web:.1f} + {one.database:.1f})" for one in row)
        print(f"{kind:<26}" + "".join(f"{cell:>26}" for cell in cells))
    save, page, noop, insert = KINDS
    for name, over, under in (
        ("CPU, save / INSERT", save, insert),
        ("CPU, page / save", page, save),
        ("CPU, page / no-op", page, noop),
    ):
        cells = (f"{costs[over, number].cpu / costs[under, number].cpu:.2f}" for number in clients)
        print(f"{name:<26}" + "".join(f"{cell:>26}" for cell in cells))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--texts", type=int, default=1)
    parser.add_argument("--criteria", type=int, default=1)
    parser.add_argument("--points", type=int, default=5)
    options = parser.parse_args()
    with own_database():
        measure(
            options.clients,
            options.seconds,
            prompts=options.prompts,
            texts=options.texts,
            criteria=options.criteria,
            points=options.points,
        )


if __name__ == "__main__":
    main()
