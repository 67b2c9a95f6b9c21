"""Things that happen at the same moment: each of them is done once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from annotations.models import Assignment, Enrolment, Invitation, Placement, Rating, Reminder, Study
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.invitations import Invitee, invite, make_open_link
from annotations.recruiting.reminders import send_reminders
from annotations.recruiting.sharing_out import EnrolmentRefused, give_back, holders
from annotations.recruiting.withdrawal import withdraw
from annotations.tests.cast import build_study, build_user
from generation.refusals import Refused

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Do things at the same moment, each on a connection of its own, and return what came of them."""
    barrier = Barrier(len(actions))
    results: list[Any] = [None] * len(actions)

    def run(index: int, action: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=10)
            results[index] = action()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def test_an_invitation_pressed_five_times_at_once_makes_one_evaluator() -> None:
    study = build_study()
    (made,) = invite(study, [Invitee()], by=None)
    clients = [Client() for _ in range(5)]
    responses = at_once(*[partial(client.post, f"/join/{made.token}/") for client in clients])
    assert [response.status_code for response in responses] == [302] * 5
    assert Enrolment.objects.count() == User.objects.count() == 1
    assert Invitation.objects.get().used_by == Enrolment.objects.get()
    assert len({client.session["_auth_user_id"] for client in clients}) == 1


def test_an_open_link_for_two_lets_two_of_five_in() -> None:
    study = build_study()
    link = make_open_link(study, limit=2, by=None)
    responses = at_once(*[partial(Client().post, f"/join/{link.token}/") for _ in range(5)])
    assert sorted(response.status_code for response in responses) == [200, 200, 410, 410, 410]
    assert Enrolment.objects.count() == User.objects.count() == 2
    assert sorted(Enrolment.objects.values_list("number", flat=True)) == [0, 1]


def test_one_external_id_pressed_three_times_at_once_is_one_person() -> None:
    study = build_study()
    link = make_open_link(study, limit=5, by=None, takes_external_ids=True)
    path = f"/join/{link.token}/?PROLIFIC_PID=p1"
    responses = at_once(*[partial(Client().post, path) for _ in range(3)])
    # The first one is shown the link to come back by.
    assert sorted(response.status_code for response in responses) == [200, 302, 302]
    assert Enrolment.objects.count() == 1


def test_two_who_are_enrolled_at_once_do_not_share_the_last_place() -> None:
    study = build_study()
    Study.objects.update(evaluators_per_subtask=1, subtasks_per_evaluator=1)
    users = [build_user(f"evaluator-{number}") for number in range(4)]
    results = at_once(*[partial(enrol, study, user) for user in users])
    assert sum(isinstance(result, Enrolment) for result in results) == 1
    assert sum(isinstance(result, EnrolmentRefused) for result in results) == 3
    assert list(holders(study).values()) == [1]


def test_two_who_are_enrolled_at_once_get_two_numbers() -> None:
    study = build_study(prompts=6, pages_per_subtask=1)
    Study.objects.update(evaluators_per_subtask=1, subtasks_per_evaluator=2)
    users = [build_user(f"evaluator-{number}") for number in range(3)]
    at_once(*[partial(enrol, study, user) for user in users])
    assert sorted(Enrolment.objects.values_list("number", flat=True)) == [0, 1, 2]
    assert set(holders(study).values()) == {1}


def test_one_address_invited_twice_at_once_is_invited_once() -> None:
    study = build_study()
    results = at_once(*[partial(invite, study, [Invitee("dora@example.org")], by=None)] * 2)
    assert sum(isinstance(result, Refused) for result in results) == 1
    assert Invitation.objects.count() == 1


def test_two_who_remind_at_once_send_one_letter(settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    enrol(build_study(), User.objects.create_user("dora", email="dora@example.org"))
    now = timezone.now()
    Enrolment.objects.update(created_at=now - timedelta(days=5), deadline=now + timedelta(days=2))
    assert sorted(at_once(send_reminders, send_reminders)) == [0, 1]
    assert len(mail.outbox) == Reminder.objects.count() == 1


def test_an_answer_that_is_being_saved_is_seen_before_its_subtask_is_given_back() -> None:
    study = build_study()
    Study.objects.update(evaluators_per_subtask=1, subtasks_per_evaluator=1)
    enrolment = enrol(study, build_user("dora"))
    Assignment.objects.update(created_at=timezone.now() - timedelta(days=9))
    taken = while_an_answer_is_uncommitted(enrolment, lambda: give_back(study))
    assert taken == 0
    assert Rating.objects.count() == 1
    assert enrolment.assignments.count() == 1


def test_an_answer_that_is_being_saved_is_removed_when_its_evaluator_withdraws() -> None:
    enrolment = enrol(build_study(), build_user("dora"))
    removed = while_an_answer_is_uncommitted(enrolment, lambda: withdraw(enrolment, by_evaluator=True))
    assert removed == 1
    assert not Rating.objects.exists()
    assert not Placement.objects.exists()


def while_an_answer_is_uncommitted(enrolment: Enrolment, action: Callable[[], Any]) -> Any:
    """Do something while an answer is written and not yet committed, which must wait for it."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(action())
        finally:
            connection.close()

    thread = Thread(target=run)
    place = enrolment.placements.first()
    criterion = enrolment.study.criteria.first()
    assert place and criterion
    with transaction.atomic():
        # As the save does: its foreign key holds the enrolment until the end.
        Enrolment.objects.raw(
            "SELECT id FROM annotations_enrolment WHERE id = %s FOR KEY SHARE", [enrolment.pk]
        )[0]
        Rating.objects.create(enrolment=enrolment, candidate=place.candidate, criterion=criterion, score=3)
        thread.start()
        thread.join(timeout=1)
        assert not results
    thread.join(timeout=20)
    (result,) = results
    return result
