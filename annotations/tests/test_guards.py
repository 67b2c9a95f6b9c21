"""What the database itself refuses, whatever the code above it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from annotations.models import (
    AnswerChange,
    Assignment,
    BestChoice,
    Criterion,
    Enrolment,
    PageCandidate,
    Placement,
    Rating,
    Study,
    Subtask,
)
from annotations.tests.cast import build_study, build_user, placements


@pytest.fixture
def overall(study: Study) -> Criterion:
    return study.criteria.get(key="overall")


@pytest.fixture
def first(study: Study, enrolment: Enrolment) -> Placement:
    return placements(study, enrolment.evaluator)[0]


def assert_refused(write: Callable[[], Any], match: str) -> None:
    """Deferred keys are checked at the end of the transaction, so they are called in before it."""
    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        write()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def rating(enrolment: Enrolment, placement: Placement, criterion: Criterion, **fields: Any) -> Rating:
    return Rating(
        enrolment=enrolment, candidate=placement.candidate, criterion=criterion, **{"score": 3} | fields
    )


@pytest.mark.parametrize("score", [0, 11, -1])
def test_a_score_off_its_scale_is_refused(
    enrolment: Enrolment, first: Placement, overall: Criterion, score: int
) -> None:
    assert_refused(rating(enrolment, first, overall, score=score).save, "does not fit the scale 1 to 10")


@pytest.mark.parametrize("score", [1, 10])
def test_both_ends_of_the_scale_are_kept(
    enrolment: Enrolment, first: Placement, overall: Criterion, score: int
) -> None:
    rating(enrolment, first, overall, score=score).save()
    assert Rating.objects.get().score == score


@pytest.mark.parametrize("source", [Enrolment.Source.QUESTIONNAIRE, Enrolment.Source.SIMULATED])
def test_only_an_imported_record_may_be_off_its_scale(
    enrolment: Enrolment, first: Placement, overall: Criterion, source: str
) -> None:
    Enrolment.objects.update(source=source)
    assert_refused(rating(enrolment, first, overall, score=0, off_scale=True).save, "only an imported record")


def test_an_imported_zero_needs_its_flag_and_nothing_else_may_bear_it(
    enrolment: Enrolment, first: Placement, overall: Criterion
) -> None:
    Enrolment.objects.update(source=Enrolment.Source.IMPORTED)
    assert_refused(rating(enrolment, first, overall, score=0).save, "does not fit")
    assert_refused(rating(enrolment, first, overall, score=5, off_scale=True).save, "does not fit")
    rating(enrolment, first, overall, score=0, off_scale=True).save()
    assert Rating.objects.get().off_scale


def test_a_candidate_the_evaluator_was_not_shown_cannot_be_rated(
    enrolment: Enrolment, overall: Criterion
) -> None:
    other = PageCandidate.objects.filter(page__subtask__study=build_study(slug="other")).first()
    assert other is not None
    assert_refused(
        Rating(enrolment=enrolment, candidate=other.candidate, criterion=overall, score=3).save,
        "rating_of_placed_candidate",
    )


def test_a_criterion_of_another_study_is_refused(enrolment: Enrolment, first: Placement) -> None:
    criterion = build_study(slug="other").criteria.get(key="overall")
    assert_refused(rating(enrolment, first, criterion).save, "is not of the study")


def test_a_pick_from_another_page_is_refused(study: Study, enrolment: Enrolment, first: Placement) -> None:
    elsewhere = placements(study, enrolment.evaluator, page=2)[0]
    assert_refused(
        BestChoice(enrolment=enrolment, page=first.page, candidate=elsewhere.candidate).save,
        "best_choice_of_its_page",
    )


def test_a_candidate_of_another_prompt_cannot_stand_on_a_page(study: Study) -> None:
    one, other = PageCandidate.objects.filter(study_method__number=0).order_by("page__number")
    one.candidate = other.candidate
    assert_refused(one.save, "is not of the prompt of page")


def test_a_candidate_cannot_stand_for_another_method(study: Study) -> None:
    shown = PageCandidate.objects.filter(study_method__number=0).first()
    assert shown is not None
    PageCandidate.objects.exclude(pk=shown.pk).delete()
    shown.study_method = study.study_methods.get(number=1)
    assert_refused(shown.save, "by that method of its study")


def test_one_candidate_of_another_prompt_among_many_is_refused(study: Study) -> None:
    """The rule is looked at once for all rows of a statement."""
    texts = list(PageCandidate.objects.filter(study_method__number=0).order_by("page__number"))
    texts[-1].candidate_id = texts[0].candidate_id

    assert_refused(
        lambda: PageCandidate.objects.bulk_update(texts, ["candidate"]),
        f"candidate {texts[0].candidate_id} is not of the prompt of page {texts[-1].page_id}",
    )


def test_a_placement_of_a_candidate_that_is_not_on_the_page_is_refused(
    study: Study, enrolment: Enrolment, first: Placement
) -> None:
    first.page = placements(study, enrolment.evaluator, page=2)[0].page
    first.position = 9
    assert_refused(first.save, "placement_stands_on_page")


def test_a_placement_needs_its_enrolment(enrolment: Enrolment, first: Placement) -> None:
    first.enrolment_id = enrolment.pk + 1
    assert_refused(first.save, "annotations_placemen_enrolment_id")


@pytest.mark.parametrize(
    ("model", "guard"),
    [
        (Placement, "rating_of_placed_candidate"),
        (Criterion, "annotations_rating_criterion_id"),
        (PageCandidate, "placement_stands_on_page"),
        (Enrolment, "annotations_placemen_enrolment_id"),
    ],
)
def test_what_answers_refer_to_does_not_go_without_them(
    enrolment: Enrolment, first: Placement, overall: Criterion, model: type[Model], guard: str
) -> None:
    rating(enrolment, first, overall).save()
    # Whose key is a foreign key proper.
    Assignment.objects.all().delete()
    rows = model._default_manager.all()
    assert_refused(lambda: rows._raw_delete(rows.db), guard)
    assert rows.exists()


def test_a_rated_placement_does_not_go_to_another_evaluator(
    study: Study, enrolment: Enrolment, first: Placement, overall: Criterion
) -> None:
    rating(enrolment, first, overall).save()
    bob = Enrolment.objects.create(
        study=study, evaluator=build_user("bob"), number=7, pseudonym="bob", deadline=enrolment.deadline
    )
    assert_refused(
        lambda: Placement.objects.filter(pk=first.pk).update(enrolment=bob), "rating_of_placed_candidate"
    )


def test_a_subtask_of_another_study_cannot_be_assigned(enrolment: Enrolment) -> None:
    subtask = build_study(slug="other").subtasks.get()
    assert_refused(Assignment(enrolment=enrolment, subtask=subtask).save, "is not of the study")


def test_one_subtask_of_another_study_among_many_is_refused(enrolment: Enrolment) -> None:
    own, other = (Subtask.objects.filter(study=one) for one in (enrolment.study, build_study(slug="other")))
    Assignment.objects.filter(enrolment=enrolment).delete()
    wrong = other[0]

    assert_refused(
        lambda: Assignment.objects.bulk_create(
            Assignment(enrolment=enrolment, subtask=subtask) for subtask in [*own, wrong]
        ),
        f"sub-task {wrong.pk} is not of the study of enrolment {enrolment.pk}",
    )


def test_a_rated_criterion_keeps_its_scale(
    enrolment: Enrolment, first: Placement, overall: Criterion
) -> None:
    rating(enrolment, first, overall).save()
    overall.maximum = 5
    assert_refused(overall.save, "its scale and study cannot change")


def test_an_unrated_criterion_may_change_its_scale(overall: Criterion) -> None:
    overall.maximum = 7
    overall.save()
    assert Criterion.objects.get(pk=overall.pk).maximum == 7


def test_the_history_of_answers_cannot_be_rewritten(enrolment: Enrolment, first: Placement) -> None:
    change = AnswerChange.objects.create(
        enrolment=enrolment, page=first.page, candidate=first.candidate, client_order=1
    )
    change.client_order = 2
    assert_refused(change.save, "history of answers cannot be changed")


@pytest.mark.parametrize(
    ("model", "field", "value", "name"),
    [
        (Criterion, "minimum", -2_000_000_000, "criterion_scale_within_bounds"),
        (Criterion, "maximum", 1, "criterion_minimum_below_maximum"),
        (Study, "inconsistency_threshold", "1.2", "study_threshold_is_a_share"),
        (Study, "state", "lost", "study_state_known"),
        (Study, "days_to_rate", 0, "study_days_positive"),
        (Enrolment, "source", "lost", "enrolment_source_known"),
    ],
)
def test_a_value_outside_its_range_is_refused(
    enrolment: Enrolment, model: type[Model], field: str, value: Any, name: str
) -> None:
    row = model._default_manager.first()
    assert row is not None
    setattr(row, field, value)
    assert_refused(row.save, name)


def test_a_study_can_be_deleted_with_all_its_answers(
    study: Study, enrolment: Enrolment, first: Placement, overall: Criterion
) -> None:
    rating(enrolment, first, overall).save()
    BestChoice.objects.create(enrolment=enrolment, page=first.page, candidate=first.candidate)
    study.delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not Rating.objects.exists()
    assert not PageCandidate.objects.exists()
