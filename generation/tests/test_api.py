"""Runs by the API: administrators see all, others those they started; a run is cancelled and tried again."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.models import GenerationRun, Prompt, RunPrompt
from generation.runs.runs import queue_run

API = "/api/v1/"


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def run(alice: User) -> GenerationRun:
    """A run of alice's over three titles."""
    prompts = [Prompt.objects.create(genre="poem", text=text) for text in ("春晓", "静夜思", "江雪")]
    return queue_run("inverse_prompting", prompts, seed=7, started_by=alice)


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_run_is_for_whoever_started_it_and_for_administrators(run: GenerationRun, alice: User) -> None:
    bob, carol = User.objects.create_user("bob"), User.objects.create_user("carol", is_staff=True)
    found = {
        user.username: (
            as_user(user).get(f"{API}runs/").json()["count"],
            as_user(user).get(f"{API}runs/{run.uuid}/").status_code,
            as_user(user).post(f"{API}runs/{run.uuid}/retry/").status_code,
            as_user(user).get(f"{API}workload/").status_code,
        )
        for user in (alice, bob, carol)
    }
    assert found == {"alice": (1, 200, 409, 403), "bob": (0, 404, 404, 403), "carol": (1, 200, 409, 200)}


def test_a_run_tells_how_far_it_is(
    run: GenerationRun, alice: User, django_assert_max_num_queries: Any
) -> None:
    client = as_user(alice)
    with django_assert_max_num_queries(6):
        shown = client.get(f"{API}runs/{run.uuid}/").json()
    assert (shown["state"], shown["seed"], shown["texts"], shown["written"]) == ("queued", 7, 3, 0)
    assert shown["tokens_sent"] == 0
    assert (shown["progress"]["waiting"], shown["progress"]["has_worker"]) == (3, False)


def test_the_prompts_of_a_run_are_listed_by_state(run: GenerationRun, alice: User) -> None:
    RunPrompt.objects.filter(number=2).update(state=RunPrompt.State.FAILED, error="no such form")
    client = as_user(alice)
    assert client.get(f"{API}runs/{run.uuid}/texts/").json()["count"] == 3
    (failed,) = client.get(f"{API}runs/{run.uuid}/texts/?state=failed").json()["results"]
    assert (failed["number"], failed["prompt"], failed["error"], failed["text"]) == (
        2,
        "静夜思",
        "no such form",
        None,
    )
    again = client.post(f"{API}runs/{run.uuid}/retry/").json()
    assert (again["state"], again["progress"]["failed"]) == ("running", 0)


def test_a_run_is_cancelled_once(run: GenerationRun, alice: User) -> None:
    client = as_user(alice)
    assert client.post(f"{API}runs/{run.uuid}/cancel/").json()["state"] == "cancelled"
    assert client.post(f"{API}runs/{run.uuid}/cancel/").status_code == 409
    assert client.get(f"{API}runs/?state=cancelled").json()["count"] == 1
