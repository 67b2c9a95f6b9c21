"""Large files that are sent to the API are stored by workers, small ones at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from annotations.jobs.running import run_next
from annotations.models import Job, PageCandidate, Rating, Study
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import create_study
from annotations.tests.cast import build_user
from annotations.uploads import waiting as uploads

pytestmark = pytest.mark.django_db(transaction=True)
RATINGS = "/api/v1/studies/elsewhere/ratings/?scale=overall=1:5"
LONG = "evaluator,prompt,method,criterion,score\n" + "".join(
    f"E{one},P{prompt},{method},overall,{1 + (one + prompt) % 5}\n"
    for one in range(3)
    for prompt in range(4)
    for method in ("T5", "BART")
)
TEXTS = "prompt,method,text\n" + "".join(
    f"Why {prompt}?,{method},Because {prompt} by {method}.\n"
    for prompt in range(5)
    for method in ("T5", "BART")
)


@pytest.fixture
def owner(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr("evalsite.celery.app.send_task", lambda *_arguments, **_options: None)
    user: User = build_user("olga")
    user.user_permissions.add(Permission.objects.get(codename="add_study"))
    create_study(slug="mine", rubric=load_rubric("qa"), by=user)
    client.force_login(user)
    return client


def put(client: Client, path: str, content: str) -> Any:
    return client.put(path, content, content_type="text/csv")


def finished(client: Client, response: Any) -> dict[str, Any]:
    assert response.status_code == 202
    assert response["Location"] == response.json()["job"]
    assert run_next()
    found: dict[str, Any] = client.get(response.json()["job"]).json()
    return found


def test_small_files_are_stored_at_once(owner: Client) -> None:
    assert put(owner, RATINGS, LONG).status_code == 201
    assert put(owner, "/api/v1/studies/mine/material/", TEXTS).status_code == 200
    assert (Rating.objects.count(), Job.objects.count()) == (24, 0)


def test_many_ratings_are_stored_by_a_worker_once(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST_IN_A_REQUEST", 100)
    looked = put(owner, f"{RATINGS}&dry_run=true", LONG)
    assert (looked.status_code, Rating.objects.count()) == (200, 0)
    response = put(owner, RATINGS, LONG)
    assert not Rating.objects.exists()
    job = finished(owner, response)
    assert (job["state"], job["made"], job["error"]) == ("done", "elsewhere", "")
    assert Rating.objects.count() == 24
    # Sent again, the same changes nothing.
    assert finished(owner, put(owner, RATINGS, LONG))["made"] == "elsewhere"
    assert (Rating.objects.count(), Study.objects.filter(slug="elsewhere").count()) == (24, 1)


def test_much_material_is_stored_by_a_worker(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST_IN_A_REQUEST", 100)
    job = finished(owner, put(owner, "/api/v1/studies/mine/material/", TEXTS))
    assert (job["state"], job["made"], PageCandidate.objects.count()) == ("done", "mine", 10)


def test_what_is_wrong_in_a_large_file_is_said_by_its_job(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST_IN_A_REQUEST", 100)
    job = finished(owner, put(owner, "/api/v1/studies/mine/material/", TEXTS + "Why 9?,T5,Alone.\n"))
    assert job["state"] == "failed"
    assert "Why 9?" in job["error"]
    assert not PageCandidate.objects.exists()
