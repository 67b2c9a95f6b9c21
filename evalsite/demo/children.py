"""Child processes of the demonstration: they end with it, and can be asked whether they get on."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1  # linux/prctl.h
STOP_SECONDS = 10
# What a process computes in a minute that only waits and asks again is far below this.
PROGRESS_CPU_SECONDS = 0.5


class ChildEnded(Exception):
    """A child has ended by itself; the message has the last lines of its log."""


class Child:
    """A program that runs until its parent ends, in a process group of its own.

    The terminal's Ctrl-C thus reaches only the parent, which ends its children in order. Where the kernel can (Linux),
    it ends them also when the parent is killed.
    """

    def __init__(self, label: str, log: Path, command: list[str], directory: Path) -> None:
        self.label = label
        self.log = log
        self.command = command
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with log.open("w") as stream:
            self.process = subprocess.Popen(  # noqa: S603 - our own programs
                command,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=end_with_parent(),
            )

    def check(self) -> None:
        """Raise ChildEnded if the child has ended by itself."""
        if (code := self.process.poll()) is not None:
            lines = self.log.read_text(errors="replace").strip().splitlines()[-5:]
            words = "".join(f"\n    {line}" for line in lines)
            raise ChildEnded(f"The {self.label} has ended with {code}; its log {self.log} says{words}")

    def last_line(self) -> str:
        """Return the last line of the log, or nothing."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def work(self) -> tuple[float, int]:
        """Return how much the child and its children have done so far: seconds of computing, bytes read from a disk."""
        seconds, read = 0.0, 0
        with suppress(psutil.Error):
            top = psutil.Process(self.process.pid)
            for process in (top, *top.children(recursive=True)):
                with suppress(psutil.Error, AttributeError):  # macOS has no io_counters
                    times = process.cpu_times()
                    seconds += times.user + times.system
                    read += process.io_counters().read_bytes
        return seconds, read

    def stop(self) -> None:
        """Ask the child to end; what is left of its group after a while is killed."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def python_program(*arguments: str) -> list[str]:
    """Return the command that runs a module with the interpreter of this process."""
    return [sys.executable, "-m", *arguments]


def end_with_parent() -> Callable[[], None] | None:
    """Return what a child does first so that the kernel ends it with its parent; None where the kernel cannot."""
    parent = os.getpid()
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is None:
        return None

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_kernel


class Progress:
    """Whether children get on: they compute or read; what only waits and asks again does not."""

    def __init__(self, children: list[Child]) -> None:
        self.children = children
        self.moved = time.monotonic()
        self.seen = self._work()

    def stalled_seconds(self) -> float:
        """Return for how long nothing has been done."""
        seconds, read = self._work()
        if seconds - self.seen[0] >= PROGRESS_CPU_SECONDS or read > self.seen[1]:
            self.moved = time.monotonic()
            self.seen = seconds, read
        return time.monotonic() - self.moved

    def _work(self) -> tuple[float, int]:
        done = [child.work() for child in self.children]
        return sum(seconds for seconds, _ in done), sum(read for _, read in done)
