"""What the database refuses of errors marked in texts, whoever writes them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from annotations.models import AnswerChange, ErrorCategory, ErrorSeverity, Marking, PageSums, Span, Study
from annotations.recruiting.enrolment import enrol
from annotations.tests.marking_cast import build_marked_study

TEXT = "Zwei fla\u0308chen 👩\u200d👧 שלום"


@pytest.fixture
def study(db: None) -> Study:
    return build_marked_study(TEXT)


@pytest.fixture
def of_text(study: Study, alice: User) -> dict[str, Any]:
    """Whose marks in which text."""
    enrolment = enrol(study, alice)
    text = enrolment.placements.get(candidate__text=TEXT).candidate
    Marking.objects.create(enrolment=enrolment, candidate=text)
    return {
        "enrolment": enrolment,
        "candidate": text,
        "category": study.error_categories.get(key="accuracy"),
        "severity": study.severities.get(key="minor"),
    }


def test_a_span_ends_with_its_text_by_code_points(of_text: dict[str, Any]) -> None:
    assert Span.objects.create(**of_text, number=0, start=0, end=len(TEXT)).pk
    with pytest.raises(IntegrityError, match=f"beyond the {len(TEXT)} characters"), transaction.atomic():
        Span.objects.create(**of_text, number=1, start=0, end=len(TEXT) + 1)


@pytest.mark.parametrize(
    ("span", "guard"),
    [
        ({"start": 3, "end": 2}, "span_starts_before_it_ends"),
        ({"start": 3}, "span_starts_before_it_ends"),
        ({"start": 3, "end": 3}, "empty, and"),
        ({}, "empty, and"),
        ({"start": -1, "end": 2}, "span_start"),
        ({"start": 0, "end": 2, "number": 100}, "span_number_within_bounds"),
    ],
)
def test_a_span_that_is_none_is_refused(of_text: dict[str, Any], span: dict[str, Any], guard: str) -> None:
    with pytest.raises(IntegrityError, match=guard), transaction.atomic():
        Span.objects.create(**{**of_text, "number": 0, **span})


def test_what_is_missing_has_a_place_or_none_and_never_a_stretch(of_text: dict[str, Any]) -> None:
    of_text["category"] = ErrorCategory.objects.get(key="omission")
    Span.objects.create(**of_text, number=0)
    Span.objects.create(**of_text, number=1, start=4, end=4)
    with pytest.raises(IntegrityError, match="is no place"), transaction.atomic():
        Span.objects.create(**of_text, number=2, start=4, end=5)


def test_category_and_severity_are_of_the_study(of_text: dict[str, Any]) -> None:
    other = build_marked_study(slug="other")
    for wrong in (
        {"category": ErrorCategory.objects.get(study=other, key="accuracy")},
        {"severity": ErrorSeverity.objects.get(study=other, key="minor")},
    ):
        with pytest.raises(IntegrityError, match="is not of the study"), transaction.atomic():
            Span.objects.create(**of_text | wrong, number=0, start=0, end=1)


def test_a_text_is_marked_once_and_only_by_whom_it_was_shown(of_text: dict[str, Any], bob: User) -> None:
    with pytest.raises(IntegrityError, match="marking_once"), transaction.atomic():
        Marking.objects.create(enrolment=of_text["enrolment"], candidate=of_text["candidate"])
    others = enrol(build_marked_study("Not hers", slug="other"), bob).placements.earliest("pk").candidate
    with pytest.raises(IntegrityError, match="marking_of_placed_candidate"), transaction.atomic():
        Marking.objects.create(enrolment=of_text["enrolment"], candidate=others)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_marking_makes_the_sums_of_its_page_stale(of_text: dict[str, Any]) -> None:
    sums = PageSums.objects.filter(enrolment=of_text["enrolment"], page__number=1)
    sums.update(summed_at_change=F("changes"))
    Marking.objects.update(is_done=True)
    assert sums.get().changes - 1 == sums.get().summed_at_change


def test_a_step_of_the_history_is_one_marking(of_text: dict[str, Any]) -> None:
    placement = of_text["enrolment"].placements.get(candidate=of_text["candidate"])
    step = {
        "enrolment": of_text["enrolment"],
        "candidate": of_text["candidate"],
        "page": placement.page,
        "client_order": 1,
        "marking": {"is_done": True, "marks": []},
    }
    AnswerChange.objects.create(**step)
    for wrong in ({"preference": 1}, {"score": 3}, {"candidate": None}):
        with pytest.raises(IntegrityError, match="change_is_one_answer"), transaction.atomic():
            AnswerChange.objects.create(**step | wrong)
