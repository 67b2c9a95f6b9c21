"""What the database refuses of judgements, whoever writes them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from annotations.models import AnswerChange, Criterion, Enrolment, Judgement, Page
from annotations.tests.cast import build_study


@pytest.fixture
def on_page(enrolment: Enrolment) -> dict[str, Any]:
    """Who judges what: alice, on the first page of a study with four texts a page."""
    page = Page.objects.filter(subtask__study=enrolment.study).earliest("number")
    criterion = Criterion.objects.get(study=enrolment.study, key="overall")
    return {"enrolment": enrolment, "page": page, "criterion": criterion}


@pytest.mark.parametrize(
    ("answer", "guard"),
    [
        ({}, "judgement_is_one_answer"),
        ({"preference": 3}, "judgement_is_one_answer"),
        ({"preference": 1, "places": [0]}, "judgement_is_one_answer"),
        ({"places": [0], "both_bad": True}, "judgement_is_one_answer"),
        ({"preference": 1, "both_bad": True}, "judgement_both_bad_prefers_none"),
        ({"preference": 1}, "a preference is between two texts"),
        ({"places": [0, 0]}, "names each text of page"),
        ({"places": [4]}, "names each text of page"),
    ],
)
def test_the_database_refuses_what_is_no_answer_to_the_page(
    on_page: dict[str, Any], answer: dict[str, Any], guard: str
) -> None:
    if guard.startswith("judgement_") and "preference" in answer:
        # Of the two texts that are left.
        on_page["enrolment"].placements.filter(position__gte=2).delete()
    with pytest.raises(IntegrityError, match=guard), transaction.atomic():
        Judgement.objects.create(**on_page, **answer)
    assert not Judgement.objects.exists()


def test_a_page_is_judged_once_on_a_criterion(on_page: dict[str, Any]) -> None:
    Judgement.objects.create(**on_page, places=[0])
    with pytest.raises(IntegrityError, match="judgement_once"), transaction.atomic():
        Judgement.objects.create(**on_page, places=[1])


def test_a_judgement_is_by_a_criterion_of_the_study_and_on_a_page_of_the_evaluator(
    on_page: dict[str, Any],
) -> None:
    other = build_study(slug="other", prompts=1)
    with pytest.raises(IntegrityError, match="is not of the study"), transaction.atomic():
        Judgement.objects.create(**on_page | {"criterion": other.criteria.get(key="overall")}, places=[0])
    with pytest.raises(IntegrityError, match="is none of enrolment"), transaction.atomic():
        Judgement.objects.create(**on_page | {"page": Page.objects.get(subtask__study=other)}, places=[0])


def test_a_step_of_the_history_is_one_answer(on_page: dict[str, Any]) -> None:
    step = {**on_page, "client_order": 1}
    AnswerChange.objects.create(**step, places=[0])
    for wrong in ({}, {"preference": 0, "score": 1}, {"preference": 0, "places": [0]}):
        with pytest.raises(IntegrityError, match="change_is_one_answer"), transaction.atomic():
            AnswerChange.objects.create(**step, **wrong)
