"""Answers that arrive while a study is closed or their evaluator withdraws: stored before, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from annotations.models import AnswerChange, Enrolment, Rating, Study
from annotations.questionnaire.saving import (
    Answer,
    AnswerRefused,
    Closed,
    PageAddress,
    UnknownPlace,
    save_answer,
)
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.withdrawal import withdraw
from annotations.results.report import study_report
from annotations.results.report_formats import report_json
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_study, build_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def enrolment() -> Enrolment:
    return enrol(build_study(), build_user("dora"))


def save_first(enrolment: Enrolment, *, order: int = 1, score: int = 3) -> None:
    """Save the first answer on the first page."""
    place = enrolment.placements.order_by("page", "position")[0]
    answer = Answer(place.token, order, "overall", score)
    save_answer(enrolment.evaluator, PageAddress("poems", 1, 1), answer)


class Beside:
    """Something done on a connection of its own."""

    def __init__(self, action: Callable[[], Any]) -> None:
        self.result: Any = None
        self.action = action
        self.thread = Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        try:
            self.result = self.action()
        except Exception as error:
            self.result = error
        finally:
            connection.close()

    def waits(self) -> bool:
        self.thread.join(timeout=1)
        return self.thread.is_alive()

    def end(self) -> Any:
        self.thread.join(timeout=60)
        assert not self.thread.is_alive()
        return self.result


@contextmanager
def uncommitted(action: Callable[[], Any]) -> Iterator[None]:
    """Do something and commit it only at the end of the block."""
    with transaction.atomic():
        action()
        yield


def test_closing_waits_for_an_answer_that_is_being_saved(enrolment: Enrolment) -> None:
    with uncommitted(lambda: save_first(enrolment)):
        closing = Beside(lambda: close_study(enrolment.study))
        assert closing.waits()
    assert closing.end() is True
    study = Study.objects.get()
    assert study.closed_at is not None
    assert Rating.objects.get().saved_at < study.closed_at


def test_an_answer_that_arrives_while_the_study_is_being_closed_is_refused(enrolment: Enrolment) -> None:
    with uncommitted(lambda: close_study(enrolment.study)):
        saving = Beside(lambda: save_first(enrolment))
        assert saving.waits()
    assert isinstance(saving.end(), Closed)
    assert not Rating.objects.exists()


def test_an_answer_that_arrives_while_its_evaluator_withdraws_is_refused(enrolment: Enrolment) -> None:
    place = enrolment.placements.order_by("page", "position")[0]
    evaluator, address = enrolment.evaluator, PageAddress("poems", 1, 1)
    with uncommitted(lambda: withdraw(enrolment, by_evaluator=True)):
        saving = Beside(lambda: save_answer(evaluator, address, Answer(place.token, 1, "overall", 3)))
        assert saving.waits()
    assert isinstance(saving.end(), UnknownPlace)
    assert not Rating.objects.exists()


def test_no_answer_is_stored_after_closing_and_the_report_is_that_of_later(enrolment: Enrolment) -> None:
    Study.objects.update(inconsistency_threshold=1)
    study = Study.objects.get()
    everybody = [enrolment, *(enrol(study, build_user(f"evaluator-{number}")) for number in range(3))]
    refused: list[AnswerRefused] = []

    def keep_answering(one: Enrolment, is_far: Event) -> None:
        places = list(one.placements.select_related("page").order_by("page", "position"))
        for order in range(1, 2_000):
            place = places[order % len(places)]
            address = PageAddress("poems", 1, place.page.number)
            score = 1 + (order * 7 + one.number) % 5
            try:
                for criterion in ("format", "overall"):
                    save_answer(one.evaluator, address, Answer(place.token, order, criterion, score))
                if score == 5:
                    save_answer(one.evaluator, address, Answer(place.token, order))
            except AnswerRefused as error:
                refused.append(error)
                return
            if order == 5 * len(places):
                is_far.set()

    far = [Event() for _ in everybody]
    answering = [
        Beside(partial(keep_answering, one, event)) for one, event in zip(everybody, far, strict=True)
    ]
    assert all(event.wait(timeout=120) for event in far)
    assert close_study(study)
    at_closing = report_json(study_report(study))
    for one in answering:
        assert one.end() is None
    assert [type(error) for error in refused] == [Closed] * 4
    closed_at = Study.objects.get().closed_at
    assert closed_at is not None
    assert not AnswerChange.objects.filter(changed_at__gte=closed_at).exists()
    assert json.loads(at_closing)["participants"]["valid"] == 4
    assert report_json(study_report(study)) == at_closing
