"""What a training runs on: a processor or a graphics processor, and as much memory as that has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from generation.refusals import Refused


def choose_device(name: str | None = None, threads: int | None = None) -> torch.device:
    """Return a device by its name, by default CUDA where there is one; raise `Refused`.

    `threads` is how many a processor shall use; by default torch decides.
    """
    if threads is not None:
        if threads < 1:
            raise Refused(f"threads must be above zero, not {threads}")
        torch.set_num_threads(threads)
    name = name or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().split("\n")[0]
        raise Refused(f"the device {name} cannot be used: {reason}") from error


@contextmanager
def explain_short_memory() -> Iterator[None]:
    """Turn what is raised where the memory does not suffice into `Refused`."""
    try:
        yield
    except RuntimeError as error:
        # On a processor torch raises no error of its own for this.
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise Refused("the memory does not suffice: take a smaller model or batch") from error
