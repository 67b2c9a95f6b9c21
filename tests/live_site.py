"""A site with live conversations for tests: its web server, its events and its workers, each to be killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.worker_site import ROOT


@dataclass
class EventsServer:
    """Uvicorn as an operator starts it, on a database that is given or the one of the environment."""

    log: Path
    port: int
    database: str = ""
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        environment = os.environ | {"SECRET_KEY": settings.SECRET_KEY}
        if self.database:
            environment["DATABASE_URL"] = self.database
        with self.log.open("a") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [
                    sys.executable, "-m", "uvicorn", "evalsite.asgi:application", "--lifespan=off",
                    f"--port={self.port}", "--log-level=warning",
                ],
                cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, process_group=0, env=environment,
            )  # fmt: skip

    def answers(self) -> bool:
        """Whether anything listens there."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)


class Reader(threading.Thread):
    """A page that reads events, and connects again after the last one it had, as browsers do."""

    def __init__(self, address: str, cookie: str) -> None:
        super().__init__(daemon=True)
        self.address = address
        self.cookie = cookie
        self.last = ""
        self.said: list[dict[str, Any]] = []
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            headers = {"Cookie": self.cookie, **({"Last-Event-ID": self.last} if self.last else {})}
            with suppress(OSError):
                self.read(urllib.request.Request(self.address, headers=headers))  # noqa: S310 - our own server
            self.ended.wait(0.1)

    def read(self, request: urllib.request.Request) -> None:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - our own server
            for line in response:
                words = line.decode().strip()
                if words.startswith('data: {"said"'):
                    self.said += json.loads(words[6:])["said"]
                elif words.startswith("id: "):
                    self.last = words[4:]
                elif words == "event: over":
                    self.ended.set()
