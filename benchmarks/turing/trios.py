"""Live trios and players at once, with kill -9 in between: is a message or a round lost, doubled or out of order?

Starts all of the site in a directory of its own as `manage.py demo` does: PostgreSQL and Valkey, the web server, the
process of events and a worker. People enter by the pages and are brought together in twos; each interrogator talks with
a human and with a machine at once, each human answers what they read, and in the end the interrogators decide. Others
play games meanwhile. Web server, events, worker and database are killed in turn, and started again.

In the end the database must hold each message that the site took once and in the order in which it was sent, what was
read must be what is stored, each turn of a machine must be one message, and each round that was answered one answer.
Ten minutes: `--seconds 600`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django

from benchmarks.turing.players import ROOT, Failed, Player, at_once, token, wait_for

PATIENCE = 90.0
CHAT = re.compile(r"/turing/live/([-0-9a-f]{36})/$")
OWN_ROLE = re.compile(r'data-own="(\w+)"')
# A witness thinks and types so long.
LEAST, MOST = 0.5, 2.5
# People say less often than this, so that a long run stays below what the site takes of one person.
MESSAGES_A_CHAT = 80


class Reader(threading.Thread):
    """The events of a person's page; connects again after the last one it had, as browsers do."""

    def __init__(self, address: str, cookie: str) -> None:
        super().__init__(daemon=True)
        self.address = address
        self.cookie = cookie
        self.last = ""
        self.said: list[dict[str, Any]] = []
        self.times: dict[str, float] = {}
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            headers = {"Cookie": self.cookie, **({"Last-Event-ID": self.last} if self.last else {})}
            with suppress(OSError):
                self.read(urllib.request.Request(self.address, headers=headers))  # noqa: S310 - our own server
            self.ended.wait(0.3)

    def read(self, request: urllib.request.Request) -> None:
        said: list[dict[str, Any]] = []
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - our own server
            for line in response:
                words = line.decode().strip()
                if words.startswith("id: "):
                    self.last = words[4:]
                elif words.startswith('data: {"said"'):
                    said = json.loads(words[6:])["said"]
                    now = time.monotonic()
                    self.times |= {one["text"]: now for one in said}
                    self.said += said
                elif words == "event: over":
                    self.ended.set()


class Person(Player):
    """Somebody who meets another one: waits, talks for as long as the site takes it, and decides where they ask."""

    def __init__(self, port: int, events: int, seed: int) -> None:
        super().__init__(port, PATIENCE)
        self.events = events
        self.rng = random.Random(seed)
        self.taken: list[tuple[str, str]] = []
        self.sent: dict[str, float] = {}
        self.chat = self.role = ""
        self.reader: Reader | None = None

    def meet(self, until: float) -> None:
        """Enter, and wait until somebody else has come."""
        page, _ = self.ask("/turing/live/")
        fields = {"csrfmiddlewaretoken": token(page), "consent": "on", "adult": "on"}
        page, path = self.ask("/turing/live/", fields)
        while not CHAT.search(path):
            if time.monotonic() > until:
                raise Failed("nobody came")
            time.sleep(0.5)
            page, path = self.ask("/turing/live/waiting/", {"csrfmiddlewaretoken": token(page)})
            if path == "/turing/live/":
                raise Failed("nobody waits any more")
        self.chat, self.csrf = path, token(page)
        found = OWN_ROLE.search(page)
        self.role = found[1] if found else ""
        self.reader = Reader(f"http://127.0.0.1:{self.events}{path}events/", self.cookie())
        self.reader.start()

    def talk(self, pause: float) -> None:
        """Say things until the time is over."""
        number, answered = 0, 0
        while True:
            if self.role == "interrogator":
                number += 1
                for side in ("left", "right"):
                    if not self.say(side, f"{number} {side} by the interrogator"):
                        return
                time.sleep(pause * self.rng.uniform(0.7, 1.3))
                continue
            assert self.reader is not None
            if self.reader.ended.wait(self.rng.uniform(LEAST, MOST)):
                return
            asked = sum(one["by"] == "interrogator" for one in self.reader.said)
            if asked > answered:
                answered, number = asked, number + 1
                if not self.say("left", f"{number} by the witness"):
                    return

    def say(self, side: str, text: str) -> bool:
        """Send a message until the site has it; return whether it was in time."""
        fields = {
            "csrfmiddlewaretoken": self.csrf,
            "side": side,
            "text": text,
            "client_id": str(uuid.UUID(int=self.rng.getrandbits(128), version=4)),
        }
        self.sent[text] = time.monotonic()
        status, body, _ = self.send(self.chat, fields, Accept="application/json")
        if status == 200:
            self.taken.append((side, text))
        elif status != 400:
            raise Failed(f"{self.chat}: {status}")
        elif "over" not in json.loads(body)["problem"]:
            raise Failed(f"{self.chat}: {body}")
        return status == 200

    def decide(self) -> None:
        assert self.reader is not None
        if not self.reader.ended.wait(PATIENCE):
            raise Failed(f"{self.chat}: the end was not told")
        if self.role == "interrogator":
            fields = {"csrfmiddlewaretoken": self.csrf, "choice": self.rng.choice(("left", "right"))}
            self.ask(f"{self.chat}verdict/", fields)


