"""Where the embedded servers keep their files, and whose they are.

PostgreSQL refuses to run as root. A root's servers therefore belong to a system account, which must be able
to walk down to its data: where a directory above EVALSITE_HOME is closed to it, everything goes to
/var/lib/evalsite instead, because opening somebody's home to all users would be the worse answer.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent
SYSTEM = Path("/var/lib/evalsite")
ACCOUNT = "evalsite"
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"
SOCKET_PATH_BYTES = 103  # sun_path with its final zero is 108 bytes on Linux, 104 on macOS
LOCK_SECONDS = 120


class EmbeddedError(Exception):
    """The embedded servers cannot be used; the message is one line that says why."""


@dataclass(frozen=True)
class Layout:
    """The directories of one installation's servers, and the user id that made them or is about to."""

    home: Path
    place: Path
    sockets: Path
    owner: int


def home() -> Path:
    """Return EVALSITE_HOME, by default `var/` in the checkout; a relative path is below the checkout."""
    given = os.environ.get("EVALSITE_HOME") or "var"
    try:
        return Path(BASE_DIR, Path(given).expanduser()).resolve()
    except RuntimeError as error:  # no such user, or links in a circle
        raise EmbeddedError(f"EVALSITE_HOME={given}: {error}") from error


def lay_out() -> Layout:
    """Work out the directories; nothing is created or started."""
    top = home()
    digest = hashlib.sha256(os.fsencode(top)).hexdigest()[:12]
    place = top / "embedded"
    # What an ordinary user began in this home stays theirs when root comes by.
    owner = place.stat().st_uid if place.is_dir() else os.geteuid()
    if owner == 0 and not is_open_to_all(top.parent):
        place = SYSTEM / digest
    sockets = place / "sockets"
    # A comma parts two hosts for PostgreSQL's clients, and nothing escapes it.
    if len(os.fsencode(sockets / LONGEST_SOCKET_NAME)) > SOCKET_PATH_BYTES or "," in str(sockets):
        # Not tempfile.gettempdir(): two processes with different TMPDIR must agree.
        short = Path("/tmp", f"evalsite-{owner}-{digest}")  # noqa: S108 - verified by make_private
        sockets = SYSTEM / f"{digest}-sockets" if owner == 0 else short
    return Layout(top, place, sockets, owner)


def is_open_to_all(directory: Path) -> bool:
    """Whether any user may walk down to the directory; one that is yet to be made will be open."""
    return all(
        not step.exists() or step.stat().st_mode & stat.S_IXOTH for step in (directory, *directory.parents)
    )


@contextmanager
def lock(path: Path) -> Iterator[int]:
    """Hold the file's lock, which ends with the process and any child that was handed the descriptor."""
    deadline = time.monotonic() + LOCK_SECONDS
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"another process has held {path} for {LOCK_SECONDS} seconds"
                    ) from None
                time.sleep(0.02)
        yield descriptor
    finally:
        os.close(descriptor)


def account_for(where: Layout) -> pwd.struct_passwd:
    """Return the account that runs the servers; as root, the owner of what is there or a system account."""
    if where.owner == 0:
        return _system_account()
    if os.geteuid() not in (0, where.owner):
        raise EmbeddedError(f"{where.place} is another user's; set EVALSITE_HOME to a directory of your own")
    try:
        return pwd.getpwuid(where.owner)
    except KeyError:
        raise EmbeddedError(f"PostgreSQL needs a user name, and user id {where.owner} has none") from None


def _system_account() -> pwd.struct_passwd:
    """Return the account that runs what root starts; the first time it is made."""
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    with suppress(KeyError):
        return pwd.getpwnam(ACCOUNT)
    try:
        made = subprocess.run(  # noqa: S603 - constant words
            [*command, "--shell", "/usr/sbin/nologin", ACCOUNT], capture_output=True, text=True, check=False
        )
        return pwd.getpwnam(ACCOUNT)
    except FileNotFoundError:
        reason = "there is no useradd"
    except KeyError:
        reason = made.stderr.strip()
    raise EmbeddedError(f"PostgreSQL refuses to run as root, and user {ACCOUNT!r} was not made: {reason}")


def make_place(where: Layout) -> None:
    """Make the directory of the servers, below which all else lies."""
    if where.place.parent == SYSTEM:
        make_system()
    else:
        for step in reversed(where.home.parents):
            _make_open(step)
        where.home.mkdir(mode=0o700, exist_ok=True)
    where.place.mkdir(mode=0o700, exist_ok=True)


def make_system() -> None:
    """Make root's directory for what must be reached by the account of the servers."""
    _make_open(SYSTEM)
    if SYSTEM.stat().st_uid != 0 or SYSTEM.stat().st_mode & 0o022:
        raise EmbeddedError(f"{SYSTEM} must belong to root and be writable by nobody else")


def _make_open(directory: Path) -> None:
    """Make a directory that others may walk through whatever the umask, as `is_open_to_all` counts on."""
    if directory.is_dir():
        return
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)


def hand_over(where: Layout, account: pwd.struct_passwd) -> None:
    """Make the account's directories, and let it reach them: by its group, not everybody."""
    if where.owner == 0:
        _let_pass(where.place.parent, account)
        _let_pass(where.place, account)
        if where.sockets.parent == SYSTEM:
            make_system()
    for directory in (where.sockets, where.place / "valkey", where.place / "logs"):
        make_private(directory, account)


def _let_pass(directory: Path, account: pwd.struct_passwd) -> None:
    mode = directory.stat().st_mode
    if mode & stat.S_IXOTH:
        return
    if directory.stat().st_gid not in (0, account.pw_gid):
        raise EmbeddedError(
            f"the account {account.pw_name!r} cannot enter {directory}: allow it, or move EVALSITE_HOME"
        )
    os.chown(directory, -1, account.pw_gid)
    directory.chmod(mode & 0o700 | stat.S_IXGRP)


def make_private(directory: Path, account: pwd.struct_passwd) -> None:
    """Make a directory that only the account may enter; one that is somebody else's is refused."""
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    seen = directory.lstat()
    if stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.geteuid() != account.pw_uid:
        os.chown(directory, account.pw_uid, account.pw_gid)
        seen = directory.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != account.pw_uid or seen.st_mode & 0o077:
        raise EmbeddedError(
            f"{directory} must be a directory of user {account.pw_name!r} that nobody else may enter"
        )
