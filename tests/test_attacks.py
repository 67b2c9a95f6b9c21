"""Who one is, tried as an attacker: old forms, lost links, names that differ by case, ids that anybody can write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from annotations.access.accounts import create_account
from annotations.models import Enrolment, StaffAct, Study, StudyRole
from annotations.recruiting.panel import signature_of
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import create_study
from annotations.tests.cast import build_study
from annotations.tests.test_joining import PANEL, invitation_token, is_let_in, link_token, shown_link, who
from annotations.tests.test_recruiting_races import at_once
from evalsite.accounts.tokens import make_token
from evalsite.models import ApiToken
from generation.web.once import new_nonce


@pytest.fixture
def study(db: None) -> Study:
    return build_study()


@pytest.fixture
def tab() -> Client:
    """A browser whose forms are checked as they are on the site."""
    return Client(enforce_csrf_checks=True)


def form_of(tab: Client, path: str, at: int = -1) -> dict[str, str]:
    """Return what the last form with a nonce on a page would send."""
    page = tab.get(path).content.decode()
    return {
        name: re.findall(rf'name="{name}" value="([^"]+)"', page)[at]
        for name in ("csrfmiddlewaretoken", "nonce")
    }


# A form that its own first press has put out of date


def test_the_second_press_of_an_old_tab_shows_the_same_personal_link(tab: Client, study: Study) -> None:
    path = f"/join/{link_token(study)}/"
    form = form_of(tab, path)
    first, second = tab.post(path, form), tab.post(path, form)
    assert (first.status_code, second.status_code) == (200, 200)
    assert shown_link(first) == shown_link(second)
    assert Enrolment.objects.count() == 1


def test_the_second_press_of_an_old_invitation_leads_to_the_study(tab: Client, study: Study) -> None:
    path = f"/join/{invitation_token(study)}/"
    form = form_of(tab, path)
    assert is_let_in(tab.post(path, form))
    assert is_let_in(tab.post(path, form))


def test_an_old_form_of_nobodys_leads_to_a_new_one_and_lets_nobody_in(tab: Client, study: Study) -> None:
    path = f"/join/{link_token(study)}/"
    form = form_of(tab, path)
    tab.post(path, form)
    response = tab.post(path, form | {"nonce": new_nonce()})
    assert (response.status_code, response.headers["Location"]) == (302, path)
    assert Enrolment.objects.count() == 1


def test_an_old_form_shows_its_personal_link_to_nobody_else(tab: Client, study: Study) -> None:
    path = f"/join/{link_token(study)}/"
    form = form_of(tab, path)
    tab.post(path, form)
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(User.objects.create_user("dora"))
    assert stranger.post(path, form).status_code == 302
    assert who(stranger) == User.objects.get(username="dora")


def test_a_forged_form_is_refused_where_nobody_is_logged_in(tab: Client, study: Study) -> None:
    path = f"/join/{link_token(study)}/"
    assert tab.post(path, {"nonce": new_nonce()}).status_code == 403
    assert not Enrolment.objects.exists()


def test_an_old_log_in_form_leads_to_where_its_first_press_led(tab: Client, db: None) -> None:
    User.objects.create_user("dora", password="a long password")
    page = tab.get("/accounts/login/").content.decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[-1]
    sent = {"csrfmiddlewaretoken": token, "username": "dora", "password": "a long password"}
    assert tab.post("/accounts/login/", sent).headers["Location"] == "/studies/"
    assert tab.post("/accounts/login/", sent).status_code == 302
    assert tab.get("/accounts/login/", follow=True).redirect_chain[-1][0] == "/studies/"


# A new log-in ends what was before


@pytest.fixture
def olga(db: None) -> Client:
    user = User.objects.create_user("olga")
    StudyRole.objects.create(study=build_study(), user=user, role="owner")
    client = Client()
    client.force_login(user)
    return client


NEW_LOGIN = "/manage/studies/poems/people/evaluators/1/login/"


@pytest.mark.parametrize("kind", ["invitation", "open link"])
def test_a_new_personal_link_ends_all_that_opened_the_account_before(olga: Client, kind: str) -> None:
    study = Study.objects.get()
    path = f"/join/{invitation_token(study) if kind == 'invitation' else link_token(study)}/"
    thief = Client()
    answer = thief.post(path)
    old = path if kind == "invitation" else shown_link(answer)
    bearer = Client(headers={"authorization": f"Bearer {make_token(Enrolment.objects.get().evaluator)}"})
    assert bearer.get("/api/v1/my/studies/").status_code == 200
    nonce = {"nonce": new_nonce()}
    new = shown_link(olga.post(NEW_LOGIN, nonce))
    assert shown_link(olga.post(NEW_LOGIN, nonce)) == new
    assert StaffAct.objects.filter(act="people.login").count() == 1
    assert Client().post(old).status_code in (404, 410)
    assert thief.get("/studies/poems/").status_code == 302
    assert bearer.get("/api/v1/my/studies/").status_code == 401
    assert is_let_in(Client().post(new))


def test_a_second_press_makes_no_second_password(olga: Client) -> None:
    User.objects.create_user("dora", password="a long password")
    call_command("enrol", "poems", "dora", stdout=StringIO())
    nonce = {"nonce": new_nonce()}
    shown = [re.findall(r"<code>([^<]+)</code>", olga.post(NEW_LOGIN, nonce).content.decode()) for _ in "12"]
    assert shown[0] == shown[1]
    assert User.objects.get(username="dora").check_password(shown[0][1])


def test_a_guest_who_rates_somebody_elses_study_too_gets_no_new_link_here(olga: Client) -> None:
    Client().post(f"/join/{invitation_token(Study.objects.get())}/")
    other = build_study(slug="other")
    call_command("enrol", other.slug, Enrolment.objects.get().evaluator.username, stdout=StringIO())
    assert olga.post(NEW_LOGIN).status_code == 302
    assert not StaffAct.objects.filter(act="people.login").exists()


def test_a_guest_is_told_of_the_personal_link_where_a_password_is_changed(
    client: Client, study: Study
) -> None:
    client.post(f"/join/{invitation_token(study)}/")
    for answer in (client.get("/accounts/password/"), client.post("/accounts/password/", {})):
        page = answer.content.decode()
        assert "you come back by" in page
        assert "/studies/poems/return-link/" in page
        assert "old_password" not in page


# Panels that sign


def test_a_link_can_demand_the_signature_of_every_id(olga: Client) -> None:
    sent = {"limit": 5, "takes_external_ids": "on", "needs_signature": "on"}
    page = olga.post("/manage/studies/poems/people/links/", sent).content.decode()
    path = re.findall(r"/join/[\w-]{22}/", page)[0] + PANEL.format("p1")
    for ask in (Client().get, Client().post):
        assert ask(path).status_code == 403
    assert not Enrolment.objects.exists()
    member = Client()
    assert is_let_in(member.post(f"{path}&signature={signature_of(Study.objects.get(), 'p1')}"))
    assert who(member) == Enrolment.objects.get().evaluator


def test_no_link_demands_a_signature_of_no_id(olga: Client) -> None:
    sent = {"limit": 5, "needs_signature": "on"}
    answer = olga.post("/manage/studies/poems/people/links/", sent)
    assert answer.status_code == 400
    assert "Only an id of a panel can be signed" in answer.content.decode()


# Names apart


@pytest.mark.django_db(transaction=True)
def test_of_two_accounts_made_at_once_whose_names_differ_by_case_one_is_made() -> None:
    made = at_once(*[partial(create_account, name) for name in ("Dora", "dora", "DORA")])
    assert sum(isinstance(one, str) for one in made) == 1
    assert sum(isinstance(one, ValidationError) for one in made) == 2
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_studies_begun_at_once_whose_slugs_differ_by_case_one_is_begun() -> None:
    rubric = load_rubric("poem")
    made = at_once(*[partial(create_study, slug=slug, rubric=rubric, by=None) for slug in ("Poems", "poems")])
    assert sum(isinstance(one, Study) for one in made) == 1
    assert sum(isinstance(one, ValidationError) for one in made) == 1


def test_no_administrator_and_no_renamed_account_differs_by_case_only(client: Client, db: None) -> None:
    User.objects.create_superuser("Dora")
    with pytest.raises(CommandError, match="Dora already"), transaction.atomic():
        call_command("createsuperuser", "--noinput", "--username", "dora", "--email", "d@example.org")
    with pytest.raises(IntegrityError, match="Dora already"):
        User.objects.create_user("DORA")


def test_the_admin_refuses_to_rename_an_account_to_a_case_twin(client: Client, db: None) -> None:
    User.objects.create_user("Dora")
    carol = User.objects.create_superuser("carol")
    client.force_login(carol)
    path = f"/admin/auth/user/{carol.pk}/change/"
    fields = {
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
        "is_staff": "on",
        "is_superuser": "on",
    }
    page = client.post(path, fields | {"username": "dora"})
    assert page.status_code == 200
    assert "case does not tell accounts apart" in page.content.decode()
    assert client.post(path, fields | {"username": "Carol", "is_active": "on"}).status_code == 302
    carol.refresh_from_db()
    assert carol.username == "Carol"


@pytest.fixture
def twins(db: None) -> Iterator[list[User]]:
    """Accounts from before the rule."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_user DISABLE TRIGGER annotations_name_apart")
        made = [User.objects.create_user(name) for name in ("Dora", "dora")]
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE auth_user ENABLE TRIGGER annotations_name_apart")
    yield made


