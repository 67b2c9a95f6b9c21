"""What no request may break, and what is said where something is broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client

from annotations.models import PageCandidate, Study, StudyMethod
from annotations.tests.cast import build_study
from evalsite.accounts.tokens import make_token


@pytest.fixture
def visitor(db: None) -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def called(visitor: Client) -> Client:
    visitor.defaults["HTTP_AUTHORIZATION"] = f"Bearer {make_token(User.objects.create_superuser('root'))}"
    return visitor


@pytest.mark.parametrize("address", ["/accounts/login/", "/admin/login/"])
def test_a_name_longer_than_any_account_has_does_not_log_in(visitor: Client, address: str) -> None:
    response = visitor.post(address, {"username": "a" * 300, "password": "x"})
    assert response.status_code == 200
    assert "lease enter " in response.content.decode()


@pytest.mark.parametrize("body", ['{"slug": "\\ud800"}', '{"\\udfff": 1}', '{"questions": [["\\ud800"]]}'])
def test_half_a_character_in_json_is_refused(called: Client, body: str) -> None:
    response = called.post("/api/v1/studies/", body, content_type="application/json")
    assert response.status_code == 400
    assert "half a character" in response.json()["detail"]


@pytest.mark.parametrize("address", ["prompts/", "prompts/1/1/"])
def test_the_prompts_of_a_study_without_texts_are_none_to_compare(visitor: Client, address: str) -> None:
    study = build_study(prompts=1)
    PageCandidate.objects.all().delete()
    StudyMethod.objects.all().delete()
    Study.objects.filter(pk=study.pk).update(state=Study.State.DRAFT)
    visitor.force_login(User.objects.create_superuser("root"))
    page = visitor.get(f"/studies/poems/results/{address}")
    assert page.status_code == 200
    assert "The study has no texts to compare yet." in page.content.decode()


@contextmanager
def database_away() -> Iterator[None]:
    """Answer every query as a connection does whose server is gone."""

    def fail(*args: Any, **options: Any) -> None:
        raise OperationalError("the connection is lost")

    with connection.execute_wrapper(fail):
        yield


def test_a_script_is_told_when_to_come_again_while_the_database_is_away(called: Client) -> None:
    with database_away():
        response = called.get("/api/v1/studies/")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert response.json() == {"detail": "The site is not ready. Try again in a moment."}


def test_a_page_says_that_the_site_is_not_ready_while_the_database_is_away(called: Client) -> None:
    with database_away():
        response = called.get("/turing/")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert "The site is not ready." in response.content.decode()


def test_a_fault_under_api_is_json(called: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("annotations.setup.studies_api.page_response", fail)
    response = called.get("/api/v1/studies/")
    assert response.status_code == 500
    assert response.json() == {"detail": "The fault is ours."}
