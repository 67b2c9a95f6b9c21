from __future__ import annotations

import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from evalsite.embedded.layout import Layout
from evalsite.tests.cast import kill, pids
from evalsite.tests.running import Demo

pytestmark = pytest.mark.usefixtures("own_servers")


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
    stops = [
        "Stopping the events server",
        "Stopping the web server",
        "Stopping the worker",
        "Stopping PostgreSQL and Valkey",
    ]
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
