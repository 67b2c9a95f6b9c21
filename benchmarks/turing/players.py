"""A hundred players at once: does the game lose or double a round, and how long does a choice take?

Fills a scratch database with the pairs that come with the site, starts the web server on it as `manage.py demo` does,
and lets players with cookies of their own play game after game over HTTP. Every choice is sent twice at once, as an
impatient finger does. In the end the database must hold each choice that was answered for exactly once, and nothing
else. The reference of the same run is the plain page /healthz, asked for by as many at once.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import secrets
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import django

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 120
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
ROUND = re.compile(r"/turing/games/([-0-9a-f]{36})/rounds/([1-5])/$")


class Failed(Exception):
    """An answer that a player should not get."""


class Away(Failed):
    """The site is being started again."""


class Player:
    """A browser that plays: one connection, its own cookies. With `patience` it asks again while the site is away."""

    def __init__(self, port: int, patience: float = 0.0) -> None:
        self.port = port
        self.patience = patience
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: dict[str, str] = {}
        self.choices: list[tuple[str, int]] = []
        self.seconds: list[float] = []

    def ask(self, path: str, fields: dict[str, str] | None = None) -> tuple[str, str]:
        """Return the page at the end of the redirects, and its address."""
        for _ in range(5):
            status, body, location = self.send(path, fields)
            if status == 302:
                path, fields = location, None
            elif status == 200:
                return body, path
            else:
                raise Failed(f"{path}: {status}")
        raise Failed(f"{path}: too many redirects")

    def send(self, path: str, fields: dict[str, str] | None, **headers: str) -> tuple[int, str, str]:
        """Return status, body and where it leads; sent again while the site is away."""
        until = time.monotonic() + self.patience
        while True:
            try:
                return self.send_once(path, fields, headers)
            except (OSError, http.client.HTTPException, Away):
                self.connection.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.3)

    def send_once(
        self, path: str, fields: dict[str, str] | None, headers: dict[str, str]
    ) -> tuple[int, str, str]:
        headers = headers | {"Cookie": self.cookie()}
        if fields is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request(
            "POST" if fields is not None else "GET", path, urlencode(fields) if fields else None, headers
        )
        response = self.connection.getresponse()
        body = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        if response.status >= 500:
            raise Away(f"{path}: {response.status}")
        return response.status, body, response.headers["Location"] or ""

    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def play(self, until: float) -> None:
        """Play whole games until the time is up, one at least."""
        while not self.choices or time.monotonic() < until:
            page, _ = self.ask("/turing/")
            page, path = self.ask("/turing/", {"csrfmiddlewaretoken": token(page), "genre": "poem"})
            while found := ROUND.search(path):
                self.choose(page, path)
                self.choices.append((found[1], int(found[2])))
                if found[2] == "5":
                    break
                page, path = self.ask(path.replace(f"rounds/{found[2]}/", f"rounds/{int(found[2]) + 1}/"))

    def press(self, path: str, fields: dict[str, str]) -> None:
        """Send what somebody else sends, too, whose answer counts."""
        with suppress(OSError, http.client.HTTPException, Failed):
            self.ask(path, fields)

    def choose(self, page: str, path: str) -> None:
        """Press one of the texts, twice at once."""
        fields = {"csrfmiddlewaretoken": token(page), "choice": secrets.choice(("left", "right"))}
        again = Player(self.port, self.patience)
        again.cookies = dict(self.cookies)
        second = threading.Thread(target=again.press, args=[path, fields])
        start = time.perf_counter()
        second.start()
        shown, _ = self.ask(path, fields)
        self.seconds.append(time.perf_counter() - start)
        second.join()
        again.connection.close()
        if 'class="truth' not in shown:
            raise Failed(f"{path}: no truth is shown")


def token(page: str) -> str:
    found = TOKEN.search(page)
    if found is None:
        raise Failed("a page has no form")
    return found[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--players", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=60, help="default: %(default)s")
    options = parser.parse_args()

    sys.path.insert(0, str(ROOT))
    os.environ |= {"TURING_GAMES_PER_PLAYER": "0", "TURING_GAMES_PER_ADDRESS": "0"}
    from evalsite import embedded

    embedded.start()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    django.setup()
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    from turing.pairs.files import import_pairs

    connection.settings_dict["TEST"]["NAME"] = "bench_turing_players"
    scratch = setup_databases(verbosity=0, interactive=False)
    try:
        import_pairs(ROOT / "fixtures" / "turing-pairs.jsonl")
        with server(embedded.urls().database) as port:
            measure(port, options.players, options.seconds)
    finally:
        connection.close()
        teardown_databases(scratch, verbosity=0)


@contextmanager
def server(database: str) -> Iterator[int]:
    """Serve the site on the scratch database, and yield its port."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    scratch = urlsplit(database)._replace(path="/bench_turing_players").geturl()
    arguments = [f"--bind=127.0.0.1:{port}", "--worker-class=gthread", "--threads=8", "--no-control-socket"]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "evalsite.wsgi", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": scratch},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    """Wait until the game's first page is served, which imports all of the site."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            Player(port).ask("/turing/")
        except (OSError, Failed) as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"the web server is not ready after {READY_SECONDS} s: {error}") from error
            time.sleep(0.2)
        else:
            return


def measure(port: int, count: int, seconds: int) -> None:
    """Let the players play and print what came of it."""
    from turing.models import Game, Round

    players = [Player(port) for _ in range(count)]
    until = time.monotonic() + seconds
    errors = at_once(players, lambda player: player.play(until))
    print(f"errors: {len(errors)} {sorted(set(errors))[:3] if errors else ''}")
    chosen = Counter(choice for player in players for choice in player.choices)
    stored = Counter(
        (str(uuid), number) for uuid, number in Round.objects.answered().values_list("game__uuid", "number")
    )
    reference: list[float] = []

    def ask_plainly(player: Player) -> None:
        for _ in range(10):
            start = time.perf_counter()
            player.ask("/healthz")
            reference.append(time.perf_counter() - start)

    at_once(players, ask_plainly)
    choices = [second for player in players for second in player.seconds]
    median, plain = 1000 * statistics.median(choices), 1000 * statistics.median(reference)
    print(
        f"{count} players, {seconds} s: {Game.objects.count():,} games, {sum(stored.values()):,} rounds answered"
    )
    print(f"lost: {len(chosen - stored)}, doubled: {sum(chosen.values()) - len(chosen)}")
    print(
        f"a choice, sent twice: median {median:,.0f} ms, {median / plain:.1f} times /healthz ({plain:,.0f} ms)"
    )


def at_once(players: list[Player], act: Callable[[Player], None]) -> list[str]:
    """Have all players act at once and return their errors."""
    errors: list[str] = []

    def one(player: Player) -> None:
        try:
            act(player)
        except Exception as error:  # whatever it is, it is what is counted
            errors.append(repr(error))

    with ThreadPoolExecutor(len(players)) as pool:
        list(pool.map(one, players))
    return errors


if __name__ == "__main__":
    main()
