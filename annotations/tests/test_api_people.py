"""Recruiting and payments by the API: links are shown once, evaluators join, are paid, and leave."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from annotations.models import Enrolment, Study, StudyRole
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import answer_everything, build_study, build_user
from annotations.tests.test_api_studies import called

PEOPLE = {"people": [{"email": "li@example.org", "name": "Li", "group": "experts"}, {"name": "Wang"}]}


@pytest.fixture
def olga(study: Study) -> User:
    user = build_user("olga")
    StudyRole.objects.create(study=study, user=user, role=StudyRole.Role.OWNER)
    return user


def test_invitations_are_listed_without_what_opens_them(study: Study, olga: User) -> None:
    called(olga, "put", "studies/poems/groups/", {"key": "experts", "name_en": "Experts", "payment": "50.00"})
    made = called(olga, "post", "studies/poems/invitations/", PEOPLE)
    assert made.status_code == 201
    tokens = [one["token"] for one in made.json()["invitations"]]
    assert all(one["address"].endswith(f"/join/{one['token']}/") for one in made.json()["invitations"])
    listed = called(olga, "get", "studies/poems/invitations/?group=experts")
    (row,) = listed.json()["results"]
    assert (row["email"], row["group"], row["evaluator"]) == ("li@example.org", "experts", None)
    assert not any(token in listed.content.decode() for token in tokens)


def test_an_invitation_is_used_and_another_one_taken_back(study: Study, olga: User) -> None:
    made = called(olga, "post", "studies/poems/invitations/", {"people": [{}, {}]}).json()["invitations"]
    joined = called(None, "post", "join/", {"link": made[0]["token"]})
    assert joined.json()["study"] == "poems"
    revoke = f"studies/poems/invitations/{made[1]['uuid']}/revoke/"
    assert called(olga, "post", revoke).json() == {"changed": True}
    assert called(olga, "post", revoke).json() == {"changed": False}
    assert called(None, "post", "join/", {"link": made[1]["token"]}).status_code == 409
    assert called(olga, "get", "studies/poems/invitations/?used=true").json()["count"] == 1


def test_an_open_link_lets_in_as_many_as_it_is_for(study: Study, olga: User) -> None:
    link = called(olga, "post", "studies/poems/links/", {"limit": 1}).json()
    first = called(None, "post", "join/", {"link": link["token"]})
    assert (first.status_code, first.json()["is_new"]) == (200, True)
    assert called(None, "post", "join/", {"link": link["token"]}).status_code == 409
    assert called(olga, "post", f"studies/poems/links/{link['uuid']}/close/").json() == {"changed": True}


def test_ids_of_another_study_lead_nowhere(study: Study, olga: User) -> None:
    other = build_study(slug="another")
    paul = build_user("paul")
    StudyRole.objects.create(study=other, user=paul, role=StudyRole.Role.OWNER)
    (made,) = called(olga, "post", "studies/poems/invitations/", {"people": [{}]}).json()["invitations"]
    link = called(olga, "post", "studies/poems/links/", {"limit": 1}).json()
    answer_everything(enrol(study, build_user("alice")))
    assert called(paul, "post", f"studies/another/invitations/{made['uuid']}/revoke/").status_code == 404
    assert called(paul, "post", f"studies/another/links/{link['uuid']}/close/").status_code == 404
    for path in ("payments/approve/", "payments/paid/", "payments/revoke/"):
        assert called(paul, "post", f"studies/another/{path}", {"evaluators": ["E001"]}).status_code == 409
    body = {"evaluator": "E001", "days": 3}
    assert called(paul, "post", "studies/another/enrolments/extend/", body).status_code == 409
    assert (
        called(paul, "post", "studies/another/enrolments/withdraw/", {"evaluator": "E001"}).status_code == 409
    )


def test_a_group_of_another_study_is_none(study: Study, olga: User) -> None:
    response = called(olga, "post", "studies/poems/invitations/", {"people": [{"group": "experts"}]})
    assert response.status_code == 409
    assert "experts" in response.json()["detail"]
    assert not study.invitations.exists()


def test_who_the_evaluators_are_is_for_owners_alone(study: Study, olga: User, alice: User, bob: User) -> None:
    assert (
        called(olga, "post", "studies/poems/enrolments/", {"username": "alice"}).json()["evaluator"] == "E001"
    )
    (row,) = called(olga, "get", "studies/poems/enrolments/").json()["results"]
    assert row["username"] == "alice"
    StudyRole.objects.create(study=study, user=bob, role=StudyRole.Role.OBSERVER)
    shown = called(bob, "get", "studies/poems/evaluators/")
    assert "E001" in shown.content.decode()
    assert "alice" not in shown.content.decode()


@pytest.mark.parametrize("username", ["olga", "nobody", "carol"])
def test_those_who_run_a_study_are_not_enrolled_in_it(
    study: Study, olga: User, carol: User, username: str
) -> None:
    assert called(olga, "post", "studies/poems/enrolments/", {"username": username}).status_code == 409
    assert not Enrolment.objects.exists()


def test_payments_go_from_due_to_paid(study: Study, olga: User, alice: User, bob: User) -> None:
    Study.objects.update(payment=20)
    answer_everything(enrol(study, alice))
    enrol(study, bob)
    lines = {
        one["evaluator"]: one for one in called(olga, "get", "studies/poems/payments/").json()["results"]
    }
    assert (lines["E001"]["state"], lines["E001"]["amount"], lines["E002"]["state"]) == (
        "due",
        "20.00",
        "not_due",
    )
    assert "18 answers are missing" in lines["E002"]["reason"]
    both: dict[str, Any] = {"evaluators": ["E001", "E002"]}
    assert called(olga, "post", "studies/poems/payments/approve/", both).status_code == 409
    one: dict[str, Any] = {"evaluators": ["E001"]}
    assert called(olga, "post", "studies/poems/payments/approve/", one).json() == one
    assert called(olga, "post", "studies/poems/payments/approve/", one).json() == {"evaluators": []}
    assert called(olga, "post", "studies/poems/payments/paid/", {**one, "reference": "7"}).json() == one
    (paid,) = called(olga, "get", "studies/poems/payments/?state=paid").json()["results"]
    assert (paid["reference"], paid["paid_at"] is not None) == ("7", True)
    assert called(olga, "post", "studies/poems/payments/revoke/", one).status_code == 409
