"""What comes of a job: a file, or something stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from annotations.models import Study

# Told after each step how many are done, of how many; raises `LeaseLost` where the work is no longer wanted.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Made:
    """A file; its chunks are made while they are read."""

    name: str
    content_type: str
    chunks: Iterable[bytes]


@dataclass(frozen=True)
class Stored:
    """Something in a study, which `store` writes and returns: in the transaction that ends the job, all or nothing."""

    store: Callable[[], Study]
