"""Carol is staff; runs are of a few titles, and no message leaves for the broker that other workers listen to."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.engines.model_library import ENGLISH, FOLDERS, VERSE, VERSE_SELF_TRAINED
from generation.models import Composition, GenerationRun, Prompt, Worker
from generation.orders import ScoredText, SentenceScore, Written
from generation.runs.runs import queue_run
from generation.tasks import learn, write_waiting
from generation.tests.compose_cast import KNOWN, POEM, POSTED

Queue = Callable[..., GenerationRun]


@pytest.fixture
def notified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues that were notified, in order."""
    heard: list[str] = []

    def hear(task: str, arguments: tuple[Any], *, queue: str, eta: datetime | None = None) -> None:
        assert eta is None
        assert task in (write_waiting.name, learn.name)
        if task == learn.name:
            heard.append(f"learn {arguments[0]} in {queue}")
        else:
            assert queue == arguments[0]
            heard.append(queue)

    monkeypatch.setattr("evalsite.celery.app.send_task", hear)
    return heard


@pytest.fixture
def queue(db: None, notified: list[str]) -> Queue:
    """Queue a run over poem titles."""

    def queue_titles(*titles: str, method: str = "inverse_prompting", **options: Any) -> GenerationRun:
        prompts = [Prompt.objects.get_or_create(genre="poem", text=title)[0] for title in titles]
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


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The models that come with the site lie in folders of their own; the verse model knows a few characters."""
    for name in (VERSE, VERSE_SELF_TRAINED, ENGLISH):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "model.safetensors").touch()
        monkeypatch.setitem(FOLDERS, name, folder)
    vocabulary = {"type": "WordLevel", "vocab": {word: place for place, word in enumerate(["<unk>", *KNOWN])}}
    (tmp_path / VERSE / "tokenizer.json").write_text(json.dumps({"model": vocabulary}))
    return tmp_path


@pytest.fixture
def visitor(db: None, notified: list[str], client: Client) -> Client:
    return client


@pytest.fixture
def composed(visitor: Client, worker: Worker) -> Composition:
    """A quatrain that somebody asked for."""
    response = visitor.post(POEM, {**POSTED, "form": "jueju5"})
    assert response.status_code == 302
    return Composition.objects.with_order().get()
