"""What was made survives a lost page: a link is shown again to whoever made it, and to nobody else."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from annotations.models import Enrolment, Invitation, OpenLink, Study, StudyRole
from annotations.recruiting.invitations import (
    Invitee,
    close_open_link,
    invite,
    make_open_link,
    revoke_invitation,
)
from annotations.recruiting.tokens import token_digest
from annotations.tests.cast import build_user

PEOPLE = "/manage/studies/poems/people/"
NONCE = "n" * 22


@pytest.fixture
def olga(study: Study) -> User:
    user = build_user("olga")
    StudyRole.objects.create(study=study, user=user, role="owner")
    return user


@pytest.fixture
def as_olga(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


@pytest.fixture
def as_second_owner(study: Study) -> Client:
    user, client = build_user("otto"), Client()
    StudyRole.objects.create(study=study, user=user, role="owner")
    client.force_login(user)
    return client


def shown(response: Any) -> str:
    """The path of the one link on a page."""
    (found,) = set(re.findall(r"/join/[A-Za-z0-9_-]{22}/", response.content.decode()))
    return str(found)


def test_an_open_link_has_a_name_and_is_shown_again_to_whoever_made_it(
    as_olga: Client, as_second_owner: Client
) -> None:
    made = as_olga.post(f"{PEOPLE}links/", {"limit": "5", "name": "Class of May", "nonce": NONCE})
    address = f"{PEOPLE}links/{OpenLink.objects.get().uuid}/"
    page = as_olga.get(PEOPLE).content.decode()
    assert "Class of May" in page
    assert f'href="{address}"' in page
    again = as_olga.get(address)
    assert (
        shown(again) == shown(made) == shown(as_olga.post(f"{PEOPLE}links/", {"limit": "5", "nonce": NONCE}))
    )
    assert "New links" not in again.content.decode()
    Client().post(shown(again))
    assert Enrolment.objects.get().open_link == OpenLink.objects.get()
    assert f'href="{address}"' not in as_second_owner.get(PEOPLE).content.decode()
    refused = as_second_owner.get(address, follow=True).content.decode()
    assert "Only whoever made this link can have it shown again." in refused
    assert "/join/" not in refused


def test_the_database_alone_opens_no_link(study: Study, olga: User) -> None:
    link = make_open_link(study, limit=1, by=olga)
    assert isinstance(link.made, OpenLink)
    stored = OpenLink.objects.values().get()
    assert stored["token_hash"] == token_digest(link.token)
    assert link.token not in str(stored)


def test_an_invitation_is_shown_again_until_it_is_used_or_taken_back(
    as_olga: Client, olga: User, study: Study
) -> None:
    first, second = invite(study, [Invitee(name="Ann"), Invitee(name="Ben")], by=olga, nonce=NONCE)
    assert [one.token for one in invite(study, [Invitee(name="Ann")], by=olga, nonce=NONCE)] == [
        first.token, second.token,
    ]  # fmt: skip
    address = {
        name: f"{PEOPLE}invitations/{Invitation.objects.get(name=name).uuid}/" for name in ("Ann", "Ben")
    }
    assert shown(as_olga.get(address["Ann"])) == f"/join/{first.token}/"
    Client().post(f"/join/{first.token}/")
    assert isinstance(second.made, Invitation)
    revoke_invitation(second.made, by=olga)
    for one in address.values():
        assert "Nobody can join by this link any more." in as_olga.get(one, follow=True).content.decode()
        assert f'href="{one}"' not in as_olga.get(PEOPLE).content.decode()


def test_a_link_of_an_earlier_version_or_one_that_is_closed_is_not_shown(
    as_olga: Client, olga: User, study: Study
) -> None:
    made = make_open_link(study, limit=1, by=olga).made
    assert isinstance(made, OpenLink)
    OpenLink.objects.update(token_hash="0" * 64)
    page = as_olga.get(f"{PEOPLE}links/{made.uuid}/", follow=True).content.decode()
    assert "cannot be shown again" in page
    close_open_link(made, by=olga)
    page = as_olga.get(f"{PEOPLE}links/{made.uuid}/", follow=True).content.decode()
    assert "Nobody can join by this link any more." in page


def test_api_and_command_show_what_they_made(as_olga: Client, study: Study) -> None:
    url = "/api/v1/studies/poems/links/"
    made = as_olga.post(url, {"limit": 3, "name": "Panel"}, content_type="application/json").json()
    assert as_olga.get(f"{url}{made['uuid']}/").json()["address"] == made["address"]
    output, listed = io.StringIO(), io.StringIO()
    call_command("open_link", "poems", "--limit", "7", "--name", "Lab", stdout=output)
    call_command("open_link", "poems", "--list", stdout=listed)
    first, second = listed.getvalue().splitlines()
    assert first == "Panel: 0 of 3 joined. Only whoever made this link can have it shown again."
    assert second == f"Lab: 0 of 7 joined. {output.getvalue().strip()}"
