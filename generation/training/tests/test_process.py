from __future__ import annotations

import os
import subprocess
import sys

import pytest

from generation.training.process import bound_threads, let_idle_threads_sleep

# Takes and gives back 64 MB ten times, and prints how many pages the system had to clear for that.
PROGRAM = """
import resource
from generation.training.process import keep_freed_memory
{setup}
bytearray(64 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    bytearray(64 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(setup: str) -> int:
    made = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(setup=setup)], capture_output=True, text=True, check=True
    )
    return int(made.stdout)


@pytest.mark.skipif(
    sys.platform != "linux" or "CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="not glibc"
)
def test_freed_memory_is_kept() -> None:
    # A large page of 2 MB may be cleared with one fault.
    assert page_faults("") >= 10 * 32
    assert page_faults("keep_freed_memory()") < 32


def test_idle_threads_sleep_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    let_idle_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    let_idle_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


def test_threads_are_bounded_unless_the_environment_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "9")
    bound_threads()
    assert os.environ["OMP_NUM_THREADS"] == "9"
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    bound_threads()
    assert os.environ["OMP_NUM_THREADS"] == "4"
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    bound_threads()
    assert os.environ["OMP_NUM_THREADS"] == "2"
