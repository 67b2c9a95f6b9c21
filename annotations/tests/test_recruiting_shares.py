"""Studies whose sub-tasks are each for a number of evaluators, and what is given back."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from annotations.models import (
    AnswerChange,
    Assignment,
    Enrolment,
    PageCandidate,
    Placement,
    Rating,
    StaffAct,
    Study,
    StudyRole,
)
from annotations.questionnaire.saving import Answer, PageAddress, UnknownPlace, save_answer
from annotations.recruiting.enrolment import enrol, extend_deadline
from annotations.recruiting.sharing_out import EnrolmentRefused, give_back, holders
from annotations.results.rating_table import rating_table, verdicts_on
from annotations.results.report import study_report
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_study, build_user, placements, shown


def share_out(study: Study, *, evaluators: int, subtasks: int) -> Study:
    study.evaluators_per_subtask, study.subtasks_per_evaluator = evaluators, subtasks
    study.save()
    return study


@pytest.fixture
def shared(db: None) -> Study:
    """Six sub-tasks of two pages, two evaluators each, three to an evaluator: four evaluators in all."""
    return share_out(build_study(prompts=12, pages_per_subtask=2), evaluators=2, subtasks=3)


def numbers(enrolment: Enrolment) -> list[int]:
    return list(enrolment.assignments.order_by("subtask__number").values_list("subtask__number", flat=True))


def make_old(hours: float) -> None:
    """Let everything have been assigned and answered so many hours earlier."""
    Assignment.objects.update(created_at=timezone.now() - timedelta(hours=hours))


def answer_first(enrolment: Enrolment, subtask: int) -> None:
    """Give one answer to the first page of a sub-task, as a browser would."""
    place = placements(enrolment.study, enrolment.evaluator, subtask=subtask)[0]
    address = PageAddress(enrolment.study.slug, subtask, 1)
    save_answer(enrolment.evaluator, address, Answer(place.token, 1, "format", 3))


def answer_assigned(enrolment: Enrolment) -> None:
    """Answer every page of an evaluator consistently, as a browser would."""
    for page in (
        PageCandidate.objects.filter(page__subtask__assignment__enrolment=enrolment)
        .values_list("page__subtask__number", "page__number", flat=False)
        .distinct()
    ):
        address = PageAddress(enrolment.study.slug, *page)
        for place in placements(enrolment.study, enrolment.evaluator, subtask=page[0], page=page[1]):
            for criterion in ("format", "overall"):
                save_answer(enrolment.evaluator, address, Answer(place.token, 1, criterion, 3))
        save_answer(enrolment.evaluator, address, Answer(place.token, 1))


def test_each_evaluator_gets_the_subtasks_that_the_fewest_have(shared: Study) -> None:
    given = [numbers(enrol(shared, build_user(f"evaluator-{number}"))) for number in range(4)]
    assert given == [[1, 2, 3], [4, 5, 6], [1, 2, 3], [4, 5, 6]]
    assert set(holders(shared).values()) == {2}


def test_only_the_pages_of_ones_own_subtasks_are_placed(shared: Study, alice: User, client: Client) -> None:
    enrolment = enrol(shared, alice)
    assert set(enrolment.placements.values_list("page__subtask__number", flat=True)) == {1, 2, 3}
    client.force_login(alice)
    assert client.get("/studies/poems/subtasks/3/pages/2/").status_code == 200
    assert client.get("/studies/poems/subtasks/4/pages/1/").status_code == 404
    assert "0 of 54 answered" in shown(client, "/studies/poems/")


def test_a_study_takes_no_more_evaluators_than_its_subtasks_are_for(shared: Study, alice: User) -> None:
    for number in range(4):
        enrol(shared, build_user(f"evaluator-{number}"))
    with pytest.raises(EnrolmentRefused, match="all the evaluators that it needs"):
        enrol(shared, alice)
    assert shared.enrolments.count() == 4


def test_the_last_evaluator_gets_what_is_left(db: None) -> None:
    study = share_out(build_study(prompts=3, pages_per_subtask=1), evaluators=1, subtasks=2)
    assert numbers(enrol(study, build_user("one"))) == [1, 2]
    assert numbers(enrol(study, build_user("two"))) == [3]


def test_simulated_evaluators_take_nobodys_place_and_rate_everything(shared: Study, alice: User) -> None:
    call_command("simulate_ratings", "poems", evaluators=3, verbosity=0)
    assert set(holders(shared).values()) == {0}
    assert numbers(enrol(shared, alice)) == [1, 2, 3]


def test_orders_are_balanced_over_the_evaluators_of_each_page(db: None) -> None:
    study = share_out(build_study(prompts=8, pages_per_subtask=2), evaluators=4, subtasks=2)
    for number in range(8):
        enrol(study, build_user(f"evaluator-{number}"))
    method_of = dict(PageCandidate.objects.values_list("candidate_id", "study_method__number"))
    placed = Counter(
        (page, method_of[candidate], position)
        for page, candidate, position in Placement.objects.values_list("page_id", "candidate_id", "position")
    )
    assert set(placed.values()) == {1}
    assert len(placed) == 8 * 4 * 4


def test_whoever_answered_what_they_were_given_has_finished(shared: Study, alice: User, bob: User) -> None:
    for user in (alice, bob):
        answer_assigned(enrol(shared, user))
    enrol(shared, build_user("late"))
    verdicts = verdicts_on(shared, rating_table(shared))
    assert [(one.pages, one.pages_answered, one.exclusion) for one in verdicts] == [
        (6, 6, None),
        (6, 6, None),
        (6, 0, "unfinished"),
    ]


def test_the_report_of_a_shared_study_is_made_of_what_there_is(shared: Study) -> None:
    for number in range(4):
        answer_assigned(enrol(shared, build_user(f"evaluator-{number}")))
    close_study(shared)
    report = study_report(shared)
    assert (report.participants.valid, report.scores_collected) == (4, 4 * 6 * 4)
    assert report.published.means["method-0"] == {"format": 3.0, "overall": 3.0}
    assert report.analysis is not None


# Giving back


def test_an_untouched_subtask_is_given_back_after_its_hours_and_goes_to_the_next(
    shared: Study, alice: User, bob: User
) -> None:
    of_alice = enrol(shared, alice)
    make_old(47.9)
    assert give_back(shared) == 0
    make_old(48.1)
    assert give_back(shared) == 3
    assert numbers(of_alice) == []
    assert not of_alice.placements.exists()
    assert give_back(shared) == 0
    assert numbers(enrol(shared, bob)) == [1, 2, 3]


def test_what_was_given_back_is_logged(shared: Study, alice: User) -> None:
    enrol(shared, alice)
    make_old(49)
    give_back(shared)
    act = StaffAct.objects.get(act="people.given_back")
    assert (act.actor, act.details["subtasks"][0]) == (None, {"evaluator": "E001", "subtask": 1})


def test_a_subtask_with_an_answer_is_kept(shared: Study, alice: User) -> None:
    of_alice = enrol(shared, alice)
    answer_first(of_alice, 2)
    make_old(49)
    AnswerChange.objects.all().delete()
    assert give_back(shared) == 2
    assert numbers(of_alice) == [2]
    assert Rating.objects.count() == 1


def test_whoever_is_at_work_keeps_what_they_have_not_come_to(shared: Study, alice: User) -> None:
    of_alice = enrol(shared, alice)
    make_old(49)
    answer_first(of_alice, 1)
    assert give_back(shared) == 0


def test_nothing_is_given_back_in_a_study_that_everybody_rates_or_that_is_not_open(
    shared: Study, alice: User
) -> None:
    enrol(shared, alice)
    make_old(49)
    Study.objects.update(state="paused")
    assert give_back(shared) == 0
    Study.objects.update(state="open", evaluators_per_subtask=None, subtasks_per_evaluator=None)
    assert give_back(shared) == 0


def test_enrolling_takes_back_what_was_abandoned(db: None, alice: User, bob: User) -> None:
    study = share_out(build_study(), evaluators=1, subtasks=1)
    enrol(study, alice)
    with pytest.raises(EnrolmentRefused):
        enrol(study, bob)
    make_old(49)
    assert numbers(enrol(study, bob)) == [1]


def test_whoever_comes_back_with_nothing_left_gets_other_subtasks(shared: Study, alice: User) -> None:
    enrol(shared, alice)
    make_old(49)
    call_command("give_back")
    again = enrol(shared, alice)
    assert (again.pseudonym, numbers(again)) == ("E001", [1, 2, 3])
    assert give_back(shared) == 0


def test_whoever_lost_their_subtasks_is_told_so_and_has_not_finished(
    shared: Study, alice: User, client: Client
) -> None:
    enrol(shared, alice)
    make_old(49)
    give_back(shared)
    client.force_login(alice)
    page = shown(client, "/studies/poems/")
    assert "Your sub-tasks went to somebody else" in page
    assert "You have finished" not in page
    (verdict,) = verdicts_on(shared, rating_table(shared))
    assert verdict.exclusion == "unfinished"


def test_an_answer_to_a_subtask_that_was_given_back_is_refused(shared: Study, alice: User) -> None:
    token = placements(enrol(shared, alice).study, alice)[0].token
    make_old(49)
    give_back(shared)
    with pytest.raises(UnknownPlace):
        save_answer(alice, PageAddress("poems", 1, 1), Answer(token, 1, "format", 3))


# Who may be enrolled


@pytest.mark.parametrize("state", ["draft", "closed"])
def test_a_study_that_is_not_launched_or_closed_takes_nobody(study: Study, alice: User, state: str) -> None:
    Study.objects.update(state=state)
    with pytest.raises(EnrolmentRefused):
        enrol(study, alice)
    assert not Enrolment.objects.exists()


@pytest.mark.parametrize("role", ["owner", "analyst", "observer"])
def test_whoever_runs_a_study_does_not_rate_it(study: Study, alice: User, carol: User, role: str) -> None:
    StudyRole.objects.create(study=study, user=alice, role=role)
    for user in (alice, carol):
        with pytest.raises(EnrolmentRefused, match="cannot rate it"):
            enrol(study, user)


def test_a_deadline_is_extended_from_itself_or_from_now(study: Study, alice: User, carol: User) -> None:
    enrolment = enrol(study, alice)
    for past, expected in ((timedelta(days=2), 3), (timedelta(days=-2), 5)):
        Enrolment.objects.update(deadline=timezone.now() - past)
        extend_deadline(enrolment, days=3, by=carol)
        enrolment.refresh_from_db()
        assert abs(enrolment.deadline - timezone.now() - timedelta(days=expected)) < timedelta(minutes=1)
    act = StaffAct.objects.filter(act="people.deadline").first()
    assert act is not None
    assert (act.actor, act.details) == (carol, {"evaluator": "E001", "days": 3})


def test_sharing_out_takes_as_many_queries_at_any_size(db: None, django_assert_max_num_queries: Any) -> None:
    for slug, prompts in (("small", 4), ("large", 40)):
        study = share_out(
            build_study(slug=slug, prompts=prompts, pages_per_subtask=2), evaluators=2, subtasks=2
        )
        user = build_user(slug)
        with django_assert_max_num_queries(19):
            enrol(study, user)
