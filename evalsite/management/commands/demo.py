"""Run the whole site on this machine, with something in it to try."""

from __future__ import annotations

import errno
import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn, TypeVar

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.imports.demo import load_demo
from evalsite import embedded
from evalsite.demo.children import Child, ChildEnded, Progress, python_program
from evalsite.demo.results import load_results
from evalsite.demo.running import DemoRecord, RunningDemo, running_demo, stop_left_behind
from generation.files.problems import FileRefused
from turing.models import Genre, Kind, PoemPair, Room, Round
from turing.pairs.conversation_files import import_conversations
from turing.pairs.files import import_pairs
from turing.rooms.rooms import open_room
from turing.rooms.simulated import open_simulated_room

T = TypeVar("T")

PAIRS = settings.BASE_DIR / "fixtures" / "turing-pairs.jsonl"
BOUNDARIES = settings.BASE_DIR / "fixtures" / "turing-boundaries.jsonl"
CONVERSATIONS = settings.BASE_DIR / "fixtures" / "turing-conversations.jsonl"

# A slow machine may take its time; only children that do nothing at all are given up.
STALL_SECONDS = 120
NEWS_SECONDS = 10
WATCH_SECONDS = 2
LOOK = """\
Look at first
  A finished study's report   {site}example/
  A page to rate              {site}studies/tang-poets/subtasks/1/pages/1/  (as alice)
  The Turing game             {site}turing/  (results by simulated players: {site}turing/results/)
"""
TRY = """\
What to try
  Log in as an evaluator and rate a page: the keyboard works, every answer is saved at once.
  Close the browser and come back, on a phone-sized window too: it goes on where you stopped.
  Play without an account: /turing/ asks which of two poems a human wrote, /compose/poem/ writes one for you.
  Log in as the researcher: a study that is finished and one half done, with simulated evaluators; set up your own.
  Log in as the administrator: runs at work, progress, payments, and the tables of a report.
"""


