"""What the database refuses of checklists, ratings of turns and written answers, whoever writes them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from annotations.models import (
    AnswerChange,
    ChecklistAnswer,
    ChecklistItem,
    Criterion,
    Enrolment,
    Page,
    PageCandidate,
    TurnRating,
    WrittenAnswer,
)
from annotations.tests.cast import build_study


@pytest.fixture
def about(enrolment: Enrolment) -> dict[str, Any]:
    """Who answers about what: alice, about a text of her first page."""
    placement = enrolment.placements.filter(page__number=1).earliest("position")
    return {"enrolment": enrolment, "candidate": placement.candidate}


def first_page(enrolment: Enrolment) -> Page:
    return Page.objects.get(subtask__study=enrolment.study, number=1)


def item_of(enrolment: Enrolment, **fields: Any) -> ChecklistItem:
    return ChecklistItem.objects.create(
        **{"study": enrolment.study, "number": 1, "text": {"en": "It rhymes."}} | fields
    )


@pytest.mark.parametrize(
    ("fields", "guard"),
    [
        ({"weight": 0}, "checklist_item_weight_within_bounds"),
        ({"text": {}}, "checklist_item_text_given"),
        ({"number": 1}, "checklist_item_number_once"),
    ],
)
def test_an_item_has_a_text_a_weight_and_a_number_of_its_own(
    enrolment: Enrolment, fields: dict[str, Any], guard: str
) -> None:
    item_of(enrolment)
    with pytest.raises(IntegrityError, match=guard), transaction.atomic():
        item_of(enrolment, **{"number": 2} | fields)
    item_of(enrolment, page=first_page(enrolment))
    other = Page.objects.filter(subtask__study=build_study(slug="other", prompts=1)).get()
    with pytest.raises(IntegrityError, match="is not of study"), transaction.atomic():
        item_of(enrolment, page=other)


def test_an_item_is_answered_once_about_a_text_of_its_page_as_it_may_be(about: dict[str, Any]) -> None:
    enrolment = about["enrolment"]
    own = item_of(enrolment, page=first_page(enrolment), may_not_apply=False)
    elsewhere = item_of(enrolment, page=Page.objects.get(subtask__study=enrolment.study, number=2))
    foreign = ChecklistItem.objects.create(
        study=build_study(slug="other", prompts=1), number=1, text={"en": "It rhymes."}
    )
    ChecklistAnswer.objects.create(**about, item=own, answer=1)
    refused = [({"item": own}, 3), ({"item": elsewhere}, 1), ({"item": foreign}, 1)]
    for fields, answer in refused:
        with pytest.raises(IntegrityError, match="takes no answer"), transaction.atomic():
            ChecklistAnswer.objects.create(**about | fields, answer=answer)
    with pytest.raises(IntegrityError, match="checklist_answer_once"), transaction.atomic():
        ChecklistAnswer.objects.create(**about, item=own, answer=2)
    with pytest.raises(IntegrityError, match="checklist_answer_known"), transaction.atomic():
        ChecklistAnswer.objects.filter(item=own).update(answer=4)
    assert ChecklistAnswer.objects.get().answer == 1


def test_a_turn_is_rated_on_the_scale_of_a_criterion_that_rates_turns(about: dict[str, Any]) -> None:
    criterion = Criterion.objects.get(study=about["enrolment"].study, key="overall")
    with pytest.raises(IntegrityError, match="takes no score"), transaction.atomic():
        TurnRating.objects.create(**about, criterion=criterion, turn=1, score=3)
    Criterion.objects.filter(pk=criterion.pk).update(rates_turns=True)
    PageCandidate.objects.filter(candidate=about["candidate"]).update(turns=2)
    TurnRating.objects.create(**about, criterion=criterion, turn=2, score=3)
    for turn, score in ((3, 3), (1, 99), (1, 2.5)):
        with pytest.raises(IntegrityError, match="takes no score"), transaction.atomic():
            TurnRating.objects.create(**about, criterion=criterion, turn=turn, score=score)
    with pytest.raises(IntegrityError, match="turn_rating_once"), transaction.atomic():
        TurnRating.objects.create(**about, criterion=criterion, turn=2, score=4)


def test_what_is_written_is_about_a_text_of_the_page_and_no_version_comes_twice(
    about: dict[str, Any],
) -> None:
    enrolment = about["enrolment"]
    page = first_page(enrolment)
    said = {"enrolment": enrolment, "page": page, "kind": "reason", "text": "It scans.", "client_order": 1}
    WrittenAnswer.objects.create(**said)
    with pytest.raises(IntegrityError, match="written_answer_version_once"), transaction.atomic():
        WrittenAnswer.objects.create(**said)
    with pytest.raises(IntegrityError, match="written_answer_kind_known"), transaction.atomic():
        WrittenAnswer.objects.create(**said | {"kind": "correction", "client_order": 2})
    elsewhere = enrolment.placements.filter(page__number=2).earliest("position").candidate
    with pytest.raises(IntegrityError, match="has no candidate"), transaction.atomic():
        WrittenAnswer.objects.create(**said | {"candidate": elsewhere, "client_order": 2})
    assert WrittenAnswer.objects.count() == 1


def test_a_step_of_the_history_is_of_one_kind(about: dict[str, Any]) -> None:
    enrolment = about["enrolment"]
    item = item_of(enrolment)
    criterion = Criterion.objects.get(study=enrolment.study, key="overall")
    step = {**about, "page": first_page(enrolment), "client_order": 1}
    AnswerChange.objects.create(**step, item=item, score=1)
    AnswerChange.objects.create(**step, criterion=criterion, turn=1, score=1)
    for fields in (
        {"item": item},
        {"item": item, "criterion": criterion, "score": 1},
        {"item": item, "turn": 1, "score": 1},
        {"turn": 1},
    ):
        with pytest.raises(IntegrityError, match="change_is_one_answer"), transaction.atomic():
            AnswerChange.objects.create(**step, **fields)


def test_an_answer_to_an_item_marks_the_sums_of_its_page(about: dict[str, Any]) -> None:
    from annotations.models import PageSums

    enrolment = about["enrolment"]
    sums = PageSums.objects.filter(enrolment=enrolment, page=first_page(enrolment))
    sums.update(summed_at_change=F("changes"))
    item = item_of(enrolment)
    assert sums.get().changes - 1 == sums.get().summed_at_change
    sums.update(summed_at_change=F("changes"))
    ChecklistAnswer.objects.create(**about, item=item, answer=1)
    assert sums.get().changes - 1 == sums.get().summed_at_change