@dataclass
class Program:
    """A part of the site with a process group of its own."""

    command: list[str]
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        with self.log.open("a") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_and_start(self) -> None:
        self.kill()
        self.start()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trios", type=int, default=30, help="default: %(default)s")
    parser.add_argument("--players", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=60, help="default: %(default)s")
    options = parser.parse_args()

    sys.path.insert(0, str(ROOT))
    # Not below a directory that only we may enter: the embedded servers may belong to another account.
    home = Path(tempfile.mkdtemp(prefix="bench-trios-"))
    home.chmod(0o755)
    for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
        os.environ.pop(name, None)
    ports = free_port(), free_port()
    os.environ |= {
        "EVALSITE_HOME": str(home / "site"),
        "TURING_GAMES_PER_PLAYER": "0",
        "TURING_GAMES_PER_ADDRESS": "0",
        "TURING_LIVE_SECONDS": str(options.seconds),
        "TURING_LIVE_WAIT_SECONDS": str(int(PATIENCE)),
        "TURING_EVENTS_URL": f":{ports[1]}",
        "DJANGO_SETTINGS_MODULE": "evalsite.settings",
    }
    from evalsite import embedded

    embedded.start()
    try:
        run(home, ports, options.trios, options.players, options.seconds)
    finally:
        embedded.stop()
        shutil.rmtree(home, ignore_errors=True)


def run(home: Path, ports: tuple[int, int], trios: int, players: int, seconds: int) -> None:
    """Start the site, let all come at once and print what came of it."""
    django.setup()
    from django.core.management import call_command

    from turing.pairs.files import import_pairs

    call_command("migrate", verbosity=0, interactive=False)
    import_pairs(ROOT / "fixtures" / "turing-pairs.jsonl")
    programs = {
        "web": ["gunicorn", "evalsite.wsgi", f"--bind=127.0.0.1:{ports[0]}", "--no-control-socket"],
        "events": ["uvicorn", "evalsite.asgi:application", "--lifespan=off", f"--port={ports[1]}"],
        "worker": ["celery", "-A", "evalsite", "worker", "-Q", "live", "-P", "threads", "-c", "8"],
    }
    started = {name: Program(command, home / f"{name}.log") for name, command in programs.items()}
    try:
        for program in started.values():
            program.start()
        wait_for(ports[0])
        # A machine for each two, and a moment to type.
        people = [Person(*ports, seed) for seed in range(2 * trios)]
        others = [Player(ports[0], PATIENCE) for _ in range(players)]
        kills = {
            "web": started["web"].kill_and_start,
            "events": started["events"].kill_and_start,
            "worker": started["worker"].kill_and_start,
            "database": kill_database,
        }
        measure(people, others, seconds, kills)
    finally:
        for program in started.values():
            program.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def kill_database() -> None:
    from evalsite import embedded

    (server,) = (one for one in embedded.status() if one.label == "PostgreSQL")
    if server.pid is None:
        raise SystemExit("PostgreSQL does not run")
    os.kill(server.pid, signal.SIGKILL)
    while embedded.start() == []:
        time.sleep(0.1)


