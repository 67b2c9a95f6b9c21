from __future__ import annotations

import os
import subprocess
import sys

import pytest

from generation.training.process import let_idle_threads_sleep

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
