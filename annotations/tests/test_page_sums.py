"""The sums that are kept of every page say what a count of its answers says, whatever has changed them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotations.models import Enrolment, Judgement, Page, PageSums, Placement, Rating, Study
from annotations.monitoring.dashboard import dashboard
from annotations.monitoring.evaluator_sums import StudySums, study_sums
from annotations.questionnaire.saving import Answer, PageAddress, save_answer
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.sharing_out import give_back
from annotations.recruiting.withdrawal import withdraw
from annotations.tests.cast import answer_everything, build_study, build_user

Act = Callable[[Study], object]


def counted(study: Study) -> StudySums:
    """Return the sums when nothing is kept of any page."""
    PageSums.objects.update(summed_at_change=None)
    return study_sums(study)


def everybody(study: Study) -> list[Enrolment]:
    return list(study.enrolments.order_by("number"))


def answer(study: Study, order: int, criterion: str | None, score: int | None, *, place: int = 0) -> None:
    """Let the first evaluator answer on their first page."""
    enrolment = everybody(study)[0]
    token = enrolment.placements.order_by("page", "position")[place].token
    answer = Answer(token, order, criterion, score, 12.5)
    save_answer(enrolment.evaluator, PageAddress(study.slug, 1, 1), answer)


def fill_page(study: Study) -> None:
    for place in range(4):
        for key in ("format", "overall"):
            answer(study, 20 + place, key, place + 1, place=place)


def import_ratings(study: Study) -> None:
    enrolment = enrol(study, build_user("from elsewhere"))
    criterion = study.criteria.get(key="format")
    Rating.objects.bulk_create(
        Rating(enrolment=enrolment, candidate_id=one.candidate_id, criterion=criterion, score=2)
        for one in enrolment.placements.all()
    )


def take_back(study: Study) -> None:
    long_ago = timezone.now() - timedelta(days=30)
    Study.objects.update(evaluators_per_subtask=2, subtasks_per_evaluator=2, hours_to_give_back=1)
    late = everybody(study)[1]
    late.assignments.update(created_at=long_ago)
    assert give_back(study) > 0


ACTS: dict[str, Act] = {
    "a first answer": lambda study: answer(study, 1, "overall", 4),
    "a pick": lambda study: answer(study, 1, None, None),
    "a full page, with a better text than the pick": fill_page,
    "a correction: the pick is the best": lambda study: answer(study, 99, "overall", 10),
    "another pick, which is not the best": lambda study: answer(study, 99, None, None, place=1),
    "an import": import_ratings,
    "another overall criterion": lambda study: study.criteria.filter(key="overall").update(is_overall=False),
    "no picks any more": lambda study: Study.objects.update(has_best_picks=False),
    "one answer that is gone": lambda study: Rating.objects.filter(enrolment__study=study)[0].delete(),
    "sub-tasks taken back": take_back,
    "a withdrawal": lambda study: withdraw(everybody(study)[0], by_evaluator=True),
}


def test_kept_sums_are_those_of_a_count_after_every_act(db: None) -> None:
    study = build_study(prompts=4, pages_per_subtask=2)
    for name in ("ann", "ben"):
        enrol(study, build_user(name))
    elsewhere = build_study(slug="elsewhere", prompts=1)
    answer_everything(enrol(elsewhere, build_user("cid")))
    before = counted(study)
    for act in ACTS.values():
        act(study)
        study.refresh_from_db()
        kept = study_sums(study)
        assert kept != before
        assert kept == counted(study)
        before = study_sums(study)
        assert before == kept
    assert [one.pages for one in before.evaluators] == [0, 0, 4]


def test_what_has_not_changed_is_not_summed_up_again(study: Study, enrolment: Enrolment) -> None:
    answer_everything(enrolment)
    before = study_sums(study)
    # What nobody does: it shows whence the sums come.
    PageSums.objects.filter(page__number=1).update(answered=0)
    after = study_sums(study)
    assert (before.evaluators[0].answered, after.evaluators[0].answered) == (18, 9)
    assert not PageSums.objects.filter(summed_at_change=None).exists()


def test_pages_without_texts_have_no_sums(study: Study, enrolment: Enrolment) -> None:
    assert PageSums.objects.count() == 2
    Placement.objects.filter(page__number=2).delete()
    assert PageSums.objects.get().page.number == 1
    enrolment.delete()
    assert not PageSums.objects.exists()


def test_the_dashboard_takes_seven_queries_kept_or_not(
    study: Study, enrolment: Enrolment, django_assert_num_queries: Any
) -> None:
    answer_everything(enrolment)
    for _ in range(2):
        with django_assert_num_queries(7):
            assert dashboard(study).evaluators[0].sums.answered == 18


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_is_being_saved_while_the_sums_are_taken_is_counted_the_next_time() -> None:
    study = build_study()
    enrol(study, build_user("dora"))
    answer(study, 1, "format", 3)
    found: list[StudySums] = []

    def look() -> None:
        found.append(study_sums(study))
        connection.close()

    with transaction.atomic():
        answer(study, 1, "overall", 3)
        # Nobody waits for the answer, and the answer for nobody.
        looking = Thread(target=look)
        looking.start()
        looking.join(timeout=60)
        assert [one.evaluators[0].answered for one in found] == [1]
    assert study_sums(study).evaluators[0].answered == 2
    assert study_sums(study) == counted(study)


def test_a_judgement_counts_when_it_is_made_changed_or_gone(enrolment: Enrolment) -> None:
    study = enrolment.study
    Study.objects.filter(pk=study.pk).update(protocol="ranking", has_best_picks=False)
    study.refresh_from_db()
    answered = [study_sums(study).evaluators[0].answered]
    judgement = Judgement.objects.create(
        enrolment=enrolment,
        page=Page.objects.filter(subtask__study=study).earliest("number"),
        criterion=study.criteria.get(key="overall"),
        places=[0],
    )
    for change in (
        lambda: None,
        lambda: Judgement.objects.update(places=[3, 1, 0, 2]),
        judgement.delete,
    ):
        change()
        answered.append(study_sums(study).evaluators[0].answered)
        assert study_sums(study) == counted(study)
    # An order of one of four texts is no answer yet.
    assert answered == [0, 0, 1, 0]
