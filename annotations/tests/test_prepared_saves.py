"""A save is planned once a connection; what it promises does not depend on that."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from annotations.models import Rating, Study
from annotations.questionnaire.saving import Answer, PageAddress, UnknownPlace, save_answer
from annotations.tests.cast import placements

PAGE = PageAddress("poems", 1, 1)


@pytest.fixture
def token(study: Study, enrolment: Any, alice: User) -> str:
    return placements(study, alice)[0].token


def statements(evaluator: User, *answers: Answer) -> list[str]:
    """Return the first words of what is sent to the database while answers are saved."""
    with CaptureQueriesContext(connection) as sent:
        for answer in answers:
            save_answer(evaluator, PAGE, answer)
    return [query["sql"].split()[0] for query in sent]


def prepared() -> set[str]:
    """Return the names of what this connection has prepared for saves."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE name LIKE 'save_%'")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db(transaction=True)
def test_a_save_is_prepared_once_a_connection(alice: User, token: str) -> None:
    connection.close()
    rating, pick = Answer(token, 1, "format", 3), Answer(token, 1)
    assert statements(alice, rating, pick) == ["EXECUTE"] * 2
    assert prepared() == {"save_rating", "save_best_choice"}
    assert statements(alice, Answer(token, 2, "format", 4), Answer(token, 3, "overall", 4)) == ["EXECUTE"] * 2
    connection.close()
    assert statements(alice, Answer(token, 4, "format", 5)) == ["EXECUTE"]
    assert prepared() == {"save_rating"}
    assert Rating.objects.get(criterion__key="format").score == 5


@pytest.mark.django_db(transaction=True)
def test_a_save_that_was_prepared_in_a_transaction_that_failed_is_still_known(
    alice: User, token: str
) -> None:
    connection.close()
    with pytest.raises(UnknownPlace), transaction.atomic():
        save_answer(alice, PAGE, Answer("nowhere", 1, "format", 3))
    assert statements(alice, Answer(token, 1, "format", 3)) == ["EXECUTE"]


def test_behind_a_pooler_nothing_is_prepared(alice: User, token: str, settings: Any) -> None:
    settings.TRANSACTION_POOLER = True
    assert statements(alice, Answer(token, 1, "format", 3), Answer(token, 1)) == ["WITH", "WITH"]
    assert Rating.objects.get().score == 3


@pytest.mark.parametrize("subtask, page", [(1, 10**30), (10**30, 1)])
def test_a_number_beyond_all_pages_is_an_unknown_place(
    alice: User, token: str, subtask: int, page: int
) -> None:
    with pytest.raises(UnknownPlace):
        save_answer(alice, PageAddress("poems", subtask, page), Answer(token, 1, "format", 3))
    assert not Rating.objects.exists()
