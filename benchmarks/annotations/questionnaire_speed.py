"""How many answers a second the site saves, and what a save and a rating page cost, against plain Django.

    python -m benchmarks.annotations.questionnaire_speed [--clients 1 4 16] [--seconds 5] [--texts 1]
      [--criteria 1] [--points 5]

Brings a database of its own and serves two things with gunicorn, each with the number of processes of
`gunicorn.conf.py`: the site, and a project as `django-admin startproject` makes it, with one view behind its log-in
that reads JSON and makes one INSERT. Clients keep their connections and send the next request when the last is
answered; every answer changes the stored one. Every kind of request has a window of its own at each number of clients.
CPU is what the processes of the web server and of PostgreSQL took, each counted once, in seconds a 1,000 requests. The
clients run on the same machine and are not counted, but take their part of it: on a machine with other work trust the
CPU and the ratios, not the rates. `fsync` is on. `--potato URL` puts a running Potato server (`_potato.py` says
how it is set up) under the same load in the same run; it keeps answers in memory and files, so it has no database.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle
from typing import Any
from urllib.parse import urlsplit

from benchmarks.annotations._potato import PotatoRater, potato_raters, serving_process
from benchmarks.annotations._servers import HEALTH, Cost, Servers, own_database, serving

WARM_SECONDS = 1.5
CSRF = "c" * 32
SITE, PLAIN = "evalsite.wsgi", "benchmarks.annotations._plain_django:application()"


def get(path: str, session: str = "") -> bytes:
    cookie = f"Cookie: sessionid={session}\r\n" if session else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}\r\n".encode()


def post(path: str, session: str, fields: dict[str, Any]) -> bytes:
    body = json.dumps(fields)
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={session}; csrftoken={CSRF}\r\n"
        f"X-CSRFToken: {CSRF}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


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


POTATO: dict[str, Callable[[PotatoRater, int], Iterator[bytes]]] = {
    # First, because whoever has rated everything is shown none any more.
    "Potato page": lambda rater, points: rater.views(),
    "Potato save": lambda rater, points: rater.saves(points),
}


def cost_of_potato(
    url: str, raters: Sequence[PotatoRater], clients: Sequence[int], seconds: float, points: int
) -> dict[tuple[str, int], Cost]:
    """Return what saves and pages of a running Potato server cost at each number of clients."""
    port = urlsplit(url).port or 80
    servers = Servers(port, serving_process(port), None)
    costs = {}
    for kind, make in POTATO.items():
        servers.cost([make(rater, points) for rater in raters], WARM_SECONDS)
        for number in clients:
            costs[kind, number] = servers.cost([make(rater, points) for rater in raters[:number]], seconds)
    return costs


def measure(
    clients: Sequence[int],
    seconds: float,
    *,
    prompts: int,
    texts: int,
    criteria: int,
    points: int,
    potato: str | None,
) -> None:
    """Measure every kind of request at each number of clients and print the costs and their ratios."""
    from django.db import connection

    at_potato = potato_raters(potato, max(clients), prompts) if potato else []
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
    if potato:
        costs |= cost_of_potato(potato, at_potato, clients, seconds, points)
    print(
        f"{prompts} prompts, {texts} text(s) a page, {criteria} scale(s) of {points} points;"
        f" {processes} process(es) of gunicorn, fsync on"
    )
    print_costs(clients, costs)


def print_costs(clients: Sequence[int], costs: dict[tuple[str, int], Cost]) -> None:
    """Print the costs and the ratios."""
    print(f"{'clients':<26}" + "".join(f"{number:>26}" for number in clients))
    print(f"{'':<26}" + "".join(f"{'a second':>9}{'CPU s (web + db)':>17}" for _ in clients))
    kinds = dict.fromkeys(kind for kind, _number in costs)
    for kind in kinds:
        row = [costs[kind, number] for number in clients]
        cells = (f"{one.rate:>9.0f}{one.cpu:>5.1f} ({one.web:.1f} + {one.database:.1f})" for one in row)
        print(f"{kind:<26}" + "".join(f"{cell:>26}" for cell in cells))
    save, page, noop, insert = KINDS
    ratios = [
        ("CPU, save / INSERT", save, insert, "cpu"),
        ("CPU, page / save", page, save, "cpu"),
        ("CPU, page / no-op", page, noop, "cpu"),
    ]
    if kinds.keys() >= POTATO.keys():
        potato_page, potato_save = POTATO
        ratios += [
            ("CPU, save / Potato", save, potato_save, "cpu"),
            ("saves a second / Potato", save, potato_save, "rate"),
            ("CPU, page / Potato", page, potato_page, "cpu"),
        ]
    for name, over, under, what in ratios:
        cells = (
            f"{getattr(costs[over, number], what) / getattr(costs[under, number], what):.2f}"
            for number in clients
        )
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
    parser.add_argument("--potato", metavar="URL", help="a Potato server that runs on this machine")
    options = parser.parse_args()
    with own_database():
        measure(
            options.clients,
            options.seconds,
            prompts=options.prompts,
            texts=options.texts,
            criteria=options.criteria,
            points=options.points,
            potato=options.potato,
        )


if __name__ == "__main__":
    main()
