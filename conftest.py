"""The tests run on the servers that the site runs on."""

from __future__ import annotations

import os
from collections.abc import Iterator

# Two processes of tests on two cores: more threads would only wait for each other. Before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from django.conf import settings
from django.utils import translation

from evalsite import embedded


def pytest_configure(config: pytest.Config) -> None:
    embedded.start()


@pytest.fixture(autouse=True)
def language_of_the_site() -> Iterator[None]:
    """Begin every test in English: the language of a request stays with the thread that served it."""
    with translation.override(settings.LANGUAGE_CODE):
        yield
