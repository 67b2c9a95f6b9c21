"""Roles are given and taken by those who run a study, and a study keeps an owner."""

from __future__ import annotations

import io
import re

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from annotations.access.fixed import CHANGEABLE
from annotations.access.log_page import in_words
from annotations.access.roles import give_role, take_role
from annotations.models import Enrolment, StaffAct, Study, StudyRole
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.sharing_out import EnrolmentRefused
from annotations.tests.cast import build_user, shown
from generation.refusals import Refused

Role = StudyRole.Role
PAGE = "/manage/studies/poems/roles/"


@pytest.fixture
def owner(study: Study) -> User:
    olga = build_user("olga")
    give_role(study, olga, Role.OWNER, by=None)
    return olga


def role_of(user: User) -> str | None:
    return StudyRole.objects.filter(user=user).values_list("role", flat=True).first()


def test_a_role_is_given_changed_and_taken_and_each_is_logged(study: Study, bob: User, carol: User) -> None:
    assert give_role(study, bob, Role.OBSERVER, by=carol)
    assert give_role(study, bob, Role.ANALYST, by=carol)
    assert not give_role(study, bob, Role.ANALYST, by=carol)
    assert role_of(bob) == "analyst"
    assert take_role(study, bob, by=carol)
    assert not take_role(study, bob, by=carol)
    assert role_of(bob) is None
    logged = StaffAct.objects.order_by("pk").values_list("act", "actor__username", "details")
    assert list(logged) == [
        ("role.given", "carol", {"user": "bob", "role": "observer"}),
        ("role.given", "carol", {"user": "bob", "role": "analyst"}),
        ("role.taken", "carol", {"user": "bob", "role": "analyst"}),
    ]


def test_an_evaluator_gets_no_role_and_who_has_a_role_rates_nothing(
    study: Study, enrolment: Enrolment, alice: User, bob: User
) -> None:
    with pytest.raises(Refused, match="alice is an evaluator of this study"):
        give_role(study, alice, Role.OBSERVER, by=None)
    give_role(study, bob, Role.OBSERVER, by=None)
    with pytest.raises(EnrolmentRefused):
        enrol(study, bob)


def test_a_closed_account_gets_no_role(study: Study, bob: User) -> None:
    bob.is_active = False
    with pytest.raises(Refused, match="The account bob is closed"):
        give_role(study, bob, Role.OWNER, by=None)


def test_the_last_owner_stays(study: Study, owner: User, bob: User, carol: User) -> None:
    with pytest.raises(Refused, match="A study keeps an owner"):
        take_role(study, owner, by=owner)
    with pytest.raises(Refused, match="A study keeps an owner"):
        give_role(study, owner, Role.ANALYST, by=owner)
    assert role_of(owner) == "owner"
    give_role(study, bob, Role.OWNER, by=owner)
    assert take_role(study, owner, by=owner)
    # An administrator may leave the study to the administrators.
    assert take_role(study, bob, by=carol)


def test_the_page_gives_and_takes_roles(client: Client, owner: User, bob: User) -> None:
    client.force_login(owner)
    assert "Who runs the study" in shown(client, PAGE)
    page = client.post(f"{PAGE}give/", {"username": "bob", "role": "analyst"}, follow=True).content.decode()
    assert "bob has the role." in page
    assert role_of(bob) == "analyst"
    assert "Take the role “analyst” from bob?" in shown(client, f"{PAGE}take/?username=bob")
    assert "It is your own" in shown(client, f"{PAGE}take/?username=olga")
    assert client.get(f"{PAGE}take/?username=nobody").status_code == 404
    assert role_of(bob) == "analyst", "asking changes nothing"
    page = client.post(f"{PAGE}take/", {"username": "bob"}, follow=True).content.decode()
    assert "The role is taken." in page
    assert role_of(bob) is None


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"role": "analyst"}, "Say whose role it is."),
        ({"username": "nobody", "role": "analyst"}, "There is no user nobody."),
        ({"username": "olga", "role": "analyst"}, "A study keeps an owner"),
        ({"username": "olga"}, "Choose a role."),
        ({"username": "olga", "role": "king"}, "king is not one of the available choices"),
    ],
)
def test_the_page_says_why_a_role_is_not_given(
    client: Client, owner: User, body: dict[str, str], why: str
) -> None:
    client.force_login(owner)
    response = client.post(f"{PAGE}give/", body)
    assert response.status_code == 400
    assert why in response.content.decode()
    assert StudyRole.objects.count() == 1