def measure(
    people: list[Person], others: list[Player], seconds: int, kills: dict[str, Callable[[], None]]
) -> None:
    """Let all talk and play at once, with the kills in between."""
    errors = at_once(people, lambda person: person.meet(time.monotonic() + PATIENCE))
    until = time.monotonic() + seconds
    pause = max(2.0, seconds / MESSAGES_A_CHAT)
    killing = threading.Thread(target=kill_in_turn, args=[kills, seconds])

    def act(one: Player) -> None:
        if not isinstance(one, Person):
            one.play(until)
        elif one.chat:
            one.talk(pause)
            one.decide()

    killing.start()
    errors += at_once([*people, *others], act)
    killing.join()
    print(f"errors: {len(errors)} {sorted(set(errors))[:3] if errors else ''}")
    from django.db import connection

    connection.close()
    print_rounds(others)
    print_messages(people)


def kill_in_turn(kills: dict[str, Callable[[], None]], seconds: int) -> None:
    for name, kill in kills.items():
        time.sleep(seconds / (len(kills) + 1))
        print(f"kill -9: {name}", flush=True)
        kill()


def print_rounds(players: list[Player]) -> None:
    from turing.models import Round

    chosen = Counter(choice for player in players for choice in player.choices)
    stored = {
        (str(game), number) for game, number in Round.objects.answered().values_list("game__uuid", "number")
    }
    print(f"{len(players)} players: {len(chosen):,} rounds, lost: {len(chosen.keys() - stored)}")


def print_messages(people: list[Person]) -> None:
    """Compare what was sent, what is stored and what was read."""
    from turing.models import Chat, ChatMessage, Side, Turn, Verdict

    lost = doubled = disordered = unread = unspoken = 0
    talked = [person for person in people if person.reader is not None]
    for person in talked:
        chat = Chat.objects.get(uuid=person.chat.split("/")[-2])
        asks = person.role == "interrogator"
        sides = list(Side) if asks else [Side(chat.human_side)]
        for side in sides:
            stored = list(
                ChatMessage.objects.filter(chat=chat, side=side)
                .order_by("number")
                .values_list("number", "by", "text")
            )
            own = [text for _number, by, text in stored if by == person.role]
            shown_as = side if asks else Side.LEFT
            taken = [text for at, text in person.taken if at == shown_as]
            lost += len(set(taken) - set(own))
            doubled += len(own) - len(set(own))
            disordered += (own[: len(taken)] != taken) or [row[0] for row in stored] != list(
                range(1, len(stored) + 1)
            )
            read = [
                (one["number"], one["by"], one["text"])
                for one in person.reader.said
                if one["side"] == shown_as
            ]  # type: ignore[union-attr]
            unread += read != stored
            if asks and side != chat.human_side:
                turns = Turn.objects.filter(chat=chat, side=side, answered_at__isnull=False).count()
                unspoken += turns != sum(by == "witness" for _number, by, _text in stored)
    trios = Chat.objects.count()
    machine = ChatMessage.objects.exclude(side=django.db.models.F("chat__human_side")).filter(by="witness")
    print(
        f"{trios} trios: {ChatMessage.objects.count():,} messages, {machine.count():,} of machines,"
        f" {Verdict.objects.count()} verdicts"
    )
    print(f"lost: {lost}, doubled: {doubled}, out of order: {disordered}")
    print(
        f"sides read otherwise than they are stored: {unread}, machines' turns without one message: {unspoken}"
    )
    took = list(latencies(talked))
    if took:
        tail = sorted(took)[int(0.95 * (len(took) - 1))]
        print(
            f"from pressing Send to the other's page: median {1000 * statistics.median(took):,.0f} ms,"
            f" 95 % within {1000 * tail:,.0f} ms"
        )


def latencies(people: list[Person]) -> Iterable[float]:
    """Yield how long each message between people took, of those that were read."""
    by_chat: dict[str, dict[str, Person]] = {}
    for person in people:
        by_chat.setdefault(person.chat, {})[person.role] = person
    for two in by_chat.values():
        for one, other in (("interrogator", "witness"), ("witness", "interrogator")):
            if one in two and other in two:
                seen = two[other].reader.times  # type: ignore[union-attr]
                yield from (seen[text] - at for text, at in two[one].sent.items() if text in seen)


if __name__ == "__main__":
    main()
