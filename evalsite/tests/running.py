"""A demonstration that tests start, ask and kill."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil

from evalsite.embedded.layout import BASE_DIR
from evalsite.tests.cast import wait_for


class Demo:
    """A running `manage.py demo`, and what it has said."""

    def __init__(self, port: int, output: Path) -> None:
        self.port = port
        self.output = output
        with output.open("w") as stream:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, BASE_DIR / "manage.py", "demo", "--port", str(port)],
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, condition: Callable[[], object]) -> None:
        wait_for(lambda: condition() or self.process.poll() is not None, seconds=300)
        assert self.process.poll() is None, self.said

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def status_of(self, address: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{address}", timeout=10) as response:
            return int(response.status)