def test_the_page_does_not_take_the_last_owners_role(client: Client, owner: User) -> None:
    client.force_login(owner)
    for username, why in (
        ("olga", "A study keeps an owner"),
        ("nobody", "There is no user"),
        ("", "Say whose"),
    ):
        response = client.post(f"{PAGE}take/", {"username": username})
        assert response.status_code == 400
        assert why in response.content.decode()
    assert role_of(owner) == "owner"


def test_whoever_gives_up_their_own_role_lands_on_their_studies(
    client: Client, owner: User, bob: User
) -> None:
    give_role(Study.objects.get(), bob, Role.OWNER, by=owner)
    client.force_login(owner)
    response = client.post(f"{PAGE}take/", {"username": "olga"})
    assert response.headers["Location"] == "/studies/"


def test_only_owners_give_roles(client: Client, study: Study, owner: User, bob: User) -> None:
    give_role(study, bob, Role.ANALYST, by=None)
    client.force_login(bob)
    assert client.get(PAGE).status_code == 403
    assert client.post(f"{PAGE}give/", {"username": "bob", "role": "owner"}).status_code == 403
    assert client.post(f"{PAGE}take/", {"username": "olga"}).status_code == 403
    client.force_login(build_user("mallory"))
    assert client.post(f"{PAGE}give/", {"username": "mallory", "role": "owner"}).status_code == 404
    assert role_of(owner) == "owner"


def test_an_analyst_sees_no_form_that_is_an_owners(
    client: Client, study: Study, enrolment: Enrolment, bob: User
) -> None:
    give_role(study, bob, Role.ANALYST, by=None)
    client.force_login(bob)
    results = shown(client, "/studies/poems/results/")
    assert "/close/" not in results
    assert "results/unblind/" not in results
    assert "/runs/" not in results
    plan = shown(client, "/studies/poems/plan/")
    assert "Lock the plan" not in plan
    assert "An owner of the study locks it." in plan


def test_the_commands_give_and_take_roles(study: Study, bob: User, alice: User, enrolment: Enrolment) -> None:
    def said(*arguments: str) -> str:
        output = io.StringIO()
        call_command(*arguments, stdout=output)
        return output.getvalue()

    assert said("give_role", "poems", "bob", "owner") == "poems: bob is owner\n"
    assert said("give_role", "poems", "bob", "owner") == "poems: bob was already owner\n"
    assert said("take_role", "poems", "bob") == "poems: bob has no role\n"
    assert said("take_role", "poems", "bob") == "poems: bob had no role\n"
    for arguments, why in (
        (("give_role", "lost", "bob", "owner"), "lost: no such study"),
        (("give_role", "poems", "nobody", "owner"), "There is no user nobody"),
        (("give_role", "poems", "alice", "owner"), "alice is an evaluator"),
        (("take_role", "poems", "nobody"), "There is no user nobody"),
    ):
        with pytest.raises(CommandError, match=why):
            call_command(*arguments)


@pytest.mark.parametrize(
    "page",
    [
        *(
            "setup",
            "study_settings",
            "criteria",
            "material",
            "study_runs",
            "preview",
            "close",
            "people",
            "judges",
        ),
        *("progress", "results", "plan", "payments", "roles"),
    ],
)
def test_a_page_of_those_who_run_a_study_asks_for_their_role_once(
    client: Client, owner: User, page: str
) -> None:
    client.force_login(owner)
    with CaptureQueriesContext(connection) as asked:
        response = client.get(reverse(f"annotations:{page}", args=["poems"]))
    assert response.status_code == 200
    roles = [query["sql"] for query in asked if "annotations_studyrole" in query["sql"]]
    # The page of roles lists them, too.
    assert len(roles) == (2 if page == "roles" else 1)
    assert "annotations_study" in roles[0]


def test_the_log_names_fields_and_rows_in_the_language_of_its_reader() -> None:
    with override("zh-hans"):
        for name in CHANGEABLE | {"criteria", "checklist", "error_categories"}:
            assert re.search("[\u4e00-\u9fff]", in_words({"fields": [name]}).partition("：")[2]), name
        assert in_words({"without_plan": True}) == "没有方案：是"
        assert in_words({"rows": "written"}) == "导出内容：评阅人所写的文字"
        assert in_words({"fields": ["candidates_per_page", "has_best_picks"]}) == (
            "字段：每页文本数、每页选出最佳文本"
        )
