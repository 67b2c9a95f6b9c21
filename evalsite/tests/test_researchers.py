"""Administrators invite researchers by a link, by which these choose a password; nobody else sees the page."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.tests.cast import build_user, shown
from evalsite.researchers.inviting import invite_researcher, researchers

URL = "/manage/researchers/"


@pytest.fixture
def carol(db: None) -> Client:
    client = Client()
    client.force_login(build_user("carol", is_staff=True))
    return client


def link_on(page: str) -> str:
    found = re.search(r'<code class="link-text">http://testserver(/accounts/forgot/[^<]+)</code>', page)
    assert found
    return found[1]


def test_an_invited_researcher_chooses_a_password_and_begins_a_study(carol: Client) -> None:
    page = carol.post(URL, {"username": "dora", "email": "dora@example.org"}).content.decode()
    assert "Send this link to dora" in page
    visitor = Client()
    form = visitor.get(link_on(page), follow=True)
    assert form.status_code == 200
    chosen = {"new_password1": "verse-and-prose-9", "new_password2": "verse-and-prose-9"}
    visitor.post(form.redirect_chain[-1][0], chosen)
    visitor.post("/accounts/login/", {"username": "dora", "password": "verse-and-prose-9"})
    assert visitor.get("/manage/studies/new/").status_code == 200
    assert visitor.get(URL).status_code == 404
    # The link is used up.
    assert "new_password1" not in shown(Client(), link_on(page))


def test_a_name_that_is_taken_is_refused_at_its_field(carol: Client) -> None:
    build_user("Dora")
    answer = carol.post(URL, {"username": "dora"})
    assert answer.status_code == 400
    assert "There is an account Dora already" in answer.content.decode()
    answer = carol.post(URL, {"username": "a b/c"})
    assert '<a href="#id_username">' in answer.content.decode()
    assert not researchers().exists()


def test_the_same_invitation_sent_twice_makes_one_account_and_shows_a_link_both_times(carol: Client) -> None:
    for _ in range(2):
        assert link_on(carol.post(URL, {"username": "dora", "email": "dora@example.org"}).content.decode())
    assert researchers().count() == 1
    assert carol.post(URL, {"username": "dora", "email": "other@example.org"}).status_code == 400


def test_a_link_can_be_made_again_and_the_right_be_taken_away(carol: Client) -> None:
    invite_researcher("dora")
    assert "has no password yet" in shown(carol, URL)
    assert link_on(carol.post(f"{URL}dora/link/").content.decode())
    question = shown(carol, f"{URL}dora/remove/")
    assert "Shall dora begin no further studies?" in question
    assert "only in Django&#x27;s admin" in question
    assert researchers().exists()
    carol.post(f"{URL}dora/remove/")
    assert not researchers().exists()
    assert User.objects.get(username="dora").is_active
    assert carol.post(f"{URL}dora/remove/").status_code == 404


def test_the_page_is_in_chinese_and_linked_from_the_site(carol: Client) -> None:
    assert "邀请研究者" in shown(carol, URL, "zh-hans")
    site = shown(carol, "/manage/")
    for address in (URL, "/admin/", "/manage/studies/"):
        assert f'href="{address}"' in site
