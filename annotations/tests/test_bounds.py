"""Numbers and texts that no act takes: refused in one line by the act itself, wherever it is called from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.models import AnalysisPlan, Enrolment, Invitation, OpenLink, Study
from annotations.plan.plan import lock_plan
from annotations.recruiting.enrolment import enrol, extend_deadline
from annotations.recruiting.invitations import Invitee, invite, make_open_link
from annotations.results.seal import unblind
from annotations.tests.cast import build_study

HUGE = 99_999_999


@pytest.fixture
def study(db: None) -> Study:
    return build_study()


def plan(study: Study, **fields: Any) -> AnalysisPlan:
    return lock_plan(study, staff=None, primary_criterion=study.criteria.all()[0], **fields)


ACTS: dict[str, Callable[[Study, Any], Any]] = {
    "days": lambda study, value: extend_deadline(study.enrolments.all()[0], days=value, by=None),
    "valid": lambda study, value: invite(study, [Invitee()], by=None, days_valid=value),
    "limit": lambda study, value: make_open_link(study, limit=value, by=None),
    "planned_evaluators": lambda study, value: plan(study, planned_evaluators=value),
    "planned_prompts": lambda study, value: plan(study, planned_prompts=value),
    "notes": lambda study, value: plan(study, notes=value),
    "reason": lambda study, value: unblind(study, staff=None, reason=value),
}
NUMBERS = ("days", "valid", "limit", "planned_evaluators", "planned_prompts")
TEXTS = ("notes", "reason")


@pytest.mark.parametrize("value", [HUGE, 10**30, -1, 0])
@pytest.mark.parametrize("act", NUMBERS)
def test_an_act_refuses_a_number_out_of_its_bounds(study: Study, act: str, value: int) -> None:
    enrol(study, User.objects.create_user("alice"))
    with pytest.raises(ValidationError, match="must be a whole number from 1 to"):
        ACTS[act](study, value)
    assert not (OpenLink.objects.exists() or Invitation.objects.exists() or AnalysisPlan.objects.exists())


@pytest.mark.parametrize("value", ["long " * 3_000, "ten of them\x00", "ten of them \ud800"])
@pytest.mark.parametrize("act", TEXTS)
def test_an_act_refuses_a_text_that_is_too_long_or_cannot_be_stored(
    study: Study, act: str, value: str
) -> None:
    enrol(study, User.objects.create_user("alice"))
    with pytest.raises(ValidationError):
        ACTS[act](study, value)
    assert not AnalysisPlan.objects.exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["extend_deadline", "poems", "E001", "--days", str(HUGE)], "--days: This must be a whole number"),
        (["extend_deadline", "poems", "E001", "--days", "-3"], "--days: This must be a whole number"),
        (["invite", "poems", "--links", "1", "--days", "3000000"], "--days: This must be a whole number"),
        (["open_link", "poems", "--limit", "900000"], "--limit: This must be a whole number"),
        (
            ["simulate_ratings", "poems", "--evaluators", str(HUGE)],
            "--evaluators: This must be a whole number",
        ),
        (
            ["simulate_ratings", "poems", "--evaluators", "2", "--seed", "-1"],
            "--seed: This must be a whole number",
        ),
        (
            ["lock_plan", "poems", "--primary", "overall", "--notes", "x" * 15_000],
            "--notes: Give at most 2000 characters.",
        ),
    ],
)
def test_a_command_says_it_in_one_line(study: Study, command: list[str], said: str) -> None:
    enrolment = Enrolment.objects.get(pk=enrol(study, User.objects.create_user("alice")).pk)
    with pytest.raises(CommandError) as refused:
        call_command(*command)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert Enrolment.objects.get(pk=enrolment.pk).deadline == enrolment.deadline


def test_nobody_simulates_the_answers_to_an_empty_study(db: None) -> None:
    Study.objects.create(slug="empty", title={"en": "Empty"})
    with pytest.raises(CommandError, match="nothing to answer"):
        call_command("simulate_ratings", "empty", "--evaluators", "2")


def test_deadlines_put_off_again_and_again_end_before_years_that_cannot_be_read(study: Study) -> None:
    enrolment = enrol(study, User.objects.create_user("alice"))
    study.enrolments.update(deadline="2999-06-01T00:00:00Z")
    with pytest.raises(CommandError, match="after the year 2999"):
        call_command("extend_deadline", "poems", enrolment.pseudonym, "--days", "300")


@pytest.mark.parametrize("path", ["study", "enrolment"])
def test_administrators_change_no_study_and_no_deadline_behind_the_log(study: Study, path: str) -> None:
    enrolment = Enrolment.objects.get(pk=enrol(study, User.objects.create_user("alice")).pk)
    row = study.pk if path == "study" else enrolment.pk
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    page = client.get(f"/admin/annotations/{path}/{row}/change/")
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    sent = {"payment": "1000", "deadline_0": "2999-01-01", "deadline_1": "00:00"}
    assert client.post(f"/admin/annotations/{path}/{row}/change/", sent).status_code == 403
    assert Enrolment.objects.get(pk=enrolment.pk).deadline == enrolment.deadline
