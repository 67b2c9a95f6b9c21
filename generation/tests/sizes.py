"""How much the long tests do. `LONG_TESTS=1` has them do all of it, as CI does; `make test` makes do with less."""

from __future__ import annotations

import os

import pytest

LONG = os.environ.get("LONG_TESTS") == "1"
# A test that takes long at any size, of what other tests would show but for the last step.
only_long = pytest.mark.skipif(not LONG, reason="takes long: LONG_TESTS=1 runs it, as CI does")


def how_many(*, long: int, short: int) -> int:
    """Return how often something is done, or with how many: `short` must still find what the test looks for."""
    return long if LONG else short
