from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from django.core.management import call_command

from evalsite import embedded
from evalsite.embedded.layout import Layout
from evalsite.embedded.servers import Valkey
from evalsite.tests.cast import kill, pids, sql, valkey, wait_for
from manage import needs_servers

START = [sys.executable, "-c", "from evalsite import embedded; print(*embedded.start())"]
pytestmark = pytest.mark.usefixtures("own_servers")


# Starting


def test_second_start_attaches(running: Layout) -> None:
    before = pids()
    assert embedded.start() == []
    assert pids() == before


def test_attaching_takes_milliseconds(running: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *words, **options: pytest.fail("a program was run"))
    durations = []
    for _ in range(5):
        begun = time.perf_counter()
        embedded.start()
        durations.append(time.perf_counter() - begun)
    assert min(durations) < 0.05


def test_two_starts_at_once_make_one_pair(new_home: Path) -> None:
    starts = [subprocess.Popen(START, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [start.communicate(timeout=60)[0].split() for start in starts]
    assert [start.returncode for start in starts] == [0, 0]
    assert sorted(said[0] + said[1]) == ["PostgreSQL", "Valkey"]
    assert [server.answers for server in embedded.status()] == [True, True]


def test_servers_named_by_address_are_not_started(new_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@db.example/app")
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://cache.example/0")
    assert embedded.start() == []
    assert embedded.status() == []
    assert embedded.urls() == embedded.Urls("postgres://u:p@db.example/app", "redis://cache.example/0")
    assert not new_home.exists()


def test_only_the_server_without_an_address_is_started(
    new_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@db.example/app")
    assert embedded.start() == ["Valkey"]
    assert not (new_home / "embedded" / "postgres").exists()


def test_data_of_another_version_is_refused(new_home: Path) -> None:
    data = new_home / "embedded" / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(embedded.EmbeddedError, match="was made by PostgreSQL 17, and this is 18"):
        embedded.start()


# Stopping


def test_stop_stops_and_status_tells(running: Layout) -> None:
    sql("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
    assert [(server.label, server.answers) for server in embedded.status()] == [
        ("PostgreSQL", True),
        ("Valkey", True),
    ]
    processes = [psutil.Process(pid) for pid in pids()]
    assert embedded.stop() == ["Valkey", "PostgreSQL"]
    assert psutil.wait_procs(processes, timeout=5)[1] == []
    assert [(server.answers, server.pid) for server in embedded.status()] == [(False, None)] * 2
    assert embedded.stop() == []
    assert embedded.start() == ["PostgreSQL", "Valkey"]
    assert sql("SELECT answer FROM kept") == "42"


def test_stop_can_spare_a_server(running: Layout) -> None:
    assert embedded.stop({"Valkey"}) == ["Valkey"]
    assert [server.answers for server in embedded.status()] == [True, False]


# After an accident


@pytest.mark.fault
def test_killed_postgres_starts_again_with_its_data(running: Layout) -> None:
    sql("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 43 AS answer")
    kill(pids()[0])
    assert embedded.start() == ["PostgreSQL"]
    assert sql("SELECT answer FROM kept") == "43"


@pytest.mark.fault
def test_killed_valkey_starts_again_with_its_data(running: Layout) -> None:
    valkey("SET", "kept", "44")
    valkey("WAITAOF", "1", "0", "5000")  # it writes once a second
    kill(pids()[1])
    assert embedded.start() == ["Valkey"]
    assert valkey("GET", "kept") == b"$2\r\n44"


@pytest.mark.fault
def test_start_killed_while_it_makes_the_cluster_leaves_nothing_in_the_way(new_home: Path) -> None:
    start = subprocess.Popen(START)
    draft = new_home / "embedded" / "postgres.new"
    wait_for(lambda: (draft / "base").exists())
    start.kill()
    start.wait()
    assert embedded.start() == ["PostgreSQL", "Valkey"]
    assert sql("SELECT 1") == "1"
    assert not draft.exists()


@pytest.mark.fault
def test_servers_of_a_killed_start_are_adopted(running: Layout) -> None:
    embedded.stop()
    start = subprocess.Popen([*START[:-1], f"{START[-1]}; import time; time.sleep(60)"])
    wait_for(Valkey(running).answers)
    before = pids()
    start.kill()
    start.wait()
    assert embedded.start() == []
    assert pids() == before


@pytest.mark.fault
def test_server_that_comes_up_is_waited_for(running: Layout) -> None:
    """A start that was killed at its very end leaves a server that does not answer yet."""
    process = psutil.Process(pids()[1])
    process.suspend()
    subprocess.Popen(["sh", "-c", f"sleep 3; kill -CONT {process.pid}"])
    assert embedded.start() == []
    assert pids()[1] == process.pid


@pytest.mark.fault
def test_pid_file_with_the_number_of_another_process_is_cleared(running: Layout) -> None:
    embedded.stop({"PostgreSQL"})
    (running.place / "postgres" / "postmaster.pid").write_text(f"{pids()[1]}\n{running.place / 'postgres'}\n")
    assert embedded.start() == ["PostgreSQL"]


@pytest.mark.fault
def test_removed_directory_does_not_leave_servers_behind(new_home: Path) -> None:
    embedded.start()
    before = [psutil.Process(pid) for pid in pids()]
    shutil.rmtree(new_home)
    embedded.start()
    assert psutil.wait_procs(before, timeout=5)[1] == []
    assert sql("SELECT 1") == "1"


# Commands


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("migrate", True),
        ("shell -c 1", True),
        ("runserver", True),
        ("migrate --help", False),
        ("help migrate", False),
        ("--version", False),
        ("", False),
        ("embedded stop", False),
        ("makemessages --locale zh_Hans", False),
        ("collectstatic", False),
        ("compose --title 秋夜", False),
    ],
)
def test_commands_that_open_nothing_start_nothing(words: str, needed: bool) -> None:
    assert needs_servers(words.split()) == needed


def test_embedded_command_starts_tells_and_stops(new_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("embedded", "start")
    assert capsys.readouterr().out == "PostgreSQL started\nValkey started\n"
    call_command("embedded", "start")
    assert capsys.readouterr().out == "PostgreSQL runs already\nValkey runs already\n"
    call_command("embedded", "status")
    assert capsys.readouterr().out.count(" answers (process ") == 2
    call_command("embedded", "stop")
    assert capsys.readouterr().out == "PostgreSQL stopped\nValkey stopped\n"
    with pytest.raises(SystemExit, match="1"):
        call_command("embedded", "status")
    assert capsys.readouterr().out.count(" does not run, ") == 2
