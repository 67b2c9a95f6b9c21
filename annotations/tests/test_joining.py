"""Links into a study: who is let in, as whom, and who is not."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from annotations.models import (
    Enrolment,
    EvaluatorGroup,
    Invitation,
    LinkAccount,
    OpenLink,
    ReturnLink,
    Study,
    StudyRole,
)
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.invitations import Invitee, invite, make_open_link, revoke_invitation
from annotations.tests.cast import build_study

PANEL = "?PROLIFIC_PID={}&STUDY_ID=5f00&SESSION_ID=77aa"


def invitation_token(study: Study, **fields: Any) -> str:
    (made,) = invite(study, [Invitee(**fields)], by=None)
    return made.token


def link_token(study: Study, limit: int = 3, **fields: Any) -> str:
    return make_open_link(study, limit=limit, by=None, **fields).token


def shown_link(response: Any) -> str:
    """Return the path of the return link that a page shows; in its head it names its own address as well."""
    page = str(response.content.decode())
    return "/join/" + page.split('link-text">')[1].split("/join/")[1].split("<")[0]


def who(client: Client) -> User | None:
    """Return who a browser is logged in as."""
    pk = client.session.get("_auth_user_id")
    return None if pk is None else User.objects.get(pk=pk)


def is_let_in(response: Any) -> bool:
    return bool(response.status_code == 302 and response.headers["Location"] == "/studies/poems/")


# Invitations


def test_opening_an_invitation_uses_nothing_up(client: Client, study: Study) -> None:
    token = invitation_token(study)
    for ask in (client.get, client.head, client.get):
        response = ask(f"/join/{token}/")
        assert response.status_code == 200
    assert Invitation.objects.get().used_at is None
    assert not User.objects.exists()
    assert who(client) is None


def test_taking_part_makes_an_account_without_a_password_and_logs_it_in(client: Client, study: Study) -> None:
    group = EvaluatorGroup.objects.create(study=study, key="students", name={"en": "Students"})
    token = invitation_token(study, email="dora@example.org", name="Dora", group=group)
    assert is_let_in(client.post(f"/join/{token}/"))
    user = who(client)
    assert user is not None
    assert not user.has_usable_password()
    assert (user.email, user.first_name, user.is_staff) == ("", "", False)
    assert "dora" not in user.username.lower()
    enrolment = Enrolment.objects.get()
    assert (enrolment.evaluator, enrolment.group, enrolment.invitation.email) == (
        user,
        group,
        "dora@example.org",
    )
    assert client.get("/studies/poems/subtasks/1/pages/1/").status_code == 200


def test_the_same_link_in_another_browser_is_the_same_person(client: Client, study: Study) -> None:
    token = invitation_token(study)
    client.post(f"/join/{token}/")
    other = Client()
    assert "Welcome back" in other.get(f"/join/{token}/").content.decode()
    assert who(other) is None
    assert is_let_in(other.post(f"/join/{token}/"))
    assert who(other) == who(client)
    assert Enrolment.objects.count() == User.objects.count() == 1


def test_whoever_is_in_already_is_led_on(client: Client, study: Study) -> None:
    token = invitation_token(study)
    client.post(f"/join/{token}/")
    assert is_let_in(client.get(f"/join/{token}/"))


def test_joining_makes_a_new_session(client: Client, study: Study) -> None:
    token = invitation_token(study)
    session = client.session
    session["planted"] = "1"
    session.save()
    client.cookies["sessionid"] = str(session.session_key)
    client.post(f"/join/{token}/")
    assert client.session.session_key != session.session_key


def test_an_ordinary_account_accepts_with_itself_and_the_link_never_opens_it(
    as_alice: Client, study: Study, alice: User
) -> None:
    token = invitation_token(study)
    alice.set_password("a long password")
    alice.save()
    as_alice.force_login(alice)
    assert is_let_in(as_alice.post(f"/join/{token}/", {"who": "myself"}))
    assert Enrolment.objects.get().evaluator == alice
    stranger = Client()
    response = stranger.post(f"/join/{token}/")
    assert response.status_code == 410
    assert "log in with it" in response.content.decode()
    assert who(stranger) is None


def make_staff(user: User, study: Study) -> None:
    user.is_staff = True


def make_superuser(user: User, study: Study) -> None:
    user.is_superuser = True


def give_password(user: User, study: Study) -> None:
    user.set_password("a long password")


def give_role(user: User, study: Study) -> None:
    StudyRole.objects.create(study=build_study(slug="other"), user=user, role="observer")


def give_permission(user: User, study: Study) -> None:
    user.user_permissions.add(Permission.objects.get(codename="add_study"))


def take_mark(user: User, study: Study) -> None:
    LinkAccount.objects.all().delete()


def lock_out(user: User, study: Study) -> None:
    user.is_active = False


@pytest.mark.parametrize(
    "change",
    [make_staff, make_superuser, give_password, give_role, give_permission, take_mark, lock_out],
)
@pytest.mark.parametrize("kind", ["invitation", "return link", "panel"])
def test_a_link_opens_no_account_that_can_do_more_than_rate(
    client: Client, study: Study, change: Any, kind: str
) -> None:
    if kind == "panel":
        path = f"/join/{link_token(study, takes_external_ids=True)}/{PANEL.format('p1')}"
    else:
        path = f"/join/{invitation_token(study)}/"
    client.post(path)
    if kind == "return link":
        path = shown_link(client.post("/studies/poems/return-link/"))
    user = who(client)
    assert user is not None
    change(user, study)
    user.save()
    stranger = Client()
    response = stranger.post(path)
    assert response.status_code == 410
    assert who(stranger) is None


def test_an_account_with_a_session_of_another_is_changed_after_a_warning(
    client: Client, study: Study, alice: User
) -> None:
    token = invitation_token(study)
    client.post(f"/join/{token}/")
    dora = who(client)
    client.force_login(alice)
    assert "logged in as alice" in client.get(f"/join/{token}/").content.decode()
    # alice is not in the study, so the link leads to the one who used it.
    client.post(f"/join/{token}/")
    assert who(client) == dora


def test_whoever_is_in_the_study_does_not_use_up_a_second_invitation(
    as_alice: Client, study: Study, alice: User
) -> None:
    enrol(study, alice)
    token = invitation_token(study)
    assert is_let_in(as_alice.post(f"/join/{token}/", {"who": "myself"}))
    assert Invitation.objects.get().used_at is None
    assert Enrolment.objects.count() == 1


@pytest.mark.parametrize("token", ["x", "a" * 22, "a" * 500, "%00", "..%2f", "a" * 21 + "é"])
def test_a_link_that_does_not_exist_is_not_found(client: Client, study: Study, token: str) -> None:
    for ask in (client.get, client.post):
        assert ask(f"/join/{token}/").status_code == 404


def test_a_link_that_was_taken_back_opens_nothing(client: Client, study: Study) -> None:
    token, used = invitation_token(study), invitation_token(study)
    Client().post(f"/join/{used}/")
    for invitation in Invitation.objects.all():
        assert revoke_invitation(invitation, by=None)
        assert not revoke_invitation(invitation, by=None)
    for path in (f"/join/{token}/", f"/join/{used}/"):
        response = client.post(path)
        assert response.status_code == 410
        assert "taken back" in response.content.decode()
    assert who(client) is None


def test_an_invitation_expires_unless_it_was_used(client: Client, study: Study) -> None:
    token, used = invitation_token(study), invitation_token(study)
    client.post(f"/join/{used}/")
    Invitation.objects.update(
        created_at=timezone.now() - timedelta(days=40), expires_at=timezone.now() - timedelta(seconds=1)
    )
    response = Client().post(f"/join/{token}/")
    assert response.status_code == 410
    assert "expired" in response.content.decode()
    assert is_let_in(Client().post(f"/join/{used}/"))


def test_after_the_deadline_a_link_is_no_key_any_more(client: Client, study: Study) -> None:
    token = invitation_token(study)
    client.post(f"/join/{token}/")
    Enrolment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    stranger = Client()
    assert stranger.post(f"/join/{token}/").status_code == 410
    assert who(stranger) is None
    Enrolment.objects.update(deadline=timezone.now() + timedelta(days=1))
    assert is_let_in(stranger.post(f"/join/{token}/"))


@pytest.mark.parametrize("state", ["draft", "paused", "closed"])
def test_a_study_that_is_not_open_lets_nobody_new_in(client: Client, study: Study, state: str) -> None:
    paths = [f"/join/{invitation_token(study)}/", f"/join/{link_token(study)}/"]
    Study.objects.update(state=state)
    for path in paths:
        for ask in (client.get, client.post):
            assert ask(path).status_code == 403
    assert not Enrolment.objects.exists()
    assert not User.objects.exists()


def test_in_a_pause_whoever_is_in_may_come_back(client: Client, study: Study) -> None:
    token = invitation_token(study)
    client.post(f"/join/{token}/")
    Study.objects.update(state="paused")
    assert is_let_in(Client().post(f"/join/{token}/"))


def test_whoever_runs_the_study_is_not_let_in_as_an_evaluator_but_somebody_else_at_their_browser_is(
    client: Client, study: Study, alice: User, carol: User
) -> None:
    token = invitation_token(study)
    StudyRole.objects.create(study=study, user=alice, role="analyst")
    for user in (alice, carol):
        client.force_login(user)
        for response in (
            client.get(f"/join/{token}/"),
            client.post(f"/join/{token}/"),
            client.post(f"/join/{token}/", {"who": "myself"}),
        ):
            assert "cannot rate it" in response.content.decode()
            assert 'value="myself"' not in response.content.decode()
        assert response.status_code == 403
    assert not Enrolment.objects.exists()
    assert is_let_in(client.post(f"/join/{token}/", {"who": "somebody-else"}))
    assert Enrolment.objects.get().evaluator not in (alice, carol)


def test_no_token_is_stored(client: Client, study: Study) -> None:
    tokens = [invitation_token(study), link_token(study)]
    tokens.append(shown_link(client.post(f"/join/{tokens[1]}/")).split("/")[2])
    stored = [
        str(row)
        for model in (Invitation, OpenLink, ReturnLink, User, Enrolment)
        for row in model.objects.values()
    ]
    for token in tokens:
        assert not any(token in row for row in stored)
        assert any(hashlib.sha256(token.encode()).hexdigest() in row for row in stored)


def test_a_link_is_not_told_to_other_sites(client: Client, study: Study) -> None:
    response = client.get(f"/join/{invitation_token(study)}/")
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in response.headers["Cache-Control"]


def test_joining_needs_the_csrf_token(study: Study) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/join/{invitation_token(study)}/").status_code == 403
    assert not Enrolment.objects.exists()


def test_an_address_can_join_only_so_often(client: Client, study: Study, settings: Any) -> None:
    settings.JOINS_PER_ADDRESS = 2
    tokens = [invitation_token(study) for _ in range(3)]
    assert [Client().post(f"/join/{token}/").status_code for token in tokens[:2]] == [302, 302]
    response = client.post(f"/join/{tokens[2]}/")
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert re.search(r"Try again in \d+ minutes?\.", response.content.decode())
    assert Enrolment.objects.count() == 2
