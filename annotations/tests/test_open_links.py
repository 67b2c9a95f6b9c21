"""Open links, return links, and people whom a panel sends."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import Enrolment, OpenLink, ReturnLink, Study
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.invitations import close_open_link
from annotations.tests.cast import answer_everything
from annotations.tests.test_joining import PANEL, invitation_token, is_let_in, link_token, shown_link, who


def test_an_open_link_makes_an_account_for_each_and_a_link_to_come_back_by(study: Study) -> None:
    token = link_token(study)
    one, other = Client(), Client()
    link = shown_link(one.post(f"/join/{token}/"))
    other.post(f"/join/{token}/")
    assert who(one) != who(other)
    back = Client()
    assert is_let_in(back.post(link))
    assert who(back) == who(one)
    assert Enrolment.objects.count() == 2


def test_an_open_link_keeps_its_visitor_by_session(client: Client, study: Study) -> None:
    token = link_token(study)
    client.post(f"/join/{token}/")
    assert "takes part in this study already" in client.get(f"/join/{token}/").content.decode()
    assert is_let_in(client.post(f"/join/{token}/", {"who": "myself"}))
    assert Enrolment.objects.count() == 1


def test_an_open_link_lets_in_as_many_as_it_is_for(study: Study) -> None:
    token = link_token(study, limit=2)
    clients = [Client() for _ in range(3)]
    assert [client.post(f"/join/{token}/").status_code for client in clients] == [200, 200, 410]
    assert is_let_in(clients[0].post(f"/join/{token}/", {"who": "myself"}))
    assert User.objects.count() == 2


def test_a_closed_link_lets_nobody_new_in(client: Client, study: Study) -> None:
    token = link_token(study)
    client.post(f"/join/{token}/")
    assert close_open_link(OpenLink.objects.get(), by=None)
    response = Client().post(f"/join/{token}/")
    assert response.status_code == 410
    assert "closed" in response.content.decode()
    assert is_let_in(client.post(f"/join/{token}/", {"who": "myself"}))


def test_a_return_link_can_be_had_again(client: Client, study: Study) -> None:
    client.post(f"/join/{invitation_token(study)}/")
    links = [shown_link(client.post("/studies/poems/return-link/")) for _ in range(2)]
    assert links[0] != links[1]
    for link in links:
        back = Client()
        assert is_let_in(back.post(link))
        assert who(back) == who(client)


def test_an_account_with_a_password_gets_no_return_link(as_alice: Client, study: Study, alice: User) -> None:
    enrol(study, alice)
    assert is_let_in(as_alice.post("/studies/poems/return-link/"))
    assert not ReturnLink.objects.exists()


# Panels


def test_the_same_external_id_is_the_same_person(study: Study) -> None:
    path = f"/join/{link_token(study, takes_external_ids=True)}/"
    one, same, other = Client(), Client(), Client()
    assert is_let_in(one.post(path + PANEL.format("p1")))
    assert is_let_in(same.post(path + PANEL.format("p1")))
    assert is_let_in(other.post(path + PANEL.format("p2")))
    assert who(one) == who(same) != who(other)
    assert list(Enrolment.objects.values_list("external_id", "external_session")) == [
        ("p1", "77aa"),
        ("p2", "77aa"),
    ]


def test_two_members_of_a_panel_at_one_computer_are_two(client: Client, study: Study) -> None:
    path = f"/join/{link_token(study, takes_external_ids=True)}/"
    client.post(path + PANEL.format("p1"))
    first = who(client)
    assert is_let_in(client.post(path + PANEL.format("p2")))
    assert who(client) != first
    assert is_let_in(client.post(path + PANEL.format("p1")))
    assert who(client) == first


@pytest.mark.parametrize("query", ["", "?PROLIFIC_PID=", "?PROLIFIC_PID=<b>", "?PROLIFIC_PID=" + "9" * 101])
def test_a_panels_link_needs_an_id(client: Client, study: Study, query: str) -> None:
    path = f"/join/{link_token(study, takes_external_ids=True)}/{query}"
    for ask in (client.get, client.post):
        assert ask(path).status_code == 400
    assert not Enrolment.objects.exists()


def test_an_ordinary_link_takes_no_external_id(client: Client, study: Study) -> None:
    client.post(f"/join/{link_token(study)}/{PANEL.format('p1')}")
    assert Enrolment.objects.get().external_id == ""


def test_the_completion_code_is_shown_when_everything_is_answered(client: Client, study: Study) -> None:
    token = link_token(
        study,
        takes_external_ids=True,
        completion_code="C1X2",
        completion_url="https://panel.example/done?cc=C1X2",
    )
    client.post(f"/join/{token}/{PANEL.format('p1')}")
    assert "C1X2" not in client.get("/studies/poems/").content.decode()
    answer_everything(Enrolment.objects.get())
    page = client.get("/studies/poems/").content.decode()
    assert "C1X2</strong>" in page
    assert 'href="https://panel.example/done?cc=C1X2"' in page
