"""What one web process, one worker and one PostgreSQL carry, and what that makes for a site of some size.

    python -m benchmarks.evalsite.capacity [--raters 100] [--seconds 8] [--poems 6]

Measures, on a database of its own, what an answer, a rating page (four texts, five scales of five points) and a game
of five rounds take of the processor of a web process and of PostgreSQL; how long an answer takes when many raters give
one every 4 seconds to a single web process; how many bytes an answer needs on disk and in the log; and how many poems
a minute one worker writes. From that it reckons processes and disk as `docs/scale.md` does. Without poems nothing is
measured of a worker.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.annotations._servers import ROOT, Connection, Cost, Servers, own_database, serving
from benchmarks.annotations.questionnaire_speed import SITE, Rater, build_raters
from benchmarks.turing.players import Player, token

CLIENTS = 16
THINKING_SECONDS = 4
TEXTS, CRITERIA, POINTS = 4, 5, 5
# No processor is planned to be busier, and this share of a day's players comes in its busiest hour.
BUSY, BUSIEST_HOUR = 0.6, 0.1
STORED = ("rating", "answerchange", "pagesums")


class OnePressPlayer(Player):
    """A player who presses once, and counts games."""

    games = 0

    def choose(self, page: str, path: str) -> None:
        self.ask(path, {"csrfmiddlewaretoken": token(page), "choice": random.choice(("left", "right"))})
        self.games += path.endswith("/5/")


@dataclass(frozen=True)
class Capacity:
    """What was measured: costs of an answer, a page and a game; bytes on disk and of log an answer; poems a minute."""

    answer: Cost
    page: Cost
    game: Cost
    stored: float
    logged: float
    placed: float
    poems: float | None


def play(port: int, seconds: float) -> int:
    """Let players play and return the number of their games."""
    players = [OnePressPlayer(port) for _ in range(CLIENTS)]
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(lambda player: player.play(until), players))
    return sum(player.games for player in players)


def sizes() -> tuple[dict[str, int], int]:
    """Return the bytes of the tables that answers are stored in, with their indexes, and the place in the log."""
    from django.db import connection

    with connection.cursor() as cursor:
        found = {}
        for table in (*STORED, "placement"):
            cursor.execute("SELECT pg_total_relation_size(%s)", [f"annotations_{table}"])
            found[table] = cursor.fetchone()[0]
        cursor.execute("SELECT pg_current_wal_lsn() - '0/0'")
        return found, int(cursor.fetchone()[0])


def paced(servers: Servers, raters: list[Rater], number: int, seconds: float) -> list[float]:
    """Return the seconds that answers took when so many raters gave one every 4 seconds each."""
    begun = time.perf_counter()

    def rate(place: int) -> list[float]:
        answers: Iterator[bytes] = raters[place % len(raters)].saves(POINTS)
        due, took = begun + random.uniform(0, THINKING_SECONDS), []
        connection = Connection(servers.port)
        while due < begun + max(seconds, THINKING_SECONDS):
            time.sleep(max(0, due - time.perf_counter()))
            started = time.perf_counter()
            connection.ask(next(answers))
            took.append(time.perf_counter() - started)
            due += THINKING_SECONDS
        connection.socket.close()
        return took

    with ThreadPoolExecutor(number) as threads:
        return [one for took in threads.map(rate, range(number)) for one in took]


def measure(raters: int, seconds: float, prompts: int, poems: int) -> None:
    """Measure and print what one of each carries, and what a site needs."""
    from annotations.models import AnswerChange, Placement
    from turing.pairs.files import import_pairs

    import_pairs(ROOT / "fixtures" / "turing-pairs.jsonl")
    people = build_raters(CLIENTS, prompts=prompts, texts=TEXTS, criteria=CRITERIA, points=POINTS)
    os.environ |= {"WEB_CONCURRENCY": "1", "TURING_GAMES_PER_PLAYER": "0", "TURING_GAMES_PER_ADDRESS": "0"}
    with serving(SITE) as servers:
        servers.cost([person.views() for person in people], seconds / 4)
        before, log = sizes()
        answer = servers.cost([person.saves(POINTS) for person in people], seconds)
        after, logged = sizes()
        answers = AnswerChange.objects.count()
        page = servers.cost([person.views() for person in people], seconds)
        game = servers.cost_of(lambda: play(servers.port, seconds))
        waited = paced(servers, people, raters, seconds)
    from benchmarks.generation.worker_speed import by_workers

    found = Capacity(
        answer,
        page,
        game,
        sum(after[table] - before[table] for table in STORED) / answers,
        (logged - log) / answers,
        before["placement"] / Placement.objects.count(),
        60 * poems / by_workers(1, poems, "lushi5")[0] if poems else None,
    )
    print_capacity(found)
    late = statistics.quantiles(waited, n=20)[-1] if len(waited) > 1 else waited[0]
    print(
        f"{raters} raters, an answer every {THINKING_SECONDS} s each, one web process: median"
        f" {1000 * statistics.median(waited):.0f} ms, 95 of 100 within {1000 * late:.0f} ms"
    )
    reckoned(found)


def print_capacity(found: Capacity) -> None:
    print(f"{'one web process':<24}{'a second':>9}{'CPU ms web':>12}{'CPU ms PostgreSQL':>19}")
    for name, cost in (
        ("answers", found.answer),
        ("rating pages", found.page),
        ("games of five rounds", found.game),
    ):
        print(f"{name:<24}{cost.rate:>9.1f}{cost.web:>12.2f}{cost.database:>19.2f}")
    print(
        f"an answer: {found.stored:.0f} bytes on disk, {found.logged:.0f} of log; a text placed: {found.placed:.0f}"
    )
    if found.poems:
        print(f"one worker: {found.poems:.1f} poems a minute (lushi5)")


def reckoned(found: Capacity) -> None:
    """Print what a site needs when no processor is busier than `BUSY`."""
    answers = 1 / THINKING_SECONDS
    pages = answers / (TEXTS * CRITERIA)
    for where in ("web", "database"):
        of_rater = (answers * getattr(found.answer, where) + pages * getattr(found.page, where)) / 1000
        games = 100_000 * BUSIEST_HOUR / 3600 * getattr(found.game, where) / 1000
        print(
            f"{where}: a core carries {BUSY / of_rater:,.0f} raters; 1,000 raters at once take"
            f" {1000 * of_rater / BUSY:.1f} cores, 100,000 players a day (a tenth in one hour) {games / BUSY:.1f}"
        )
    gigabytes = 10_000_000 * (found.stored + found.placed / CRITERIA) / 1e9
    print(
        f"10 million ratings: {gigabytes:.1f} GB with history and places, {10 * found.logged / 1e3:.1f} GB of log"
    )
    if found.poems:
        print(f"1,000 poems an hour: {math.ceil(1000 / (60 * found.poems * BUSY))} worker(s)")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raters", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--poems", type=int, default=6)
    options = parser.parse_args()
    with own_database():
        measure(options.raters, options.seconds, options.prompts, options.poems)


if __name__ == "__main__":
    main()