def test_accounts_from_before_the_rule_stay_and_can_be_changed(twins: list[User]) -> None:
    for user in twins:
        user.set_password("a long password")
        user.save()
    assert [user.username for user in User.objects.order_by("pk")] == ["Dora", "dora"]


# One press, one effect, on what is changed and not made


def test_a_token_of_the_api_is_made_once_a_form(olga: Client) -> None:
    nonce = {"nonce": new_nonce()}
    shown: list[Any] = [
        re.findall(
            r'id="token" type="text" value="([^"]+)"',
            olga.post("/accounts/token/", nonce).content.decode(),
        )
        for _ in "12"
    ]
    assert shown[0] == shown[1] != []
    assert ApiToken.objects.count() == 1
    assert 'name="nonce"' in olga.get("/accounts/token/").content.decode()


def test_a_deadline_is_moved_once_a_form(olga: Client) -> None:
    Client().post(f"/join/{invitation_token(Study.objects.get())}/")
    before = Enrolment.objects.get().deadline
    path = "/manage/studies/poems/people/evaluators/1/"
    form = {
        "days": 7,
        "nonce": re.findall(r'name="nonce" value="([^"]+)"', olga.get(path).content.decode())[0],
    }
    for _ in range(2):
        assert olga.post(f"{path}deadline/", form).status_code == 302
    assert (Enrolment.objects.get().deadline - before).days == 7
