"""Which demonstration runs on a home, where, and with which child processes.

`EVALSITE_HOME/demo.json` says so. The demonstration holds a lock on that file, and the lock ends with its process:
a file without it is what a killed one left behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from evalsite import embedded

# A reader's lock may be in the way of a start for a moment.
LOCK_SECONDS = 1
STOP_SECONDS = 10


@dataclass
class RunningDemo:
    """A demonstration: its process, its port, its children by process id, and the servers that it ends with it."""

    pid: int
    port: int
    children: dict[int, list[str]] = field(default_factory=dict)
    servers: list[str] = field(default_factory=list)


def record_path() -> Path:
    """Return the file that says which demonstration runs; it exists after the first one."""
    return embedded.home() / "demo.json"


def running_demo() -> RunningDemo | None:
    """Return the demonstration that runs on this home now, or None."""
    try:
        with record_path().open() as record:
            try:
                fcntl.flock(record, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read(record.read())
    except OSError:
        return None
    return None


class DemoRecord:
    """The record of this process's demonstration; it is held until the process ends."""

    def __init__(self, demo: RunningDemo) -> None:
        """Take the record over; `left` is what a killed demonstration had written. BlockingIOError: one runs."""
        self.demo = demo
        record_path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(record_path(), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        self.file = os.fdopen(descriptor, "r+")
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    self.file.close()
                    raise
                time.sleep(0.02)
        self.left = _read(self.file.read())
        self.write()

    def write(self) -> None:
        """Write down what the demonstration has started by now."""
        self.file.seek(0)
        self.file.truncate()
        json.dump(asdict(self.demo), self.file)
        self.file.flush()

    def close(self) -> None:
        """Leave an empty record: nothing is left running."""
        self.file.truncate(0)
        self.file.close()


def stop_left_behind(demo: RunningDemo) -> int:
    """End the children of a killed demonstration that still live, and return how many these were.

    A process is one of them only if it has the recorded command line: process ids are used again.
    """
    left = []
    for pid, command in demo.children.items():
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.cmdline()[1:] == command[1:]:
                left += [process, *process.children(recursive=True)]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(left, timeout=STOP_SECONDS)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return len(left)


def _read(text: str) -> RunningDemo | None:
    try:
        found = json.loads(text)
        children = {int(pid): command for pid, command in found["children"].items()}
        return RunningDemo(found["pid"], found["port"], children, found["servers"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
