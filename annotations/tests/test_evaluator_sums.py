"""What the database sums up says the same of every evaluator as the rule of the report."""

from __future__ import annotations

import random
from typing import Any

import pytest

from annotations.models import Assignment, BestChoice, Criterion, Enrolment, Placement, Rating, Study
from annotations.monitoring.evaluator_sums import Coverage, study_sums, sums_by_evaluator
from annotations.questionnaire.progress import progress_of
from annotations.recruiting.enrolment import enrol
from annotations.results.rating_table import rating_table, verdicts_on
from annotations.tests.cast import answer_everything, build_study, build_user


def answer_at_random(study: Study, evaluators: int, seed: int) -> None:
    """Let evaluators answer most of a study, some of them carelessly, some of a part of the sub-tasks only."""
    rng = random.Random(seed)
    Study.objects.filter(pk=study.pk).update(evaluators_per_subtask=evaluators, subtasks_per_evaluator=9)
    study.refresh_from_db()
    for number in range(evaluators):
        enrolment = enrol(study, build_user(f"evaluator-{seed}-{number}"))
        if number % 3 == 0:
            given_back = Assignment.objects.filter(enrolment=enrolment, subtask__number=1)
            Placement.objects.filter(enrolment=enrolment, page__subtask__number=1).delete()
            given_back.delete()
        answered = 0.9 if number % 4 == 2 else 1.0
        picked: set[int] = set()
        for placement in Placement.objects.filter(enrolment=enrolment):
            for criterion in Criterion.objects.filter(study=study):
                if rng.random() < answered:
                    Rating.objects.create(
                        enrolment=enrolment,
                        candidate_id=placement.candidate_id,
                        criterion=criterion,
                        score=rng.randint(1, 3 if number % 4 else 1),
                    )
            if placement.page_id not in picked and rng.random() < answered:
                picked.add(placement.page_id)
                BestChoice.objects.create(
                    enrolment=enrolment, page_id=placement.page_id, candidate_id=placement.candidate_id
                )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_sums_agree_with_the_verdicts_of_the_report(db: None, seed: int) -> None:
    study = build_study(prompts=7, methods=3, pages_per_subtask=3)
    answer_at_random(study, evaluators=8, seed=seed)
    found = {one.enrolment.pseudonym: one for one in sums_by_evaluator(study)}
    verdicts = verdicts_on(study, rating_table(study))
    assert {verdict.exclusion for verdict in verdicts} == {None, "unfinished", "inconsistent"}
    for verdict in verdicts:
        one = found[verdict.evaluator]
        assert one.pages_answered == verdict.pages_answered
        assert one.pages_inconsistent == verdict.pages_inconsistent
        assert one.exclusion == verdict.exclusion


def test_the_sums_agree_with_the_progress_that_evaluators_see(db: None) -> None:
    study = build_study(prompts=5, pages_per_subtask=2)
    answer_at_random(study, evaluators=5, seed=4)
    progress = progress_of(Enrolment.objects.filter(study=study))
    for one in sums_by_evaluator(study):
        assert (one.answered, one.asked) == (
            progress[one.enrolment.pk].answered,
            progress[one.enrolment.pk].total,
        )


def test_a_study_without_an_overall_criterion_has_no_inconsistent_page(enrolment: Enrolment) -> None:
    answer_everything(enrolment, best_method=0)
    assert sums_by_evaluator(enrolment.study)[0].exclusion == "inconsistent"
    Criterion.objects.update(is_overall=False)
    (one,) = sums_by_evaluator(enrolment.study)
    assert (one.exclusion, one.pages_judged, one.inconsistent_share) == (None, 0, None)


def test_whoever_was_given_no_page_has_not_finished(enrolment: Enrolment) -> None:
    Placement.objects.all().delete()
    (one,) = sums_by_evaluator(enrolment.study)
    assert one.exclusion == "unfinished"
    assert not one.is_started


def test_coverage_counts_the_prompts_with_so_many_complete_ratings(
    study: Study, enrolment: Enrolment
) -> None:
    answer_everything(enrolment)
    bob = enrol(study, build_user("bob"))
    answer_everything(bob)
    BestChoice.objects.filter(enrolment=bob, page__number=2).delete()
    subtask = study.subtasks.get().pk
    assert set(study_sums(study).coverage) == {Coverage(subtask, 2, 1), Coverage(subtask, 1, 1)}


def test_another_study_is_not_counted(study: Study, enrolment: Enrolment) -> None:
    other = build_study(slug="other")
    answer_everything(enrol(other, enrolment.evaluator))
    (one,) = sums_by_evaluator(study)
    assert (one.enrolment, one.answered) == (enrolment, 0)


def test_the_sums_take_two_queries(
    study: Study, enrolment: Enrolment, django_assert_num_queries: Any
) -> None:
    enrol(study, build_user("bob"))
    with django_assert_num_queries(2):
        assert [one.enrolment.evaluator.username for one in sums_by_evaluator(study)] == ["alice", "bob"]
