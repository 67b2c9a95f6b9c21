"""The page on which administrators see the whole site."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from annotations.plan.simulation import simulate_ratings
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import answer_everything, build_study, build_user, shown
from evalsite import dashboard
from generation.models import Prompt, Worker
from generation.runs.runs import queue_run
from turing.models import DayTally, Results
from turing.tests.cast import build_pairs

PAGE = "/manage/"


@pytest.fixture
def carol(db: None) -> User:
    return build_user("carol", is_staff=True)


@pytest.fixture
def as_carol(client: Client, carol: User, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Carol, on a site whose broker answers."""
    monkeypatch.setattr(dashboard, "broker_trouble", lambda: "")
    cache.clear()
    client.force_login(carol)
    return client


def test_only_administrators_see_the_site(client: Client, db: None) -> None:
    assert client.get(PAGE).status_code == 302
    client.force_login(build_user("alice"))
    assert client.get(PAGE).status_code == 404


def test_an_empty_site_says_how_to_begin(as_carol: Client) -> None:
    page = shown(as_carol, PAGE)
    assert "There is no study yet." in page
    assert "No worker has reported." in page
    assert "Nobody has played in the last seven days." in page
    assert 'href="/manage/"' in page


def test_studies_are_counted(as_carol: Client) -> None:
    study = build_study(prompts=3)
    answer_everything(enrol(study, build_user("alice")))
    build_study(slug="other")
    found = {one.slug: one for one in dashboard.studies_with_counts()}
    alice = found["poems"]
    assert (alice.prompts, alice.evaluators, alice.ratings, alice.picks) == (3, 1, 24, 3)  # type: ignore[attr-defined]
    assert found["poems"].is_sealed and not found["other"].is_sealed  # type: ignore[attr-defined]
    page = shown(as_carol, PAGE)
    assert "open, sealed" in page
    assert 'href="/manage/studies/poems/progress/"' in page


def test_a_queue_that_nobody_takes_is_told(as_carol: Client) -> None:
    prompt = Prompt.objects.create(genre="poem", text="秋思")
    run = queue_run("inverse_prompting", [prompt])
    assert "nobody takes it" in shown(as_carol, PAGE)
    Worker.objects.report("demo@host", queues=[run.queue])
    assert dashboard.queues(tuple(Worker.objects.all())) == (dashboard.Queue(run.queue, 1, 1),)
    page = shown(as_carol, PAGE)
    assert "nobody takes it" not in page
    assert "demo@host" in page
    assert f"/runs/{run.uuid}/" in page
    Worker.objects.update(seen_at=Now() - timedelta(minutes=1))
    assert "demo@host" not in shown(as_carol, PAGE)


def test_the_days_of_the_game_are_told(as_carol: Client) -> None:
    today = timezone.now().date()
    results = Results.objects.create(kind="pairs")
    for days, scope, answered in ((0, "all", 10), (0, "unflagged", 8), (3, "all", 5), (3, "unflagged", 5)):
        DayTally.objects.create(
            results=results,
            day=today - timedelta(days=days),
            scope=scope,
            answered=answered,
            selected=4,
            players=2,
        )
    DayTally.objects.create(
        results=results, day=today - timedelta(days=7), scope="all", answered=99, selected=1
    )
    assert dashboard.game_days() == (
        dashboard.GameDay(today.isoformat(), 10, 4, 2, 2),
        dashboard.GameDay((today - timedelta(days=3)).isoformat(), 5, 4, 2, 0),
    )
    build_pairs(3)
    assert "3 pairs in play" in shown(as_carol, PAGE)


def test_a_broker_that_does_not_answer_is_told(as_carol: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "broker_trouble", lambda: "does not answer")
    assert "Broker: does not answer" in shown(as_carol, PAGE)


@pytest.mark.parametrize("studies", [1, 5])
def test_the_page_takes_at_most_twelve_queries(
    as_carol: Client, studies: int, django_assert_max_num_queries: Any
) -> None:
    for number in range(studies):
        simulate_ratings(build_study(slug=f"study-{number}"), evaluators=2, seed=1)
    Worker.objects.report("demo@host", queues=["generate"])
    with django_assert_max_num_queries(12):
        shown(as_carol, PAGE)
