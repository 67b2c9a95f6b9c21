"""Twelve pairs, two players with browsers of their own, and a user for whoever keeps a record."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from turing.models import PoemPair
from turing.tests.cast import build_pairs


@pytest.fixture
def pairs(db: None) -> list[PoemPair]:
    return build_pairs()


@pytest.fixture
def other_client() -> Client:
    """The browser of somebody else."""
    return Client()


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")
