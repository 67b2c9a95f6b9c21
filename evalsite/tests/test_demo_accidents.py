"""What the demonstration does when something is killed under it, or somebody starts a second one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from evalsite import embedded
from evalsite.demo.children import Child, Progress
from evalsite.demo.running import DemoRecord, RunningDemo, record_path, running_demo, stop_left_behind
from evalsite.embedded.layout import BASE_DIR, Layout
from evalsite.tests.cast import kill, pids, wait_for
from evalsite.tests.running import Demo

MANAGE = [sys.executable, str(BASE_DIR / "manage.py")]
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
WORK = [sys.executable, "-c", "while True: pass"]


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[[list[str]], Child]]:
    """Start children; they end with the test."""
    started: list[Child] = []

    def start(command: list[str]) -> Child:
        started.append(Child("clock", tmp_path / "clock.log", command, tmp_path))
        return started[-1]

    yield start
    for left in started:
        left.process.kill()
        left.process.wait()


@pytest.mark.fault
@pytest.mark.usefixtures("own_servers")
def test_demo_survives_its_servers_and_leaves_nothing_when_it_is_killed(
    running: Layout, demo: Callable[[], Demo]
) -> None:
    site = demo()
    site.wait_for(lambda: "Ctrl-C stops everything" in site.said)

    second = subprocess.run([*MANAGE, "demo", "--port", "1"], capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"runs already: http://127.0.0.1:{site.port}/ (process {site.process.pid})" in second.stderr
    assert f"or by: kill {site.process.pid}" in second.stderr
    links = subprocess.run(
        [*MANAGE, "shell", "--verbosity=0", "-c", "from django.conf import settings; print(settings.SITE_URL)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert links.stdout == f"http://127.0.0.1:{site.port}\n"

    for pid in pids():
        kill(pid)
    site.wait_for(lambda: all(server.answers for server in embedded.status()))
    site.wait_for(lambda: "had ended: starting again" in site.said)
    site.wait_for(lambda: site.status_of("/healthz") == 200)

    left = site.children()
    assert len(left) >= 4
    kill(site.process.pid)
    assert site.process.wait(10) == -signal.SIGKILL
    assert psutil.wait_procs(left, timeout=60)[1] == []
    assert running_demo() is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [
            sys.executable, "-c",
            "import sys, time; from pathlib import Path; from evalsite.demo.children import Child;"
            f"child = Child('clock', Path({str(tmp_path / 'log')!r}), {SLEEP!r}, Path('/'));"
            "print(child.process.pid, flush=True); time.sleep(600)",
        ],
        cwd=BASE_DIR, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    assert psutil.wait_procs([child], timeout=30)[1] == []


def test_child_that_computes_gets_on(child: Callable[[list[str]], Child]) -> None:
    progress = Progress([child(WORK)])
    time.sleep(0.2)
    begun = progress.moved
    wait_for(lambda: progress.stalled_seconds() >= 0 and progress.moved > begun)
    assert progress.moved > begun


def test_child_that_only_waits_does_not_get_on(child: Callable[[list[str]], Child]) -> None:
    sleeper = child(SLEEP)
    time.sleep(1)  # its own start is work
    progress = Progress([sleeper])
    time.sleep(0.5)
    assert progress.stalled_seconds() >= 0.5


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVALSITE_HOME", str(tmp_path))
    return tmp_path


def test_record_tells_others_while_it_is_held(own_home: Path) -> None:
    assert running_demo() is None
    record = DemoRecord(RunningDemo(os.getpid(), 9000, servers=["Valkey"]))
    assert running_demo() == RunningDemo(os.getpid(), 9000, servers=["Valkey"])
    with pytest.raises(BlockingIOError):
        DemoRecord(RunningDemo(1, 9001))
    record.close()
    assert running_demo() is None


def test_what_a_killed_demonstration_left_is_ended_and_a_stranger_with_its_number_is_not(
    own_home: Path, child: Callable[[list[str]], Child]
) -> None:
    killed = DemoRecord(RunningDemo(1, 9000))
    ours, stranger = child(SLEEP), child(SLEEP)
    killed.demo.children = {ours.process.pid: SLEEP, stranger.process.pid: [*SLEEP, "other"]}
    killed.write()
    killed.file.close()

    left = DemoRecord(RunningDemo(2, 9001)).left
    assert left == killed.demo
    assert stop_left_behind(left) == 1
    assert ours.process.poll() is not None
    assert stranger.process.poll() is None


def test_record_that_is_garbage_counts_as_none(own_home: Path) -> None:
    record_path().write_text('{"pid": []')
    assert DemoRecord(RunningDemo(1, 9000)).left is None
