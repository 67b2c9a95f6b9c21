from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client


def test_the_home_page_is_open_to_everybody_and_asks_nothing_of_the_database(
    client: Client, db: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        response = client.get("/")
    assert response.status_code == 200
    assert re.search(r'href="/studies/">\s*Log in and rate\s*</a>', response.content.decode())


def test_the_home_page_leads_an_evaluator_to_their_studies(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("alice"))
    assert "Go to your studies" in client.get("/").content.decode()


def test_a_wrong_password_is_told_with_a_link_to_the_field(client: Client, db: None) -> None:
    response = client.post("/accounts/login/", {"username": "alice", "password": "wrong"})
    assert '<a href="#id_username">Please enter a correct username and password' in response.content.decode()


def test_a_log_in_leads_back_to_the_page_that_asked_for_it(client: Client, db: None) -> None:
    User.objects.create_user("alice", password="verse-and-prose")
    page = client.get("/accounts/login/?next=/studies/poems/").content.decode()
    assert '<input type="hidden" name="next" value="/studies/poems/">' in page
    fields = {"username": "alice", "password": "verse-and-prose", "next": "/studies/poems/"}
    assert client.post("/accounts/login/", fields).headers["Location"] == "/studies/poems/"


def test_a_log_in_that_is_tried_too_often_is_locked_with_a_page(client: Client, db: None) -> None:
    for _ in range(6):
        response = client.post("/accounts/login/", {"username": "alice", "password": "wrong"})
    assert response.status_code == 429
    assert "<h1>Too many attempts</h1>" in response.content.decode()


@pytest.mark.parametrize(
    ("language", "title"), [("en", "This page does not exist"), ("zh-hans", "没有这个页面")]
)
def test_a_missing_page_says_so_in_the_language_of_the_reader(
    client: Client, db: None, language: str, title: str
) -> None:
    response = client.get("/nothing/", headers={"accept-language": language})
    assert response.status_code == 404
    assert f"<h1>{title}</h1>" in response.content.decode()


def test_a_form_that_is_out_of_date_says_so(db: None) -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/logout/")
    assert response.status_code == 403
    assert "<h1>This form is out of date</h1>" in response.content.decode()


def test_the_page_of_an_error_needs_nothing_to_be_shown() -> None:
    assert "<h1>Something went wrong</h1>" in render_to_string("500.html")


def test_every_page_forbids_inline_code(client: Client, db: None) -> None:
    for path in ("/", "/accounts/login/", "/nothing/"):
        response = client.get(path)
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert "<style" not in response.content.decode()
        assert " style=" not in response.content.decode()


def test_below_a_path_the_api_still_answers_in_json(client: Client, db: None) -> None:
    """`SCRIPT_NAME`, as a web server passes it for a site that shares its host."""
    below = {"SCRIPT_NAME": "/evaluation"}
    assert client.get("/api/nothing/", **below).headers["Content-Type"] == "application/json"  # type: ignore[arg-type]
