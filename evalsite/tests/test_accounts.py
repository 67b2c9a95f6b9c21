"""Names in any case, passwords changed and lost, and new log-ins."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from annotations.access.accounts import create_account
from annotations.models import Enrolment, StaffAct, StudyRole
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.invitations import Invitee, invite
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import create_study
from annotations.tests.cast import build_study
from evalsite.researchers.inviting import invite_researcher

PASSWORD = "a long password"


def log_in(name: str) -> User | None:
    client = Client()
    client.post("/accounts/login/", {"username": name, "password": PASSWORD})
    pk = client.session.get("_auth_user_id")
    return None if pk is None else User.objects.get(pk=pk)


@pytest.mark.parametrize("name", ["Dora", "dora", "DORA"])
def test_the_log_in_ignores_case(db: None, name: str) -> None:
    dora = User.objects.create_user("Dora", password=PASSWORD)
    assert log_in(name) == dora


def test_accounts_that_differ_by_case_are_listed_and_log_in_by_their_exact_names(db: None) -> None:
    with connection.cursor() as cursor:
        # As they were made before no two could be.
        cursor.execute("ALTER TABLE auth_user DISABLE TRIGGER annotations_name_apart")
        twins = [User.objects.create_user(name, password=PASSWORD) for name in ("Dora", "dora")]
    assert [log_in(user.username) for user in twins] == twins
    assert log_in("DORA") is None
    output = StringIO()
    call_command("list_case_twins", stdout=output)
    assert output.getvalue() == "Dora\tdora\n"


def test_no_new_account_or_slug_differs_by_case_only(db: None) -> None:
    User.objects.create_user("Dora")
    with pytest.raises(ValidationError, match="case"):
        create_account("dora")
    build_study(slug="poems")
    with pytest.raises(CommandError, match="case"):
        call_command("enrol", "poems", "dora", "--create")
    with pytest.raises(ValidationError, match="of this name"):
        create_study(slug="Poems", rubric=load_rubric("poem"), by=None)


def test_a_password_is_changed_by_who_knows_it(client: Client, db: None) -> None:
    dora = User.objects.create_user("dora", password=PASSWORD)
    client.force_login(dora)
    new = {"new_password1": "quite another one", "new_password2": "quite another one"}
    assert client.post("/accounts/password/", new | {"old_password": "wrong"}).status_code == 200
    assert client.post("/accounts/password/", new | {"old_password": PASSWORD}).status_code == 302
    dora.refresh_from_db()
    assert dora.check_password("quite another one")


def test_a_lost_password_is_replaced_by_a_letter(client: Client, db: None, settings: Any) -> None:
    settings.EMAIL_HOST = "localhost"
    User.objects.create_user("dora", email="dora@example.org", password=PASSWORD)
    assert client.post("/accounts/forgot/", {"email": "dora@example.org"}).status_code == 302
    found = re.search(r"/accounts/forgot/\S+", str(mail.outbox[0].body))
    assert found
    page = client.get(found[0], follow=True)
    new = {"new_password1": "quite another one", "new_password2": "quite another one"}
    assert client.post(page.redirect_chain[-1][0], new).status_code == 302
    assert User.objects.get().check_password("quite another one")


def test_whoever_came_by_a_link_is_told_of_it_and_a_site_without_mail_says_so(
    client: Client, db: None
) -> None:
    page = client.get("/accounts/forgot/").content.decode()
    assert "personal link" in page
    assert "sends no letters" in page
    assert "/accounts/forgot/" in client.get("/accounts/login/").content.decode()


# A new log-in, made by the owner


@pytest.fixture
def owner(client: Client, db: None) -> User:
    user = User.objects.create_user("olga")
    client.force_login(user)
    StudyRole.objects.create(study=build_study(), user=user, role="owner")
    return user


def new_login(client: Client) -> Any:
    return client.post("/manage/studies/poems/people/evaluators/1/login/")


def test_an_owner_makes_a_guest_a_new_personal_link(client: Client, owner: User) -> None:
    study = StudyRole.objects.get(user=owner).study
    (made,) = invite(study, [Invitee()], by=None)
    Client().post(f"/join/{made.token}/")
    found = re.search(r"/join/[\w-]{22}/", new_login(client).content.decode())
    assert found
    back = Client()
    back.post(found[0])
    assert back.session["_auth_user_id"] == str(Enrolment.objects.get().evaluator_id)
    assert StaffAct.objects.filter(act="people.login").count() == 1


def test_an_owner_makes_an_evaluator_a_new_password(client: Client, owner: User) -> None:
    dora = User.objects.create_user("dora", password=PASSWORD)
    enrol(StudyRole.objects.get().study, dora)
    codes = re.findall(r"<code>([^<]+)</code>", new_login(client).content.decode())
    dora.refresh_from_db()
    assert codes[0] == "dora"
    assert dora.check_password(codes[1])


@pytest.mark.parametrize("more", ["role elsewhere", "study elsewhere", "staff"])
def test_no_owner_takes_an_account_over_that_does_more(client: Client, owner: User, more: str) -> None:
    dora = User.objects.create_user("dora", password=PASSWORD)
    enrol(StudyRole.objects.get().study, dora)
    other = build_study(slug="other")
    if more == "role elsewhere":
        StudyRole.objects.create(study=other, user=dora, role="observer")
    elif more == "study elsewhere":
        enrol(other, dora)
    else:
        User.objects.filter(pk=dora.pk).update(is_staff=True)
    assert new_login(client).status_code == 302
    dora.refresh_from_db()
    assert dora.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (".", "a letter or a digit"),
        ("@+-", "a letter or a digit"),
        ("an\u202ena", r"cannot be seen: U\+202E"),
        ("a\u200bb", r"cannot be seen: U\+200B"),
        ("a\nb", r"cannot be seen: U\+000A"),
    ],
)
def test_no_account_has_a_name_of_signs_alone_or_with_characters_that_nobody_sees(
    db: None, name: str, said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        create_account(name)
    with pytest.raises(ValidationError, match=said):
        invite_researcher(name)
    assert not User.objects.exists()
    assert create_account("王.2")
