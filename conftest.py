"""The tests run on the servers that the site runs on."""

from __future__ import annotations

import pytest

from evalsite import embedded


def pytest_configure(config: pytest.Config) -> None:
    embedded.start()
