"""The cast: alice and bob rate, carol is staff; one study of two pages, in which alice is enrolled."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import Enrolment, Study
from annotations.recruiting import enrol
from annotations.testing import build_study, build_user


@pytest.fixture
def alice(db: None) -> User:
    return build_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    return build_user("bob")


@pytest.fixture
def carol(db: None) -> User:
    return build_user("carol", is_staff=True)


@pytest.fixture
def as_alice(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def study(db: None) -> Study:
    return build_study()


@pytest.fixture
def enrolment(study: Study, alice: User) -> Enrolment:
    """Alice's enrolment in the study."""
    return enrol(study, alice)
