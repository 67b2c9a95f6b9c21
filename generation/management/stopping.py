"""Ending a long command at a place from which it can go on."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def signals_noted() -> Iterator[Callable[[], int]]:
    """Note Ctrl-C and SIGTERM instead of ending; hand out a function that tells which came, 0 for none.

    The second one ends the process as if there were nothing here.
    """
    came = 0
    numbers = (signal.SIGINT, signal.SIGTERM)

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = number
        for each in numbers:
            signal.signal(each, before[each])

    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield lambda: came
    finally:
        for number in numbers:
            signal.signal(number, before[number])
