"""The page on which the owner of a study recruits, and who may see it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotations.models import Enrolment, EvaluatorGroup, Invitation, OpenLink, Study, StudyRole
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.invitations import Invitee, invite, make_open_link, put_group
from annotations.tests.cast import answer_everything, build_study, build_user, shown

PEOPLE = "/manage/studies/poems/people/"


@pytest.fixture
def as_owner(client: Client, study: Study) -> Client:
    owner = build_user("olga")
    StudyRole.objects.create(study=study, user=owner, role="owner")
    client.force_login(owner)
    return client


def posts(study: Study) -> list[str]:
    """Return every address of the page that takes a POST, for things that exist."""
    invite(study, [Invitee()], by=None)
    make_open_link(study, limit=1, by=None)
    invitation, link = Invitation.objects.first(), OpenLink.objects.first()
    assert invitation and link
    return [
        f"{PEOPLE}{rest}"
        for rest in (
            "groups/",
            "invitations/",
            "invitations/file/",
            f"invitations/{invitation.uuid}/revoke/",
            "links/",
            f"links/{link.uuid}/close/",
            "evaluators/",
            "evaluators/1/deadline/",
            "evaluators/1/withdraw/",
        )
    ]


def test_only_owners_and_administrators_see_people(
    client: Client, study: Study, alice: User, carol: User
) -> None:
    enrol(study, alice)
    paths = posts(study)
    expected = {"owner": 200, "analyst": 403, "observer": 403}
    for role, status in expected.items():
        user = build_user(role)
        StudyRole.objects.create(study=study, user=user, role=role)
        client.force_login(user)
        for path in (PEOPLE, f"{PEOPLE}evaluators/1/"):
            assert client.get(path).status_code == status, (role, path)
        if role != "owner":
            assert {client.post(path).status_code for path in paths} == {403}
    for user in (alice, build_user("emil")):
        client.force_login(user)
        assert {client.post(path).status_code for path in paths} == {404}
        assert client.get(PEOPLE).status_code == 404
    client.force_login(carol)
    assert client.get(PEOPLE).status_code == 200


def test_an_owner_of_another_study_finds_nothing_of_this_one(as_owner: Client, study: Study) -> None:
    other = build_study(slug="other")
    invite(other, [Invitee("x@example.org")], by=None)
    make_open_link(other, limit=1, by=None)
    invitation, link = Invitation.objects.get(), OpenLink.objects.get()
    assert as_owner.get("/manage/studies/other/people/").status_code == 404
    assert as_owner.post(f"{PEOPLE}invitations/{invitation.uuid}/revoke/").status_code == 404
    assert as_owner.post(f"{PEOPLE}links/{link.uuid}/close/").status_code == 404
    group = put_group(other, "experts", name={"en": "Experts"}, payment=None, by=None)
    response = as_owner.post(f"{PEOPLE}links/", {"limit": "1", "group": group.key})
    assert OpenLink.objects.filter(group=group).count() == 0
    assert response.status_code in (200, 400)


def test_the_page_names_who_takes_part_and_never_a_token(as_owner: Client, study: Study, alice: User) -> None:
    (made,) = invite(study, [Invitee("dora@example.org", "Dora")], by=None)
    link = make_open_link(study, limit=7, by=None, completion_code="C1X2")
    Client().post(f"/join/{made.token}/")
    Client().post(f"/join/{link.token}/")
    answer_everything(enrol(study, alice))
    page = shown(as_owner, PEOPLE)
    for words in (
        "Dora",
        "dora@example.org",
        "E001",
        "accepted",
        "1 / 7",
        "C1X2",
        "finished",
        "not begun",
        "alice",
    ):
        assert words in page, words
    assert made.token not in page
    assert link.token not in page
    assert "guest-" not in page
    assert "Method" not in page


def test_one_person_is_invited_and_the_link_shown_once(as_owner: Client, study: Study) -> None:
    response = as_owner.post(f"{PEOPLE}invitations/", {"email": "dora@example.org", "days_valid": "30"})
    page = response.content.decode()
    assert "dora@example.org" in page
    token = page.split("/join/")[1][:22]
    assert Client().get(f"/join/{token}/").status_code == 200
    assert token not in as_owner.get(PEOPLE).content.decode()
    assert "data:text/csv" in page


def test_with_a_mail_server_the_letter_goes_out_and_no_link_is_shown(
    as_owner: Client, study: Study, settings: Any
) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    sent = {"email": "dora@example.org", "days_valid": "30"}
    response = as_owner.post(f"{PEOPLE}invitations/", sent, follow=True)
    assert "1 invitation was sent." in response.content.decode()
    assert "/join/" not in response.content.decode()
    assert "http://testserver/join/" in mail.outbox[0].body


def test_a_file_with_a_mistake_stores_nothing_and_says_where(as_owner: Client, study: Study) -> None:
    file = SimpleUploadedFile("people.csv", b"email\ndora@example.org\n<script>alert(1)</script>\n")
    response = as_owner.post(f"{PEOPLE}invitations/file/", {"file": file, "days_valid": "30"})
    assert response.status_code == 400
    page = response.content.decode()
    assert "people.csv, line 3, email: " in page
    assert "<script>alert" not in page
    assert not Invitation.objects.exists()


def test_the_people_of_a_file_are_invited(as_owner: Client, study: Study) -> None:
    file = SimpleUploadedFile(
        "people.csv", "email,name\ndora@example.org,=朵拉\nemil@example.org,\n".encode()
    )
    response = as_owner.post(f"{PEOPLE}invitations/file/", {"file": file, "days_valid": "10"})
    page = response.content.decode()
    assert len(set(re.findall(r"/join/([\w-]{22})/", page))) == 2
    # The file to keep is made for spreadsheets: what would start a formula is text.
    assert "%27%3D%E6%9C%B5%E6%8B%89" in page
    assert Invitation.objects.count() == 2


def test_groups_links_and_users_are_added_from_the_page(as_owner: Client, study: Study, alice: User) -> None:
    as_owner.post(f"{PEOPLE}groups/", {"key": "experts", "name_en": "Experts", "payment": "120"})
    group = EvaluatorGroup.objects.get()
    response = as_owner.post(
        f"{PEOPLE}links/", {"limit": "9", "group": "experts", "takes_external_ids": "on"}
    )
    assert "{{%PROLIFIC_PID%}}" in response.content.decode()
    assert OpenLink.objects.get().group == group
    as_owner.post(f"{PEOPLE}evaluators/", {"username": "alice", "group": "experts"})
    assert Enrolment.objects.get().group == group


@pytest.mark.parametrize(
    ("rest", "fields", "message"),
    [
        ("groups/", {"key": "experts"}, "Give the group a name"),
        ("invitations/", {"email": "nobody", "days_valid": "30"}, "valid email"),
        ("invitations/", {"days_valid": "0"}, "greater than or equal to 1"),
        ("invitations/file/", {"days_valid": "30"}, "required"),
        ("links/", {"limit": "0"}, "greater than or equal to 1"),
        ("links/", {"limit": "1", "completion_url": "javascript:alert(1)"}, "valid URL"),
        ("evaluators/", {"username": "nobody"}, "There is no account with this name."),
        ("evaluators/", {"username": "olga"}, "cannot rate it"),
    ],
)
def test_what_cannot_be_done_is_told_at_its_field(
    as_owner: Client, study: Study, rest: str, fields: dict[str, str], message: str
) -> None:
    response = as_owner.post(PEOPLE + rest, fields)
    assert response.status_code == 400
    assert message in response.content.decode()
    assert not Enrolment.objects.exists()


def test_invitations_are_taken_back_and_links_closed(as_owner: Client, study: Study) -> None:
    revoke, close = (path for path in posts(study) if path.endswith(("/revoke/", "/close/")))
    assert "Take back this invitation?" in shown(as_owner, revoke)
    assert "0 of 1 have joined by it." in shown(as_owner, close)
    assert Invitation.objects.get().revoked_at is None, "asking changes nothing"
    assert OpenLink.objects.get().closed_at is None, "asking changes nothing"
    # The list of people leads to the questions and does nothing itself.
    assert re.findall(r'<(\w+) [^>]*="[^"]*/(?:revoke|close)/"', shown(as_owner, PEOPLE)) == ["a", "a"]
    assert as_owner.post(revoke).status_code == as_owner.post(close).status_code == 302
    assert Invitation.objects.get().revoked_at is not None
    assert OpenLink.objects.get().closed_at is not None
    page = shown(as_owner, PEOPLE)
    assert "taken back" in page


def test_taking_a_used_invitation_back_says_whose_way_back_it_is(as_owner: Client, study: Study) -> None:
    (made,) = invite(study, [Invitee("ann@example.org", "Ann")], by=None)
    Client().post(f"/join/{made.token}/")
    page = shown(as_owner, f"{PEOPLE}invitations/{Invitation.objects.get().uuid}/revoke/")
    assert "Take back the invitation of Ann?" in page
    assert f"{Enrolment.objects.get().pseudonym} joined by it" in page


def test_the_page_of_an_evaluator_shows_the_form_and_moves_the_deadline(
    as_owner: Client, study: Study, alice: User
) -> None:
    enrolment = enrol(study, alice)
    Study.objects.update(
        questions=[
            {
                "key": "age",
                "kind": "number",
                "label": {"en": "Age"},
                "choices": [],
                "is_required": True,
            }
        ]
    )
    Enrolment.objects.update(form_answers={"age": 31})
    page = shown(as_owner, f"{PEOPLE}evaluators/1/")
    assert "<dt>Age</dt><dd><bdi>31</bdi></dd>" in page
    enrolment.refresh_from_db()
    before = enrolment.deadline
    as_owner.post(f"{PEOPLE}evaluators/1/deadline/", {"days": "3"})
    enrolment.refresh_from_db()
    assert (enrolment.deadline - before).days == 3
    assert as_owner.post(f"{PEOPLE}evaluators/1/deadline/", {"days": "0"}).status_code == 400
    assert as_owner.get(f"{PEOPLE}evaluators/2/").status_code == 404
    assert as_owner.get(f"{PEOPLE}evaluators/0/").status_code == 404


def test_the_owner_removes_answers_after_confirming(as_owner: Client, study: Study, alice: User) -> None:
    answer_everything(enrol(study, alice))
    assert as_owner.post(f"{PEOPLE}evaluators/1/withdraw/").status_code == 400
    response = as_owner.post(f"{PEOPLE}evaluators/1/withdraw/", {"is_meant": "on"}, follow=True)
    page = " ".join(response.content.decode().split())
    assert "18 answers removed" in page
    assert "alice" not in page
    assert Enrolment.objects.get().withdrawn_at is not None


def test_simulated_and_imported_evaluators_are_not_on_the_page(
    as_owner: Client, study: Study, alice: User
) -> None:
    enrol(study, alice, source=Enrolment.Source.SIMULATED)
    assert "Nobody has joined yet." in shown(as_owner, PEOPLE)


def test_the_page_takes_as_many_queries_for_any_number(
    as_owner: Client, study: Study, django_assert_max_num_queries: Any
) -> None:
    for group in range(2):
        put_group(study, f"group-{group}", name={"en": "Experts"}, payment=None, by=None)
    for first, last in ((0, 2), (2, 9)):
        for number in range(first, last):
            enrol(study, build_user(f"evaluator-{number}"))
        invite(study, [Invitee()] * last, by=None)
        make_open_link(study, limit=3, by=None)
        with django_assert_max_num_queries(16):
            as_owner.get(PEOPLE)
