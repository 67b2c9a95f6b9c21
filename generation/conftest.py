"""Carol is staff; runs are of a few titles, and no message leaves for the broker that other workers listen to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.models import GenerationRun, Prompt, Worker
from generation.orders import ScoredText, SentenceScore, Written
from generation.runs import queue_run
from generation.tasks import write_waiting

Queue = Callable[..., GenerationRun]


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues that were rung for, in order."""
    heard: list[str] = []

    def hear(arguments: tuple[str], **options: Any) -> None:
        assert options == {"queue": arguments[0]}
        heard.append(arguments[0])

    monkeypatch.setattr(write_waiting, "apply_async", hear)
    return heard


@pytest.fixture
def queue(db: None, rings: list[str]) -> Queue:
    """Queue a run over poem titles."""

    def queue_titles(*titles: str, method: str = "inverse_prompting", **options: Any) -> GenerationRun:
        prompts = [Prompt.objects.get_or_create(genre=Prompt.Genre.POEM, text=title)[0] for title in titles]
        return queue_run(method, prompts, **options)

    return queue_titles


@pytest.fixture
def worker(db: None) -> Worker:
    """A worker that has just reported and can write two texts at a time."""
    Worker.objects.report("one@test", queues=["default", "generate"], slots=2)
    return Worker.objects.get()


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_user("carol", is_staff=True))
    return client


def written(text: str = "山中一夜雨，树杪百重泉。", *, runners_up: int = 1) -> Written:
    """Return what a model might hand in, with scores that are easy to add up."""
    sentences = (SentenceScore("山中一夜雨，", -4.0, -1.5), SentenceScore("树杪百重泉。", -5.0, -2.0))
    best = ScoredText(text, -2.5, {"inverse": -1.75, "forward": -0.75}, sentences)
    others = tuple(
        ScoredText(f"其{number}", -3.0 - number, {"inverse": -2.0, "forward": -1.0 - number}, ())
        for number in range(runners_up)
    )
    return Written(
        best, others, unknown="霾", seconds=1.25, provenance={"model": "verse", "checkpoint": "ab12"}
    )