def port_number(text: str) -> int:
    """Return the port an option names."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise CommandError(f"--port {text}: must be a number from 1 to 65535")
    return int(text)


def load_pairs() -> None:
    """Put what comes with the site into play, with results of simulated players of each kind, unless there are some."""
    if not PoemPair.objects.exists():
        import_pairs(PAIRS)
        import_pairs(BOUNDARIES)
        open_room("Demo", "pairs", "poem", takes_names=True)
    if not PoemPair.objects.filter(genre=Genre.CHAT).exists():
        import_conversations(CONVERSATIONS)
    if not Room.objects.filter(is_simulated=True).exists() and not Round.objects.answered().exists():
        for kind in Kind:
            open_simulated_room(kind)


def interrupt(number: int, frame: object) -> NoReturn:
    """Treat a polite request to end, or a terminal that went away, like Ctrl-C."""
    raise KeyboardInterrupt


class Command(BaseCommand):
    help = "Run the site with demo content: servers, worker and web server; Ctrl-C stops them all."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=port_number, default=8000, help="of the web server (8000)")
        parser.add_argument(
            "--records",
            nargs=2,
            type=Path,
            default=[],
            metavar=("CANDIDATES", "ANSWERS"),
            help="the records of the published study, to be its report among the demo's",
        )

    def handle(self, *args: Any, port: int, records: Sequence[Path] = (), **options: Any) -> None:
        self.records = records
        if settings.PRODUCTION:
            raise CommandError("The demo makes accounts and prints their passwords: not on a public site")
        if (other := running_demo()) is not None:
            raise CommandError(self.runs_already(other))
        self.check_port(port)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, interrupt)
        try:
            self.hold_home(port)
        except embedded.EmbeddedError as error:
            raise CommandError(f"The embedded servers cannot be used: {error}") from error
        except ChildEnded as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.strerror}: {error.filename or embedded.home()}") from error
        except KeyboardInterrupt:
            self.say("")

    def hold_home(self, port: int) -> None:
        """Run the one demonstration of this home, and leave nothing running of what it started."""
        children: list[Child] = []
        demo = RunningDemo(os.getpid(), port)
        try:
            record = DemoRecord(demo)
        except BlockingIOError:
            raise CommandError(self.runs_already(running_demo())) from None
        servers = embedded.status()
        demo.servers = [server.label for server in servers if server.pid is None]
        try:
            if record.left:
                # The servers that it started are ours to stop now.
                demo.servers = [
                    server.label
                    for server in servers
                    if server.label in {*demo.servers, *record.left.servers}
                ]
                if stop_left_behind(record.left):
                    self.say("Ended what a killed demonstration had left running")
                    self.check_port(port)
            record.write()
            if servers:
                self.step(" and ".join(server.label for server in servers), embedded.start)
            self.run(port, children, record)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            for child in reversed(children):
                self.step(f"Stopping the {child.label}", child.stop)
            if demo.servers:
                ours = set(demo.servers)
                self.step("Stopping " + " and ".join(sorted(ours)), lambda: embedded.stop(ours))
            record.close()

    def runs_already(self, other: RunningDemo | None) -> str:
        """Say where the demonstration of this home runs and how it is stopped."""
        if other is None:
            return f"Another demonstration starts on {embedded.home()} at this moment"
        return (
            f"The demonstration of {embedded.home()} runs already: http://127.0.0.1:{other.port}/"
            f" (process {other.pid}). Stop it with Ctrl-C in its terminal or by: kill {other.pid}"
        )

    def run(self, port: int, children: list[Child], record: DemoRecord) -> NoReturn:
        """Fill the database, start the children and watch them until one ends or we are interrupted."""
        self.step("Tables", lambda: call_command("migrate", verbosity=0, interactive=False))
        accounts = self.step("Demo studies", load_demo)
        self.step("Studies with simulated answers", self.load_results)
        self.step("Pairs of the game", load_pairs)
        programs = {
            "worker": python_program(
                "celery", "-A", "evalsite", "worker",
                "--hostname=demo@%h", "--loglevel=INFO", "--without-gossip", "--without-mingle",
            ),
            "web server": python_program(
                "gunicorn", "evalsite.wsgi", f"--bind=127.0.0.1:{port}",
                "--graceful-timeout=5", "--no-control-socket",
            ),
        }  # fmt: skip
        if not settings.TURING_EVENTS_URL:
            events = self.free_port(port)
            programs["events server"] = python_program(
                "uvicorn", "evalsite.asgi:application", "--lifespan=off", "--log-level=warning",
                f"--port={events}", "--timeout-graceful-shutdown=2",
            )  # fmt: skip
            # The web server's pages say where events are.
            os.environ["TURING_EVENTS_URL"] = f":{events}"
        for label, command in programs.items():
            log = embedded.home() / "logs" / f"{label.replace(' ', '_')}.log"
            children.append(Child(label, log, command, settings.BASE_DIR))
            record.demo.children[children[-1].process.pid] = command
            record.write()
        self.step("Worker and web server", lambda: self.wait_until_ready(port, children))
        self.welcome(port, accounts)
        Thread(target=self.prepare_report, args=[port], daemon=True).start()
        while True:
            for child in children:
                child.check()
            if fallen := embedded.fallen():
                self.step(f"{' and '.join(fallen)} had ended: starting again", embedded.start)
            time.sleep(WATCH_SECONDS)

    def load_results(self) -> None:
        try:
            load_results(self.records)
        except FileRefused as error:
            raise CommandError(f"The records cannot be read.\n{error}") from error

    def prepare_report(self, port: int) -> None:
        """Have the report that is to be looked at first computed by the time somebody does."""
        for language in ("en", "zh-hans"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STALL_SECONDS)
            with suppress(OSError, http.client.HTTPException):
                connection.request("GET", "/example/")
                found = connection.getresponse()
                found.read()
                report = found.headers.get("Location", "/")
                connection.request("GET", report, headers={"Accept-Language": language})
                connection.getresponse().read()
            connection.close()

    def check_port(self, port: int) -> None:
        """Refuse a port that the web server could not have, before anything is started."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
                raise CommandError(
                    f"Port {port} {why}. Choose another: make demo PORT={port % 65535 + 1}"
                ) from error

    def free_port(self, after: int) -> int:
        """Return a port that nobody has, as near after another one as can be."""
        for port in range(after + 1, 65_536):
            with suppress(CommandError):
                self.check_port(port)
                return port
        raise CommandError(f"There is no free port after {after} for events: choose a lower one")

    def wait_until_ready(self, port: int, children: list[Child]) -> None:
        """Wait until the site says that database, broker and worker are there, as long as the children get on."""
        progress = Progress(children)
        begun = reported_at = time.monotonic()
        while (why := self.not_ready(port)) is not None:
            for child in children:
                child.check()
            if progress.stalled_seconds() > STALL_SECONDS:
                logs = " and ".join(str(child.log) for child in children)
                raise CommandError(
                    f"The site is not ready ({why}), and nothing has moved for {STALL_SECONDS} seconds;"
                    f" see {logs}. What is done is kept: the next start goes on from here"
                )
            if time.monotonic() - reported_at >= NEWS_SECONDS:
                reported_at = time.monotonic()
                self.say(f"\n  {reported_at - begun:.0f} s, not ready: {why}", ending="")
                for child in children:
                    words = f"the {child.label} has computed {child.work()[0]:.0f} s, log {child.log}"
                    self.say(f"\n    {words}: {child.last_line()[:100]}", ending="")
            time.sleep(0.1)

    def not_ready(self, port: int) -> str | None:
        """Return what /readyz says is missing, or None."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            answer = response.read()
        except OSError as error:
            return f"the web server does not answer: {error}"
        finally:
            connection.close()
        if response.status == 200:
            return None
        with suppress(ValueError):
            parts = json.loads(answer)
            named = ("database", "broker", "worker")
            reasons = {name: parts[name]["reason"] for name in named}
            return "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason)
        return f"/readyz answered {response.status}"

    def welcome(self, port: int, accounts: list[tuple[str, str, str]]) -> None:
        """Print where the site is and how to get in."""
        self.say(f"\nOpen http://127.0.0.1:{port}/\n\nLog-ins, with passwords made for this run")
        for role, username, password in accounts:
            self.say(f"  {role:<14} {username:<8} {password}")
        self.say("\n" + LOOK.format(site=f"http://127.0.0.1:{port}/"))
        self.say(f"{TRY}\nCtrl-C stops everything; what you entered is kept.")

    def step(self, label: str, action: Callable[[], T]) -> T:
        """Do one step, telling its name before and its duration after."""
        self.say(f"{label} ...", ending="")
        begun = time.monotonic()
        try:
            result = action()
        except BaseException:
            self.say("")
            raise
        self.say(f" {time.monotonic() - begun:.1f} s")
        return result

    def say(self, text: str, ending: str = "\n") -> None:
        """Print at once; a terminal that went away must not keep us from stopping what we started."""
        with suppress(OSError):
            self.stdout.write(text, ending=ending)
            self.stdout.flush()
