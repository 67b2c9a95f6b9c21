"""An evaluator is told how much work is left, from their own pace and not before there is one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from annotations.models import BestChoice, Criterion, Enrolment, PageCandidate, Rating
from annotations.questionnaire.time_left import page_seconds
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user, shown


@pytest.fixture
def enrolment(db: None) -> Enrolment:
    return enrol(build_study(prompts=10), build_user("alice"))


def answer(enrolment: Enrolment, page: int, at: datetime) -> None:
    """Answer a whole page at one time."""
    of_page = PageCandidate.objects.filter(page__subtask__study=enrolment.study, page__number=page)
    for one in of_page:
        for criterion in Criterion.objects.filter(study=enrolment.study):
            Rating.objects.create(
                enrolment=enrolment, candidate_id=one.candidate_id, criterion=criterion, score=1
            )
    ratings = Rating.objects.filter(candidate__pagecandidate__in=of_page)
    ratings.update(saved_at=at)
    BestChoice.objects.create(enrolment=enrolment, page_id=one.page_id, candidate_id=one.candidate_id)


def study_page(enrolment: Enrolment, language: str = "en") -> str:
    client = Client()
    client.force_login(enrolment.evaluator)
    return shown(client, "/studies/poems/", language)


def test_the_work_that_is_left_is_told_by_the_pace_of_the_pages_done(enrolment: Enrolment) -> None:
    begun = timezone.now() - timedelta(hours=5)
    for page in range(1, 5):
        # Two minutes a page, and a night's sleep before the fourth.
        answer(enrolment, page, begun + timedelta(minutes=2 * page))
    assert "about 15 minutes of work, at your pace so far" in study_page(enrolment)
    assert "按您目前的速度，还要约 15 分钟" in study_page(enrolment, "zh-hans")


def test_nothing_is_told_after_three_pages_or_of_breaks(enrolment: Enrolment) -> None:
    begun = timezone.now() - timedelta(hours=5)
    for page in range(1, 4):
        answer(enrolment, page, begun + timedelta(minutes=2 * page))
    assert "at your pace" not in study_page(enrolment)
    answer(enrolment, 4, begun + timedelta(hours=4))
    assert "at your pace" not in study_page(enrolment)


def test_nothing_is_told_when_the_time_is_over(enrolment: Enrolment) -> None:
    begun = timezone.now() - timedelta(hours=5)
    for page in range(1, 5):
        answer(enrolment, page, begun + timedelta(minutes=2 * page))
    Enrolment.objects.update(deadline=F("deadline") - timedelta(days=100))
    assert "at your pace" not in study_page(enrolment)


def test_a_break_is_no_page() -> None:
    start = datetime(2026, 1, 1)
    ends = [start + timedelta(minutes=minutes) for minutes in (0, 3, 63, 65)]
    assert page_seconds(ends) == [180, 120]
