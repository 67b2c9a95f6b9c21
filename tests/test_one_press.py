"""One press, one effect: a form that is sent twice, as a double press sends it, makes one thing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from annotations.models import Invitation, OpenLink, Study
from annotations.tests.cast import build_study
from generation.models import SentForm
from generation.web.once import forget_sent, make_once, new_nonce
from turing.models import Game, Player
from turing.tests.cast import build_pairs

PEOPLE = "/manage/studies/poems/people/"


@pytest.fixture
def as_carol(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_user("carol", is_staff=True))
    return client


@pytest.fixture
def study(db: None) -> Study:
    return build_study()


def pressed_twice(client: Client, path: str, **fields: Any) -> list[Any]:
    nonce = new_nonce()
    answers = []
    for _ in range(2):
        if "file" in fields:
            fields["file"] = SimpleUploadedFile("people.csv", b"email\na@example.org\nb@example.org\n")
        answers.append(client.post(path, fields | {"nonce": nonce}))
    return answers


def links_on(response: Any) -> list[str]:
    return sorted(set(re.findall(r"/join/([\w-]{22})/", response.content.decode())))


@pytest.mark.parametrize(
    ("path", "fields", "made"),
    [
        ("invitations/", {"name": "Dora", "days_valid": 7}, 1),
        ("invitations/", {"email": "dora@example.org", "days_valid": 7}, 1),
        ("invitations/file/", {"file": "", "days_valid": 7}, 2),
        ("links/", {"limit": 5}, 1),
    ],
)
def test_a_second_press_makes_no_second_link_and_shows_the_first(
    as_carol: Client, study: Study, path: str, fields: dict[str, Any], made: int
) -> None:
    first, second = pressed_twice(as_carol, PEOPLE + path, **fields)
    assert first.status_code == second.status_code == 200
    assert links_on(first) == links_on(second)
    assert len(links_on(first)) == made
    assert Invitation.objects.count() + OpenLink.objects.count() == made


def test_a_second_press_sends_no_second_letter(as_carol: Client, study: Study, settings: Any) -> None:
    settings.EMAIL_HOST = "localhost"
    first, second = pressed_twice(as_carol, PEOPLE + "invitations/", email="dora@example.org", days_valid=7)
    assert len(mail.outbox) == 1
    assert links_on(first) == links_on(second) == []


def test_the_same_nonce_of_another_user_makes_something_else(as_carol: Client, study: Study) -> None:
    sent = {"limit": 5, "nonce": new_nonce()}
    first = links_on(as_carol.post(PEOPLE + "links/", sent))
    as_carol.force_login(User.objects.create_user("dave", is_staff=True))
    assert links_on(as_carol.post(PEOPLE + "links/", sent)) != first


def test_a_second_press_leads_to_the_study_that_the_first_began(as_carol: Client) -> None:
    first, second = pressed_twice(
        as_carol, "/manage/studies/new/", slug="mine", title_en="Mine", rubric="poem"
    )
    assert first.status_code == second.status_code == 302
    assert first.headers["Location"] == second.headers["Location"] == "/manage/studies/mine/"
    assert Study.objects.count() == 1


def test_a_repeated_call_of_the_api_makes_no_second_link(as_carol: Client, study: Study) -> None:
    for path, body in (("links/", {"limit": 5}), ("invitations/", {"people": [{"name": "Dora"}]})):
        key = {"idempotency-key": new_nonce()}
        answers = [
            as_carol.post(f"/api/v1/studies/poems/{path}", body, content_type="application/json", headers=key)
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
    assert (OpenLink.objects.count(), Invitation.objects.count()) == (1, 1)


def test_a_key_that_came_with_another_call_is_refused(as_carol: Client, study: Study) -> None:
    key = {"idempotency-key": new_nonce()}
    for path, body, status in (
        ("links/", {"limit": 5}, 201),
        ("links/", {"limit": 6}, 409),
        ("invitations/", {"people": [{"name": "Dora"}]}, 409),
        ("links/", {"limit": 5}, 201),
    ):
        answer = as_carol.post(
            f"/api/v1/studies/poems/{path}", body, content_type="application/json", headers=key
        )
        assert answer.status_code == status
    assert (OpenLink.objects.count(), Invitation.objects.count()) == (1, 0)


def test_a_study_begun_twice_by_the_api_with_one_key_is_one_study(as_carol: Client) -> None:
    key = {"idempotency-key": new_nonce()}
    body = {"slug": "mine", "title_en": "Mine", "rubric": "poem"}
    answers = [
        as_carol.post("/api/v1/studies/", body, content_type="application/json", headers=key)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Study.objects.count() == 1


def test_forms_of_long_ago_are_forgotten_and_newer_ones_are_not(study: Study) -> None:
    for _ in range(2):
        make_once(new_nonce(), "alice", lambda: study, Study.objects.all())
    old = SentForm.objects.first()
    assert old
    SentForm.objects.filter(pk=old.pk).update(sent_at=timezone.now() - timedelta(days=31))
    forget_sent()
    assert SentForm.objects.count() == 1
    assert not SentForm.objects.filter(pk=old.pk).exists()


@pytest.mark.parametrize(
    ("page", "forms"),
    [
        (PEOPLE, 3),
        ("/studies/poems/plan/", 1),
        ("/accounts/token/", 1),
        ("/manage/studies/new/", 1),
        ("/manage/self-training/", 1),
        ("/compose/poem/", 1),
    ],
)
def test_every_form_that_makes_something_brings_a_nonce(
    as_carol: Client, study: Study, page: str, forms: int
) -> None:
    assert as_carol.get(page).content.decode().count('name="nonce"') == forms


def test_a_visitors_first_game_begun_twice_is_one_game(db: None) -> None:
    build_pairs(10)
    sent = {"genre": "poem", "nonce": new_nonce()}
    games = [Client().post("/turing/", sent).headers["Location"] for _ in range(2)]
    assert games[0] == games[1]
    assert Game.objects.count() == Player.objects.count() == 1


def test_what_was_made_is_found_again_and_a_refusal_leaves_the_form_good(study: Study) -> None:
    nonce = new_nonce()

    def refuse() -> Study:
        Study.objects.filter(pk=study.pk).update(contact="half")
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        make_once(nonce, "alice", refuse, Study.objects.all())
    assert not Study.objects.filter(contact="half").exists()
    numbers = iter(range(2))

    def make() -> Study:
        return Study.objects.create(slug=f"study-{next(numbers)}", title={"en": "A"})

    made = [make_once(nonce, "alice", make, Study.objects.all()) for _ in range(2)]
    assert made[0] == made[1]
    assert Study.objects.count() == 2
