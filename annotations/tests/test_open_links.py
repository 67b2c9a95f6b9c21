"""Open links, return links, and people whom a panel sends."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotations.models import Enrolment, OpenLink, ReturnLink, Study
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.invitations import close_open_link
from annotations.recruiting.panel import panel_secret, signature_of
from annotations.tests.cast import answer_everything, build_study
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


def test_a_full_link_of_a_closed_study_says_that_the_study_is_closed(study: Study) -> None:
    token = link_token(study, limit=1)
    Client().post(f"/join/{token}/")
    Study.objects.update(state=Study.State.CLOSED)
    response = Client().get(f"/join/{token}/")
    assert response.status_code == 403
    assert "This study is closed." in response.content.decode()


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
    for client, member in ((one, "p1"), (same, "p1"), (other, "p2")):
        client.post(path + PANEL.format(member))
    assert who(one) == who(same) != who(other)
    assert list(Enrolment.objects.values_list("external_id", "external_session")) == [
        ("p1", "77aa"),
        ("p2", "77aa"),
    ]


def test_two_members_of_a_panel_at_one_computer_are_two(client: Client, study: Study) -> None:
    path = f"/join/{link_token(study, takes_external_ids=True)}/"
    client.post(path + PANEL.format("p1"))
    first = who(client)
    client.post(path + PANEL.format("p2"))
    assert who(client) not in (first, None)
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


PLACEHOLDERS = "&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"


@pytest.mark.parametrize(
    ("query", "stored"),
    [
        ("?PROLIFIC_PID=p1" + PLACEHOLDERS, ("p1", "")),
        ("?PROLIFIC_PID=%20p1%20&SESSION_ID=s%201", ("p1", "")),
        ("?PROLIFIC_PID=p1&SESSION_ID=%20s1", ("p1", "s1")),
        ("?workerId=A2X&assignmentId=3Y", ("A2X", "3Y")),
    ],
)
def test_an_id_counts_whatever_stands_beside_it(
    client: Client, study: Study, query: str, stored: tuple[str, str]
) -> None:
    client.post(f"/join/{link_token(study, takes_external_ids=True)}/{query}")
    assert Enrolment.objects.values_list("external_id", "external_session").get() == stored


@pytest.mark.parametrize(
    "query",
    ["?PROLIFIC_PID={{%PROLIFIC_PID%}}", "?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=1"],
)
def test_a_placeholder_or_a_look_at_the_task_is_no_id(client: Client, study: Study, query: str) -> None:
    assert client.post(f"/join/{link_token(study, takes_external_ids=True)}/{query}").status_code == 400
    assert not Enrolment.objects.exists()


def test_an_id_alone_leads_to_nobodys_answers(client: Client, study: Study) -> None:
    path = f"/join/{link_token(study, takes_external_ids=True)}/{PANEL.format('p1')}"
    own_link = shown_link(client.post(path))
    answer_everything(Enrolment.objects.get())
    links = ReturnLink.objects.count()
    stranger = Client()
    for ask in (stranger.get, stranger.post):
        response = ask(path)
        assert response.status_code == 403
        assert "personal link" in response.content.decode()
    assert who(stranger) is None
    assert ReturnLink.objects.count() == links
    assert is_let_in(client.get(path))
    back = Client()
    assert is_let_in(back.post(own_link))
    assert who(back) == who(client)


def test_the_api_gives_no_token_for_an_id_alone(client: Client, study: Study) -> None:
    token = link_token(study, takes_external_ids=True)
    body = {"link": token, "external_id": "p1"}
    first = client.post("/api/v1/join/", body, content_type="application/json").json()["token"]
    again = client.post("/api/v1/join/", body, content_type="application/json")
    assert again.status_code == 409
    own = Client(headers={"authorization": f"Bearer {first}"})
    assert own.get("/api/v1/my/studies/").status_code == 200
    body["signature"] = signature_of(study, "p1")
    assert client.post("/api/v1/join/", body, content_type="application/json").json()["token"]


def test_a_panel_that_signs_brings_its_members_back(client: Client, study: Study) -> None:
    path = f"/join/{link_token(study, takes_external_ids=True)}/?PROLIFIC_PID=p1&signature="
    signed = path + hmac.new(panel_secret(study).encode(), b"p1", hashlib.sha256).hexdigest()
    assert is_let_in(client.post(signed))
    answer_everything(Enrolment.objects.get())
    back = Client()
    assert is_let_in(back.post(signed))
    assert who(back) == who(client)
    for wrong in ("0" * 64, signature_of(study, "p2"), "é"):
        assert Client().post(path + wrong).status_code == 403


def test_the_secret_is_the_studys_and_shown_to_those_who_run_it(
    client: Client, study: Study, carol: User
) -> None:
    link_token(study, takes_external_ids=True)
    assert panel_secret(study) != panel_secret(build_study(slug="other"))
    client.force_login(carol)
    assert panel_secret(study) in client.get("/manage/studies/poems/people/").content.decode()


@pytest.mark.parametrize("reason", ["limit", "closed link", "closed study", "paused study"])
def test_whoever_a_panel_sends_too_late_is_told_the_way_back(study: Study, reason: str) -> None:
    away = "https://panel.example/done?cc=LATE"
    token = link_token(
        study, limit=1, takes_external_ids=True, turned_away_code="LATE1", turned_away_url=away
    )
    path = f"/join/{token}/"
    Client().post(path + PANEL.format("p1"))
    if reason == "closed link":
        close_open_link(OpenLink.objects.get(), by=None)
    elif reason != "limit":
        Study.objects.update(state=reason.split()[0])
    for ask in (Client().get, Client().post):
        page = ask(path + PANEL.format("p2")).content.decode()
        assert "LATE1" in page
        assert f'href="{away}"' in page
    assert Enrolment.objects.count() == 1


def test_whoever_a_panel_sends_back_after_their_deadline_is_told_the_way_back(study: Study) -> None:
    away = "https://panel.example/done?cc=LATE"
    token = link_token(
        study, limit=5, takes_external_ids=True, turned_away_code="LATE1", turned_away_url=away
    )
    path = f"/join/{token}/" + PANEL.format("p1")
    Client().post(path)
    Enrolment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    for ask in (Client().get, Client().post):
        response = ask(path)
        page = response.content.decode()
        assert response.status_code == 410
        assert "The time for this study is over." in page
        assert "LATE1" in page
        assert f'href="{away}"' in page
    assert Enrolment.objects.count() == 1
