"""The cast: alice and bob rate, carol is staff; one study of two pages, in which alice is enrolled."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from annotations.models import Enrolment, Study
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user


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


@pytest.fixture
def reference() -> Path:
    """The paper's figures and the authors' records, which lie beside the project and are not part of it."""
    directory = Path(__file__).resolve().parents[2] / "shared" / "reference"
    if not (directory / "published_records").is_dir():
        pytest.skip("the authors' published records are not beside the project (../shared)")
    return directory


@pytest.fixture
def poem_study(db: None, reference: Path) -> Study:
    """The authors' poem records, imported."""
    records = reference / "published_records"
    files = [str(records / "poem-records.jsonl"), str(records / "user-records.jsonl")]
    call_command("import_records", *files, slug="published-poems")
    return Study.objects.get(slug="published-poems")
