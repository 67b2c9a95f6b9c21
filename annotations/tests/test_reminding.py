from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string

from annotations import tasks
from annotations.models import Enrolment, Reminder, ReturnLink, StaffAct, Study
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.invitations import Invitee, invite
from annotations.recruiting.reminders import due_reminders, send_reminders, stage_of
from annotations.recruiting.withdrawal import withdraw
from annotations.tests.cast import answer_everything

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def invited(study: Study, client: Client, settings: Any) -> Enrolment:
    """Dora, who joined by an invitation five days ago and has two days left."""
    (made,) = invite(study, [Invitee("dora@example.org", "Dora")], by=None)
    client.post(f"/join/{made.token}/")
    settings.EMAIL_HOST, settings.SITE_URL = "mail.example.org", "https://rate.example.org"
    now = timezone.now()
    Enrolment.objects.update(created_at=now - timedelta(days=5), deadline=now + timedelta(days=2))
    return Enrolment.objects.get()


@pytest.mark.parametrize(
    ("left", "stage"),
    [(72.1, None), (72, 3), (24.1, 3), (24, 1), (0.1, 1), (0, None), (-1, None)],
)
def test_the_last_stage_that_has_come_is_due(left: float, stage: int | None) -> None:
    assert stage_of(NOON + timedelta(hours=left), NOON) == stage


def test_an_evaluator_is_reminded_once_for_each_stage(invited: Enrolment) -> None:
    assert [send_reminders(), send_reminders()] == [1, 0]
    Enrolment.objects.update(deadline=timezone.now() + timedelta(hours=20))
    assert [send_reminders(), send_reminders()] == [1, 0]
    assert list(Reminder.objects.order_by("pk").values_list("days_before", flat=True)) == [3, 1]
    (act, _) = StaffAct.objects.filter(act="people.reminded")
    assert (act.actor, act.details) == (None, {"letters": 1})


def test_the_letter_brings_a_link_that_opens_the_study(invited: Enrolment) -> None:
    send_reminders()
    (letter,) = mail.outbox
    assert letter.to == ["dora@example.org"]
    assert "18 answers are still missing" in letter.body
    token = letter.body.split("https://rate.example.org/join/")[1][:22]
    other = Client()
    assert other.post(f"/join/{token}/").headers["Location"] == "/studies/poems/"
    assert other.session["_auth_user_id"] == str(invited.evaluator_id)


def test_an_account_with_a_password_gets_the_address_of_the_study(invited: Enrolment) -> None:
    User.objects.update(password="pbkdf2_sha256$1$a$b")
    send_reminders()
    assert "https://rate.example.org/studies/poems/" in mail.outbox[0].body
    assert not ReturnLink.objects.exists()


def finish(enrolment: Enrolment) -> None:
    answer_everything(enrolment)


def leave(enrolment: Enrolment) -> None:
    withdraw(enrolment)


def close(enrolment: Enrolment) -> None:
    Study.objects.update(state="closed")


def pause(enrolment: Enrolment) -> None:
    Study.objects.update(state="paused")


def begin_today(enrolment: Enrolment) -> None:
    Enrolment.objects.update(created_at=timezone.now() - timedelta(hours=23))


def be_late(enrolment: Enrolment) -> None:
    Enrolment.objects.update(deadline=timezone.now() - timedelta(minutes=1))


def have_time(enrolment: Enrolment) -> None:
    Enrolment.objects.update(deadline=timezone.now() + timedelta(days=4))


@pytest.mark.parametrize("change", [finish, leave, close, pause, begin_today, be_late, have_time])
def test_nobody_else_is_written_to(invited: Enrolment, change: Any) -> None:
    change(invited)
    assert send_reminders() == 0
    assert mail.outbox == []


def test_whoever_has_no_address_is_not_written_to(invited: Enrolment, study: Study, alice: User) -> None:
    enrol(study, alice)
    now = timezone.now()
    Enrolment.objects.update(created_at=now - timedelta(days=5), deadline=now + timedelta(days=2))
    assert send_reminders() == 1


def test_a_letter_that_did_not_go_out_is_tried_again(
    invited: Enrolment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("annotations.recruiting.reminders.send_letters", lambda letters: [False])
        assert send_reminders() == 0
    assert not Reminder.objects.exists()
    assert send_reminders() == 1


def test_without_a_mail_server_nothing_is_done(invited: Enrolment, settings: Any) -> None:
    settings.EMAIL_HOST = ""
    assert send_reminders() == 0
    assert not Reminder.objects.exists()
    with pytest.raises(CommandError, match="EMAIL_HOST"):
        call_command("send_reminders")


def test_an_extended_deadline_is_reminded_of_again(invited: Enrolment) -> None:
    send_reminders()
    Enrolment.objects.update(deadline=timezone.now() + timedelta(days=2, hours=5))
    assert send_reminders() == 1


def test_beat_sends_tasks_that_there_are(invited: Enrolment) -> None:
    app = import_string(site.MESSAGE_APP)
    app.loader.import_default_modules()
    for entry in site.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks
    tasks.send_reminders()
    assert len(mail.outbox) == 1
    tasks.give_back()


def test_looking_for_reminders_takes_as_many_queries_for_any_number(
    invited: Enrolment, study: Study, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        user = User.objects.create_user(f"evaluator-{number}", email=f"e{number}@example.org")
        enrol(study, user)
    now = timezone.now()
    Enrolment.objects.update(created_at=now - timedelta(days=5), deadline=now + timedelta(days=2))
    with django_assert_num_queries(4):
        assert len(due_reminders()) == 4
