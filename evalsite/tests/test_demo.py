from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from evalsite.embedded.layout import BASE_DIR, Layout
from evalsite.tests.cast import kill, pids, wait_for

pytestmark = pytest.mark.usefixtures("own_servers")


class Demo:
    """A running `manage.py demo`, and what it has said."""

    def __init__(self, port: int, output: Path) -> None:
        self.port = port
        self.output = output
        with output.open("w") as stream:
            self.process = subprocess.Popen(
                [sys.executable, BASE_DIR / "manage.py", "demo", "--port", str(port)],
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, condition: Callable[[], object]) -> None:
        wait_for(lambda: condition() or self.process.poll() is not None, seconds=60)
        assert self.process.poll() is None, self.said

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def status_of(self, address: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{address}", timeout=10) as response:
            return int(response.status)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def demo(tmp_path: Path, port: int) -> Iterator[Callable[[], Demo]]:
    """Start the demo; what a failed test leaves of it is ended."""
    started: list[Demo] = []

    def start() -> Demo:
        started.append(Demo(port, tmp_path / "output"))
        return started[0]

    yield start
    for left in started:
        if left.process.poll() is None:
            left.process.terminate()
            left.process.wait(60)


def test_demo_serves_the_site_until_ctrl_c(new_home: Path, demo: Callable[[], Demo]) -> None:
    site = demo()
    site.wait_for(lambda: "Ctrl-C stops everything" in site.said)
    assert f"Open http://127.0.0.1:{site.port}/\n" in site.said
    assert re.search(r"^PostgreSQL and Valkey \.\.\. \d+\.\d s$", site.said, re.MULTILINE)
    assert site.status_of("/readyz") == 200
    assert site.status_of("/") == 200
    processes = [*site.children(), *(psutil.Process(pid) for pid in pids())]

    site.process.send_signal(signal.SIGINT)
    assert site.process.wait(60) == 0, site.said
    assert psutil.wait_procs(processes, timeout=5)[1] == []
    stops = ["Stopping the web server", "Stopping the worker", "Stopping PostgreSQL and Valkey"]
    assert re.findall(r"^Stopping .*?(?= \.\.\.)", site.said, re.MULTILINE) == stops


@pytest.mark.fault
def test_child_that_dies_ends_the_demo_but_not_servers_it_found(
    running: Layout, demo: Callable[[], Demo]
) -> None:
    found = pids()
    site = demo()
    site.wait_for(lambda: "Ctrl-C stops everything" in site.said)
    children = site.children()
    kill(next(child.pid for child in children if "worker" in child.cmdline()))
    assert site.process.wait(60) == 1
    assert "The worker has ended with -9; its log" in site.said
    assert psutil.wait_procs(children, timeout=5)[1] == []
    assert pids() == found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_demo_can_be_stopped_while_it_starts(
    new_home: Path, demo: Callable[[], Demo], number: signal.Signals
) -> None:
    site = demo()
    site.wait_for((new_home / "embedded" / "postgres.new").exists)
    site.process.send_signal(number)
    assert site.process.wait(60) == 0, site.said
    assert pids() == [None, None]


def test_port_in_use_is_said_before_anything_is_started(
    new_home: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(CommandError, match=f"Port {port} is in use. Choose another: make demo PORT="):
            call_command("demo", port=port)
    assert not new_home.exists()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1"])
def test_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="must be a number from 1 to 65535"):
        call_command("demo", f"--port={text}")


def test_public_site_gets_no_demo(new_home: Path, settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="not on a public site"):
        call_command("demo")
    assert not new_home.exists()
