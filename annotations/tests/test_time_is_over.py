"""The time of an evaluator is over by one rule and by the database's clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from annotations.models import Enrolment, Study
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.joining import open_parts
from annotations.recruiting.people import evaluators
from annotations.setup.lifecycle import close_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def part(study: Study, alice: User) -> Enrolment:
    return enrol(study, alice)


def is_over(part: Enrolment) -> set[bool]:
    """Return what each way to ask says: a row read alone, one read with the answer, and the rows with time left."""
    alone = Enrolment.objects.get(pk=part.pk)
    together = Enrolment.objects.with_is_over().get(pk=part.pk)
    shown = evaluators(part.study).get(pk=part.pk)
    left = not Enrolment.objects.with_time_left().filter(pk=part.pk).exists()
    return {alone.is_over, together.is_over, shown.is_over, left, not open_parts(part.evaluator)}


def test_time_is_over_when_the_deadline_has_come(part: Enrolment) -> None:
    assert is_over(part) == {False}
    Enrolment.objects.update(deadline=Now() - timedelta(seconds=1))
    assert is_over(part) == {True}


def test_time_is_over_when_the_study_is_closed(part: Enrolment) -> None:
    close_study(part.study)
    assert is_over(part) == {True}


def test_the_clock_of_the_web_server_decides_nothing(
    part: Enrolment, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = timezone.now() + timedelta(days=365)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    assert is_over(part) == {False}


def test_what_is_read_with_the_row_asks_no_second_time(
    part: Enrolment, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        assert not Enrolment.objects.with_is_over().get().is_over
