"""How fast the results of the game are read, and a game is played, however much was played before.

Fills a scratch database with rounds of one kind of game and their tallies by SQL and times, through all of the site's
layers, the page of the results for anybody and for staff, its file, a game that is begun (five rounds drawn) and the
truth of a round. The reference of the same run is the same figures counted from the rounds themselves, once; both must
agree.

Target: at most 50 ms for each page of results, of each kind (`--kinds pairs text boundary chats chat`), at 10 million
records too (`--rounds 10000000`: about 8 GB of disk, and a quarter of an hour for each kind). What counts is for how
long a page keeps a core busy, here and in the database; the median of the clock stands beside it, which on a machine
that has other things to do is theirs as well.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import django
import psutil

from benchmarks.turing._rounds import BY_FORM, BY_ROUND, CLUSTERS, PAIRS, ROUNDS, TALLIES

TARGET_MILLISECONDS = 50
DAYS = 365
ROUNDS_OF_PLAYER = 20


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--pairs", type=int, default=1500, help="not a multiple of 17 (default: %(default)s)")
    parser.add_argument("--kinds", nargs="+", default=["pairs"], help="one after another (default: pairs)")
    parser.add_argument(
        "--looks", type=int, default=15, help="the median of them counts (default: %(default)s)"
    )
    options = parser.parse_args()

    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    os.environ |= {"TURING_GAMES_PER_PLAYER": "0", "TURING_GAMES_PER_ADDRESS": "0"}
    from evalsite import embedded

    embedded.start()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    django.setup()
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    # Not the name of the tests' database: they may be running.
    connection.settings_dict["TEST"]["NAME"] = "bench_turing_results"
    for kind in options.kinds:
        scratch = setup_databases(verbosity=0, interactive=False)
        try:
            fill(options.rounds, options.pairs, kind)
            measure(options.looks, kind)
        finally:
            teardown_databases(scratch, verbosity=0)


def fill(rounds: int, pairs: int, kind: str = "pairs") -> None:
    """Fill the database with pairs, answered rounds and their tallies."""
    from django.db import connection

    from generation.models import GenerationRun, Method
    from turing.models import Kind

    start = time.perf_counter()
    runs = [
        GenerationRun.objects.create(method=Method.objects.create(key=key, label=key), state="done").pk
        for key in ("human", "machine")
    ]
    genre = Kind(kind).genres[0].value
    values = {
        "kind": kind,
        "genre": genre,
        # Conversations are for prompts of texts.
        "genre_of_prompt": "text" if genre == "chat" else genre,
        "pairs": pairs,
        "players": max(rounds // ROUNDS_OF_PLAYER, 1),
        "rounds_of_player": ROUNDS_OF_PLAYER,
        "days": DAYS,
        "human": runs[0],
        "machine": runs[1],
    }
    with connection.cursor() as cursor:
        cursor.execute("SET work_mem = '256MB'")
        for statement in [*PAIRS, *ROUNDS, *TALLIES]:
            cursor.execute(statement, values)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET work_mem")
    print(f"filled in {time.perf_counter() - start:,.0f} s")


def measure(looks: int, kind: str = "pairs") -> None:
    """Print the time of each way to read the results and whether they agree."""
    from turing.models import PairTally, Results, Round, Scope
    from turing.results.measuring import measure

    played = PairTally.objects.filter(scope=Scope.ALL).count()
    print(f"{kind}: {Round.objects.count():,} rounds, {played:,} pairs, {DAYS} days")
    start = time.perf_counter()
    counted = counted_from_rounds()
    reference = 1000 * (time.perf_counter() - start)
    start = time.perf_counter()
    measure(Results.objects.of_site(kind))
    print(f"{'measured, once a minute by a worker':36} {1000 * (time.perf_counter() - start):12,.1f} ms")
    costs = {name: cost(way, looks) for name, way in ways(kind).items()}
    print(f"{'counted from the rounds (reference)':36} {reference:12,.1f} ms")
    for name, one in costs.items():
        print(
            f"{name:36} {one.busy:12,.1f} ms, median of the clock {one.clock:,.1f} ms,"
            f" 1 / {reference / one.clock:,.0f} of the reference"
        )
    print(f"both agree: {'yes' if counted == read_from_tallies(kind) else 'NO'}")
    met = max(costs["page"].busy, costs["page for staff"].busy) <= TARGET_MILLISECONDS
    print(f"target ({TARGET_MILLISECONDS} ms): {'met' if met else 'MISSED'}")


def ways(kind: str) -> dict[str, Callable[[], object]]:
    """Return what is timed: pages as they are served, and what a player waits for."""
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import reverse

    from turing.game.views import STARTS
    from turing.models import Game, Kind, Round
    from turing.results.views import ADDRESSES, FILES

    host = {"host": "localhost"}
    anybody, staff = Client(headers=host), Client(headers=host)
    staff.force_login(User.objects.create_superuser(f"bench-{kind}"))
    page, file = reverse(ADDRESSES[Kind(kind)]), reverse(FILES[Kind(kind)], args=["json"])
    start, genre = reverse(STARTS[Kind(kind)]), Kind(kind).genres[0]

    def ask(client: Client, path: str) -> None:
        response = client.get(path)
        if response.status_code != 200 or len(response.content) < 1000:
            raise SystemExit(f"{path}: {response.status_code}")

    def begin() -> str:
        return str(Client(headers=host).post(start, {"genre": genre.value})["Location"])

    player = Client(headers=host)
    game = str(player.post(start, {"genre": genre.value})["Location"])
    first = f"{game}rounds/1/"
    player.get(first)
    player.post(first, {"act": "here", "step": 2} if kind == Kind.BOUNDARY else {"choice": "left"})
    if not Round.objects.filter(game=Game.objects.latest("pk")).answered().exists():
        raise SystemExit(f"{first}: the answer was not taken")
    return {
        "page": lambda: ask(anybody, page),
        "page for staff": lambda: ask(staff, page),
        "file": lambda: ask(anybody, file),
        "a game begun by a new player": begin,
        "the truth of a round": lambda: ask(player, first),
    }


@dataclass(frozen=True)
class Cost:
    """Milliseconds a look: by the clock (the median), and for which a core was busy, here and in the database."""

    clock: float
    busy: float


def cost(way: Callable[[], object], looks: int) -> Cost:
    """Return what some looks cost, after one that fills the caches."""
    from django.db import connection

    way()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        database = psutil.Process(cursor.fetchone()[0])
    taken, before = [], time.process_time() + sum(database.cpu_times()[:2])
    for _ in range(looks):
        start = time.perf_counter()
        way()
        taken.append(1000 * (time.perf_counter() - start))
    busy = time.process_time() + sum(database.cpu_times()[:2]) - before
    return Cost(statistics.median(taken), 1000 * busy / looks)


def counted_from_rounds() -> dict[str, object]:
    """Return the figures of the page, counted from the rounds."""
    from django.db import connection

    from stats.game.tallied import ClusterSums, selection_rate_of_sums

    with connection.cursor() as cursor:
        # Memory to group in, which is more than the page itself gets.
        cursor.execute("SET work_mem = '256MB'")

        def rows(statement: str) -> list[tuple]:
            cursor.execute(statement)
            return cursor.fetchall()

        kinds = ("player_id", "pair_id", "player_id, pair_id")
        sums = {
            (kind, row[0]): [int(value) for value in row[1:]]
            for kind in kinds
            for row in rows(CLUSTERS % kind)
        }
        by_form, by_round = rows(BY_FORM), rows(BY_ROUND)
        cursor.execute("RESET work_mem")
    figures: dict[str, object] = {}
    for scope in ("all", "unflagged"):
        players, pairs, both = (ClusterSums(*sums[kind, scope][:4]) for kind in kinds)
        total, selected = sums["player_id", scope][4:]
        rate = selection_rate_of_sums(selected, total, players=players, pairs=pairs, both=both)
        figures[scope] = (selected, total, players.clusters, pairs.clusters, f"{rate.clustered.se:.12g}")
        figures[f"{scope} form"] = {form: (s, n) for of, form, n, s in by_form if of == scope}
        figures[f"{scope} round"] = {str(number): (s, n) for of, number, n, s, _ in by_round if of == scope}
        figures[f"{scope} left"] = sum(row[4] for row in by_round if row[0] == scope)
    return figures


def read_from_tallies(kind: str) -> dict[str, object]:
    """Return the same figures as the page has them."""
    from turing.models import Results
    from turing.results.figures import breakdown, live_results

    figures: dict[str, object] = {}
    of = Results.objects.of_site(kind)
    parts = breakdown(of)
    for scope, results in live_results(of).scopes.items():
        rate = results.rate
        se = f"{rate.clustered.se:.12g}"
        figures[scope.value] = (rate.selected, rate.total, rate.players, rate.pairs, se)
        for name, groups in (("form", parts.by_form), ("round", parts.by_round)):
            shares = {group.key: group.shares[scope] for group in groups}
            figures[f"{scope} {name}"] = {key: (share.selected, share.total) for key, share in shares.items()}
        figures[f"{scope} left"] = parts.left.shares[scope].selected
    return figures


if __name__ == "__main__":
    main()
