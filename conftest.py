"""The tests run on the servers that the site runs on."""

from __future__ import annotations

import os

# Two processes of tests on two cores: more threads would only wait for each other. Before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from evalsite import embedded


def pytest_configure(config: pytest.Config) -> None:
    embedded.start()
