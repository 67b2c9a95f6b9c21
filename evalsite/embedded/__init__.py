"""PostgreSQL and Valkey for a machine of one's own, started from wheels when no server is named.

They speak through unix sockets in a private directory, never TCP, and keep their data under EVALSITE_HOME.
`DATABASE_URL` and `CELERY_BROKER_URL` name other servers; what is named is not started.
"""

from __future__ import annotations

import os
from collections.abc import Container
from contextlib import nullcontext
from dataclasses import dataclass

from evalsite.embedded.layout import EmbeddedError, account_for, hand_over, home, lay_out, lock, make_place
from evalsite.embedded.servers import Postgres, Server, Valkey

__all__ = ["EmbeddedError", "Status", "Urls", "fallen", "home", "start", "status", "stop", "urls"]


@dataclass(frozen=True)
class Urls:
    """Where the database and the broker are."""

    database: str
    broker: str


@dataclass(frozen=True)
class Status:
    """One server as it is now; `pid` is None where it does not run."""

    label: str
    answers: bool
    pid: int | None
    socket: str


def urls() -> Urls:
    """Return the two addresses; nothing is started."""
    where = lay_out()
    return Urls(
        database=os.environ.get("DATABASE_URL") or Postgres(where).url,
        broker=os.environ.get("CELERY_BROKER_URL") or Valkey(where).url,
    )


def start() -> list[str]:
    """Have the embedded servers running and return the labels of those this call started.

    Raises EmbeddedError with one line that says what is in the way.
    """
    try:
        if all(server.answers() for server in _servers()):
            return []
        return _start()
    except OSError as error:
        raise EmbeddedError(f"{error.strerror}: {error.filename}") from error


def _start() -> list[str]:
    # What is known of the wheels takes longer to load than to ask whether the servers answer.
    from evalsite.embedded.programs import find_programs

    where = lay_out()
    make_place(where)
    with lock(where.place / "lock") as held:
        silent = [server for server in _servers() if not server.answers()]
        if not silent:
            return []
        account = account_for(where)
        hand_over(where, account)
        programs = find_programs(account)
        begun = [server.label for server in silent if server.process() is None]
        for server in silent:
            server.bring_up(programs, held)
        return begun


def stop(labels: Container[str] | None = None) -> list[str]:
    """Stop the embedded servers, or those of them named, and return the labels of those that ran."""
    where = lay_out()
    try:
        # A server may outlive its removed directory, and with it the lock.
        with lock(where.place / "lock") if where.place.is_dir() else nullcontext():
            stopped = []
            for server in reversed(_servers()):
                running = server.process() if labels is None or server.label in labels else None
                if running:
                    server.halt(running)
                    stopped.append(server.label)
            return stopped
    except OSError as error:
        raise EmbeddedError(f"{error.strerror}: {error.filename}") from error


def status() -> list[Status]:
    """Return the state of each embedded server; those named by an address are not listed."""
    found = []
    for server in _servers():
        running = server.process()
        found.append(
            Status(server.label, server.answers(), running.pid if running else None, str(server.socket))
        )
    return found


def fallen() -> list[str]:
    """Return the labels of the servers that have ended; one that runs and does not answer is none of them."""
    return [server.label for server in _servers() if not server.answers() and server.process() is None]


def _servers() -> list[Server]:
    where = lay_out()
    servers: list[Server] = []
    if not os.environ.get("DATABASE_URL"):
        servers.append(Postgres(where))
    if not os.environ.get("CELERY_BROKER_URL"):
        servers.append(Valkey(where))
    return servers
