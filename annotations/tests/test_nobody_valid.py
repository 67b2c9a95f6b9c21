"""Of a closed study no page speaks as if numbers could still come."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import Enrolment, Study
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import shown

RESULTS = "/studies/poems/results/"
PAYMENTS = "/manage/studies/poems/payments/"


@pytest.fixture
def as_staff(client: Client, carol: User) -> Client:
    client.force_login(carol)
    return client


def test_results_of_a_closed_study_say_that_there_will_be_none(
    as_staff: Client, enrolment: Enrolment
) -> None:
    close_study(enrolment.study)
    page = shown(as_staff, RESULTS)
    assert "The study is closed and no evaluator is valid, so there is nothing to report." in page
    assert "yet" not in page
    assert "没有一位评阅人有效" in shown(as_staff, RESULTS, "zh-hans")


def test_results_of_a_study_that_goes_on_say_when_there_will_be_some(as_staff: Client, study: Study) -> None:
    assert "Numbers appear here when the first one has finished." in shown(as_staff, RESULTS)


def test_payments_of_a_closed_study_say_that_nothing_is_due(as_staff: Client, enrolment: Enrolment) -> None:
    assert "Nothing is due yet. Below it says for each evaluator why." in shown(as_staff, PAYMENTS)
    close_study(enrolment.study)
    page = shown(as_staff, PAYMENTS)
    assert "Nothing is due. Below it says for each evaluator why." in page
    assert "yet" not in page
    assert "answers may still change" not in page


def test_payments_of_a_closed_study_without_evaluators_promise_no_list(
    as_staff: Client, study: Study
) -> None:
    close_study(study)
    page = shown(as_staff, PAYMENTS)
    assert "Nothing is due." in page
    assert "Below it says" not in page
