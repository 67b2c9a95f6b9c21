"""Memory that runs out, told in a line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from generation.refusals import Refused


@contextmanager
def no_memory_refused(name: str, device: str | torch.device) -> Iterator[None]:
    """Raise `Refused` where the block runs out of memory."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise Refused(f"{name} does not fit into the memory of {device}") from error
    except (RuntimeError, OSError) as error:
        # On a processor torch has no error of its own for this; nor has the mapping of a file.
        if "allocate memory" not in str(error):
            raise
        raise Refused(f"{name} does not fit into the memory of {device}") from error
