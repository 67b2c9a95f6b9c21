"""Helpers of the tests that handle real servers."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from evalsite import embedded
from evalsite.embedded.layout import lay_out


def clear(home: Path) -> None:
    """Stop the servers of a home and remove all they left, wherever it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALSITE_HOME", str(home))
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("CELERY_BROKER_URL", raising=False)
        embedded.stop()
        where = lay_out()
    for directory in (where.place, where.sockets, where.home):
        shutil.rmtree(directory, ignore_errors=True)


def pids() -> list[int | None]:
    return [server.pid for server in embedded.status()]


def connect(name: str = "evalsite", user: str = "evalsite") -> psycopg2.extensions.connection:
    return psycopg2.connect(host=str(lay_out().sockets), port=5432, user=user, dbname=name)


def sql(statement: str) -> str:
    """Run one statement in its own transaction and return the first value of its first row, as text."""
    with closing(connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    return str(row[0]) if row else ""


def valkey(*words: str) -> bytes:
    """Send one command and return the raw answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(lay_out().sockets / "valkey.sock"))
        connection.sendall(" ".join(words).encode() + b"\r\n")
        return connection.recv(4096).strip()


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
