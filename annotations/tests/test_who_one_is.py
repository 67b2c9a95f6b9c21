"""The link decides who one is, never the browser's past; and one press has one effect."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotations.models import Enrolment, Invitation, Rating, ReturnLink, Study
from annotations.tests.cast import answer_everything, build_study
from annotations.tests.test_joining import invitation_token, is_let_in, link_token, shown_link, who
from generation.web.once import new_nonce


def path_of(study: Study, kind: str) -> str:
    token = invitation_token(study) if kind == "invitation" else link_token(study)
    return f"/join/{token}/"


@pytest.fixture
def guest(client: Client, study: Study) -> User:
    """Somebody who came into the study by an invitation in this browser, and answered everything."""
    client.post(path_of(study, "invitation"))
    answer_everything(Enrolment.objects.get())
    user = who(client)
    assert user is not None
    return user


@pytest.mark.parametrize("kind", ["invitation", "open link"])
def test_a_second_persons_link_does_not_lead_into_the_first_ones_answers(
    client: Client, study: Study, guest: User, kind: str
) -> None:
    path = path_of(study, kind)
    page = client.get(path)
    assert page.status_code == 200
    assert guest.username in page.content.decode()
    assert "somebody else" in page.content.decode()
    client.post(path, {"who": "somebody-else"})
    second = who(client)
    assert second is not None
    assert second != guest
    assert Rating.objects.filter(enrolment__evaluator=guest).exists()
    assert not Rating.objects.filter(enrolment__evaluator=second).exists()
    if kind == "invitation":
        assert Invitation.objects.order_by("pk").last().used_by.evaluator == second  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["invitation", "open link"])
def test_whoever_goes_on_as_themselves_leaves_the_link_unused(
    client: Client, study: Study, guest: User, kind: str
) -> None:
    assert is_let_in(client.post(path_of(study, kind), {"who": "myself"}))
    assert who(client) == guest
    assert Enrolment.objects.count() == 1
    assert Invitation.objects.filter(used_at=None).count() == (kind == "invitation")


@pytest.mark.parametrize("said", [{}, {"who": ""}, {"who": "nobody"}])
def test_a_form_that_does_not_say_who_it_is_for_changes_nothing(
    client: Client, study: Study, guest: User, said: dict[str, str]
) -> None:
    # As it is sent by a page that was loaded before somebody else logged in.
    response = client.post(path_of(study, "open link"), said)
    assert response.status_code == 400
    assert "Who are you?" in response.content.decode()
    assert Enrolment.objects.count() == 1


@pytest.mark.parametrize("kind", ["invitation", "open link"])
def test_an_account_made_by_a_link_takes_no_link_to_another_study(
    client: Client, study: Study, guest: User, kind: str
) -> None:
    other = build_study(slug="other")
    path = path_of(other, kind)
    assert "go on as this one" not in client.get(path).content.decode()
    assert client.post(path, {"who": "myself"}).status_code == 400
    assert not other.enrolments.exists()
    client.post(path, {"who": "somebody-else"})
    second = other.enrolments.get().evaluator
    assert who(client) == second != guest
    # The second person's link leads to the second person alone.
    stranger = Client()
    stranger.post(f"/join/{shown_link(client.post('/studies/other/return-link/')).split('/')[2]}/")
    assert stranger.get("/studies/poems/").status_code == 404


def test_a_colleague_at_the_browser_of_an_ordinary_account_gets_one_of_their_own(
    as_alice: Client, study: Study, alice: User
) -> None:
    alice.set_password("a long password")
    alice.save()
    as_alice.force_login(alice)
    path = path_of(study, "invitation")
    assert "alice" in as_alice.get(path).content.decode()
    as_alice.post(path, {"who": "somebody-else"})
    assert who(as_alice) == Enrolment.objects.get().evaluator != alice


def test_a_full_link_offers_only_to_go_on(client: Client, study: Study) -> None:
    path = f"/join/{link_token(study, limit=1)}/"
    client.post(path)
    page = client.get(path).content.decode()
    assert 'value="myself"' in page
    assert 'value="somebody-else"' not in page
    assert client.post(path, {"who": "somebody-else"}).status_code == 410
    assert Enrolment.objects.count() == 1


# Logging out


def test_logging_out_of_an_account_without_a_password_offers_its_link_first(
    client: Client, study: Study, guest: User
) -> None:
    page = client.post("/accounts/logout/")
    assert "only way back" in page.content.decode()
    assert who(client) == guest
    link = shown_link(client.post("/studies/poems/return-link/"))
    client.post("/accounts/logout/", {"is_meant": "1"})
    assert who(client) is None
    client.post(link)
    assert who(client) == guest


def test_an_account_with_a_password_logs_out_at_once(as_alice: Client, alice: User) -> None:
    alice.set_password("a long password")
    alice.save()
    as_alice.force_login(alice)
    as_alice.post("/accounts/logout/")
    assert who(as_alice) is None


def test_opening_the_address_logs_nobody_out(as_alice: Client, alice: User) -> None:
    as_alice.get("/accounts/logout/")
    assert who(as_alice) == alice


# One press, one effect


def test_a_second_press_is_the_same_person_and_sees_the_same_link(study: Study) -> None:
    path, sent = f"/join/{link_token(study, limit=1)}/", {"nonce": new_nonce()}
    one, again = Client(), Client()
    links = [shown_link(client.post(path, sent)) for client in (one, again)]
    assert Enrolment.objects.count() == User.objects.count() == ReturnLink.objects.count() == 1
    assert links[0] == links[1]
    assert who(one) == who(again) is not None


def test_a_second_press_that_brings_the_new_session_goes_on(client: Client, study: Study) -> None:
    path, sent = f"/join/{link_token(study)}/", {"nonce": new_nonce()}
    client.post(path, sent)
    assert client.post(path, sent).status_code == 200
    assert Enrolment.objects.count() == 1


def test_each_form_has_a_nonce_of_its_own(study: Study) -> None:
    path = f"/join/{link_token(study)}/"
    pages = [Client().get(path).content.decode() for _ in range(2)]
    nonces = [page.split('name="nonce" value="')[1].split('"')[0] for page in pages]
    for nonce in nonces:
        Client().post(path, {"nonce": nonce})
    assert Enrolment.objects.count() == 2


def test_a_form_that_was_left_open_is_no_key_to_the_account_it_made(study: Study) -> None:
    path, sent = f"/join/{link_token(study)}/", {"nonce": new_nonce()}
    Client().post(path, sent)
    Enrolment.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    stranger = Client()
    response: Any = stranger.post(path, sent)
    assert (response.status_code, response.headers["Location"]) == (302, path)
    assert who(stranger) is None
    assert Enrolment.objects.count() == 1


@pytest.mark.parametrize("nonce", ["x", "a" * 23, "é" * 22, "\x00" * 22])
def test_a_nonce_that_the_site_never_made_counts_as_none(client: Client, study: Study, nonce: str) -> None:
    client.post(f"/join/{link_token(study)}/", {"nonce": nonce})
    assert Enrolment.objects.get().join_nonce == ""
