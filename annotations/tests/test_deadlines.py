"""One new deadline for many evaluators: chosen, confirmed, logged once, and told by mail where that is asked."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotations.models import Enrolment, StaffAct, Study, StudyRole
from annotations.recruiting.deadlines import set_deadlines, unfinished
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.invitations import Invitee, invite
from annotations.recruiting.withdrawal import withdraw
from annotations.tests.cast import answer_everything, build_user
from generation.refusals import Refused

URL = "/manage/studies/poems/people/deadlines/"
UNTIL = timezone.now().replace(second=0, microsecond=0) + timedelta(days=40)
SENT = {"deadline": UNTIL.strftime("%Y-%m-%dT%H:%M")}


@pytest.fixture
def three(study: Study, settings: Any) -> Study:
    """Ann, who has finished; Ben, who has an address; Cy, who came by an invitation."""
    settings.EMAIL_HOST, settings.SITE_URL = "mail.example.org", "https://rate.example.org"
    answer_everything(enrol(study, build_user("ann")))
    ben = build_user("ben")
    User.objects.filter(pk=ben.pk).update(email="ben@example.org")
    enrol(study, ben)
    (made,) = invite(study, [Invitee("cy@example.org", "Cy")], by=None)
    Client().post(f"/join/{made.token}/")
    return study


@pytest.fixture
def as_olga(three: Study, client: Client) -> Client:
    olga = build_user("olga")
    StudyRole.objects.create(study=three, user=olga, role="owner")
    client.force_login(olga)
    return client


def moved() -> set[str]:
    return set(Enrolment.objects.filter(deadline=UNTIL).values_list("pseudonym", flat=True))


def test_nothing_changes_before_those_chosen_are_named_once_more(as_olga: Client) -> None:
    asked = as_olga.post(URL, {**SENT, "whom": "unfinished", "tell": "on"}).content.decode()
    assert "Move the deadlines of 2 evaluators?" in asked
    assert "E002" in asked
    assert "E001" not in asked
    assert (moved(), mail.outbox) == (set(), [])
    confirmed = {**SENT, "whom": "chosen", "tell": "on", "is_confirmed": "1", "evaluator": ["E002", "E003"]}
    for _press in range(2):
        assert as_olga.post(URL, confirmed).status_code == 302
    assert moved() == {"E002", "E003"}
    assert sorted(letter.to for letter in mail.outbox) == [["ben@example.org"], ["cy@example.org"]]
    act = StaffAct.objects.get(act="people.deadlines")
    assert (act.details["evaluators"], act.details["told"]) == (["E002", "E003"], True)


def test_the_letter_says_the_deadline_and_opens_the_study(three: Study) -> None:
    set_deadlines(three, ["E003"], UNTIL, by=None, tell=True)
    (letter,) = mail.outbox
    assert letter.subject.startswith("New deadline: ")
    assert str(UNTIL.year) in letter.body
    token = letter.body.split("https://rate.example.org/join/")[1][:22]
    assert Client().post(f"/join/{token}/").status_code == 302


@pytest.mark.parametrize(
    ("whom", "until", "refusal"),
    [
        (["E001", "E009"], UNTIL, "no evaluator E009"),
        ([], UNTIL, "at least one evaluator"),
        (["E001"], timezone.now() - timedelta(minutes=1), "past already"),
        (["E001"], UNTIL.replace(year=3000, day=1), "after the year 2999"),
    ],
)
def test_all_or_none_are_moved(three: Study, whom: list[str], until: Any, refusal: str) -> None:
    with pytest.raises(Refused, match=refusal):
        set_deadlines(three, whom, until, by=None)
    assert moved() == set()


def test_nobody_is_moved_in_a_closed_study_and_nobody_told_without_a_mail_server(
    three: Study, settings: Any
) -> None:
    settings.EMAIL_HOST = ""
    with pytest.raises(Refused, match="no mail server"):
        set_deadlines(three, ["E001"], UNTIL, by=None, tell=True)
    withdraw(Enrolment.objects.get(pseudonym="E002"), by=None)
    with pytest.raises(Refused, match="no evaluator E002"):
        set_deadlines(three, ["E002"], UNTIL, by=None)
    assert unfinished(three) == ["E003"]
    Study.objects.update(state="closed", closed_at=timezone.now())
    with pytest.raises(Refused, match="closed"):
        set_deadlines(three, ["E001"], UNTIL, by=None)


def test_the_page_says_what_is_wrong_and_keeps_what_was_ticked(as_olga: Client) -> None:
    late = {"deadline": "2020-01-01T00:00", "whom": "chosen", "evaluator": "E002"}
    page = as_olga.post(URL, late)
    assert page.status_code == 400
    assert "The new deadline is past already." in page.content.decode()
    assert 'value="E002"\n                      checked' in page.content.decode()
    assert "Enter a valid date" in as_olga.post(URL, {**SENT, "deadline": "soon"}).content.decode()
    assert f'href="{URL}"' in as_olga.get("/manage/studies/poems/people/").content.decode()


def test_the_page_costs_the_same_for_many_evaluators(
    as_olga: Client, three: Study, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):
        as_olga.get(URL)
    for number in range(5):
        enrol(three, build_user(f"more{number}"))
    with django_assert_num_queries(4):
        as_olga.get(URL)


def test_api_and_command_set_one_deadline(as_olga: Client, three: Study) -> None:
    url = "/api/v1/studies/poems/enrolments/deadline/"
    body = {"evaluators": ["E001", "E002"], "deadline": UNTIL.isoformat(), "tell": True}
    answer = as_olga.post(url, body, content_type="application/json")
    assert answer.json() == {"moved": ["E001", "E002"], "letters": 1}
    assert as_olga.post(url, body, content_type="application/json").json()["moved"] == []
    output = io.StringIO()
    until = ("--until", UNTIL.isoformat())
    call_command("set_deadlines", "poems", "--unfinished", *until, stdout=output)
    assert output.getvalue() == "poems: 1 deadlines moved, 0 letters sent\n"
    assert moved() == {"E001", "E002", "E003"}
    naive = UNTIL.replace(tzinfo=None) + timedelta(days=1)
    call_command("set_deadlines", "poems", "--all", "--until", naive.isoformat(), stdout=output)
    assert moved() == set()
    for wrong in (["--until", "soon", "--all"], [*until], [*until, "E001", "--all"]):
        with pytest.raises(CommandError):
            call_command("set_deadlines", "poems", *wrong)
