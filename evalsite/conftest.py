"""Homes of embedded servers to try things on; the servers that the other tests use are left alone."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evalsite import embedded
from evalsite.embedded.layout import Layout, lay_out
from evalsite.tests.cast import clear
from evalsite.tests.running import Demo


@pytest.fixture
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test the embedded servers also where the other tests run on named ones."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)


@pytest.fixture(scope="session")
def open_directory() -> Iterator[Path]:
    """A short directory that any user may walk through; pytest's own is long and closed."""
    directory = Path(tempfile.mkdtemp(prefix="ev")).resolve()
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def shared_home(open_directory: Path) -> Iterator[Path]:
    """One home for all these tests, with a name that must be quoted in an address."""
    home = open_directory / "a 数据 %"
    yield home
    clear(home)


@pytest.fixture
def running(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Running servers, which these tests share."""
    monkeypatch.setenv("EVALSITE_HOME", str(shared_home))
    embedded.start()
    return lay_out()


@pytest.fixture
def new_home(open_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home in which nothing was ever started."""
    home = open_directory / "new"
    monkeypatch.setenv("EVALSITE_HOME", str(home))
    yield home
    clear(home)


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
