"""A chain of self-training from a tiny model, and a stand-in for what teaches it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from generation.engines import model_library
from generation.models import SelfTraining
from generation.self_training.chain import (
    start_self_training,
)
from generation.tests.self_training_cast import TITLES, make_verse_model
from generation.training.settings import Learnt, Lesson


@pytest.fixture(scope="module")
def verse_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_verse_model(tmp_path_factory.mktemp("models") / "verse")


@pytest.fixture
def models(verse_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of models, with nothing in it; the verse model is a tiny one."""
    monkeypatch.setattr(model_library, "OTHERS", tmp_path)
    monkeypatch.setitem(model_library.FOLDERS, "verse", verse_model)
    yield tmp_path
    if worker := sys.modules.get("generation.worker"):
        getattr(worker, "loaded", model_library.known_words).cache_clear()


@pytest.fixture
def start(models: Path, db: None, notified: list[str]) -> Callable[..., SelfTraining]:
    def start(**changes: object) -> SelfTraining:
        options = {"base_model": "verse", "steps": 4, "cycles": 1, "seed": 3} | changes
        name = str(options.pop("name", "mine"))
        titles = options.pop("titles", [TITLES])
        return start_self_training(name, titles, **options)  # type: ignore[arg-type]

    return start


class Teacher:
    """A stand-in for the model: it takes one step a unit, and a digest of its own once all are taken."""

    def __init__(self) -> None:
        self.lessons: list[Lesson] = []
        self.error: Exception | None = None

    def learn(self, lesson: Lesson, seconds: float, report: Callable[[list[float]], None]) -> Learnt:
        self.lessons.append(lesson)
        if self.error:
            raise self.error
        done = sum(one == lesson for one in self.lessons)
        losses = [5.0 - step for step in range(done)]
        report(losses)
        is_last = done == lesson.settings.steps
        samples = (("秋夜", "旧诗", "新诗"),) if is_last else ()
        held_out = (("text tang", 3.9, 4.1),) if is_last else ()
        return Learnt(losses, len(lesson.texts), "ab" * 32 if is_last else "", samples, held_out)


@pytest.fixture
def teacher(monkeypatch: pytest.MonkeyPatch) -> Teacher:
    module, teacher = ModuleType("generation.worker"), Teacher()
    module.learn = teacher.learn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "generation.worker", module)
    return teacher
