"""Setting up the process before torch is imported, for training and writing on a processor."""

from __future__ import annotations

import ctypes
import os
import sys

# Parameters of glibc's mallopt (malloc.h).
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
MOST_THREADS = 4


def keep_freed_memory() -> None:
    """Let glibc keep what is freed; elsewhere do nothing.

    It would give the logits of every step, hundreds of megabytes, back to the system, which then clears them page by
    page for the next step: half of the time of a training.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(MMAP_MAX, 0)
        mallopt(TRIM_THRESHOLD, -1)
        mallopt(TOP_PAD, 256 * 1024 * 1024)


def let_idle_threads_sleep() -> None:
    """Let OpenMP's threads sleep while they wait, unless the environment says otherwise; before torch is imported.

    Waiting busily they take the time of whatever else runs on the machine, and of each other.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def bound_threads() -> None:
    """Let a small model use few threads, unless the environment says otherwise; before torch is imported.

    More of them make its small products no faster, and wait for each other where the machine has other work.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(min(MOST_THREADS, os.cpu_count() or 1)))
