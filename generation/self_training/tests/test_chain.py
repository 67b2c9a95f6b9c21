"""A chain of self-training: poems by a run, learning, a new model, and so on, whatever comes between."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from pytest_django import DjangoCaptureOnCommitCallbacks

from generation.conftest import written
from generation.engines import model_library
from generation.models import GenerationRun, RunPrompt, SelfTraining, TrainingCycle, Worker
from generation.models.lease import LeaseLost
from generation.refusals import Refused
from generation.runs.claiming import DRAWN, claim, record
from generation.runs.runs import cancel_run
from generation.runs.writing import write_next
from generation.self_training import learning
from generation.self_training.chain import (
    advance,
    base_models,
    cancel_self_training,
    queues_to_take,
    try_again,
)
from generation.self_training.learning import claim_unit, learn_next, poll
from generation.tests.self_training_cast import make_verse_model, write_all
from generation.training.titles import REGULATED_FORMS

Start = Callable[..., SelfTraining]
State = SelfTraining.State


def test_a_chain_writes_learns_and_goes_on_with_the_new_model(
    start: Start, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "UNIT_SECONDS", 0.0)
    chain = start(cycles=2)
    queues = []
    for number in (1, 2):
        run = chain.training_cycles.get(number=number).run
        queues.append(run.queue)
        while write_next(run.queue):
            pass
        poll()
        chain.refresh_from_db()
        assert chain.state == State.TRAINING
        units = 0
        while learn_next(chain.pk):
            units += 1
        assert units == 3, "each but the last of four steps is a unit that calls for another"
        chain.refresh_from_db()
        assert chain.state == (State.DONE if number == 2 else State.QUEUED)
        cycle = chain.training_cycles.get(number=number)
        assert (len(cycle.losses), cycle.kept) == (4, 4)
        assert (
            cycle.checkpoint
            == json.loads((models / f"mine-{number}" / "lesson.json").read_text())["checkpoint"]
        )
        assert [title for title, *_ in cycle.samples] == ["秋夜", "送友人"] or len(cycle.samples) == 3
    assert queues == ["generate", "generate-mine-1"]
    first = chain.training_cycles.get(number=1).run
    second = chain.training_cycles.get(number=2).run
    assert (first.model, second.model) == ("verse", "mine-1")
    # The poems of the second cycle are the first one's model's.
    facts = second.candidates.select_related("provenance")[0].provenance.facts
    assert facts["checkpoint"] == chain.training_cycles.get(number=1).checkpoint
    assert model_library.is_there("mine-2")
    assert not list(models.glob("*/training.pt"))


def test_each_title_has_a_form_of_its_own(start: Start) -> None:
    chain = start(titles=[[f"秋{character}" for character in "山水风月江天春雨"]])
    run = chain.training_cycles.get().run
    assert run.config == {"form": DRAWN}
    forms = set()
    while claimed := claim("generate"):
        forms.add(claimed.order.form)
    assert len(forms) > 1
    assert forms <= set(REGULATED_FORMS)


def test_a_study_is_written_for_before_a_chain(start: Start, queue: Callable[..., GenerationRun]) -> None:
    start()
    queue("春")
    claimed = claim("generate")
    assert claimed is not None
    assert claimed.order.prompt == "春"


def test_a_chain_is_told_as_writing_while_its_run_is(start: Start) -> None:
    chain = start()
    assert chain.state == State.QUEUED
    claim("generate")
    poll()
    chain.refresh_from_db()
    assert chain.state == State.WRITING


def test_few_poems_that_fail_hold_up_nothing_but_most_do(start: Start) -> None:
    chain = start()
    run = chain.training_cycles.get().run
    for expected in (State.TRAINING, State.FAILED):
        SelfTraining.objects.update(state=State.QUEUED)
        RunPrompt.objects.update(state=RunPrompt.State.WAITING)
        run.candidates.all().delete()
        for number in range(2 if expected == State.TRAINING else 1):
            claimed = claim("generate")
            assert claimed, number
            record(claimed, written())
        run.run_prompts.filter(state=RunPrompt.State.WAITING).update(state="failed", error="title: odd")
        GenerationRun.objects.update(state=GenerationRun.State.FAILED)
        advance(chain.pk)
        chain.refresh_from_db()
        assert chain.state == expected
    assert chain.error == "3 of 4 poems could not be written. title: odd"
    assert try_again(chain)
    advance(chain.pk)
    chain.refresh_from_db()
    assert chain.state == State.WRITING
    assert run.run_prompts.filter(state=RunPrompt.State.WAITING).count() == 3


def test_cancelling_ends_the_run_and_takes_the_unit_back(start: Start) -> None:
    chain = start()
    assert cancel_self_training(chain)
    assert chain.training_cycles.get().run.state == GenerationRun.State.CANCELLED
    assert not cancel_self_training(chain)

    other = start(name="other")
    write_all(other)
    unit = claim_unit(other.pk)
    assert unit is not None
    assert cancel_self_training(other)
    with pytest.raises(LeaseLost):
        learning.renew(unit)
    other.refresh_from_db()
    assert other.state == State.CANCELLED
    assert not try_again(other)


def test_chain_ends_with_its_run(start: Start) -> None:
    chain = start()
    cancel_run(chain.training_cycles.get().run)
    poll()
    chain.refresh_from_db()
    assert chain.state == State.CANCELLED


def test_worker_takes_the_new_models_that_lie_in_its_folder(start: Start, models: Path) -> None:
    chain = start(cycles=2)
    TrainingCycle.objects.update(finished_at=Now(), checkpoint="ab")
    assert queues_to_take(["default", "generate"]) == []
    make_verse_model(models / "mine-1")
    assert queues_to_take(["default", "generate"]) == ["generate-mine-1"]
    assert queues_to_take(["default", "generate", "generate-mine-1"]) == []
    assert queues_to_take(["generate-other"]) == [], "that one was started for another model"
    assert chain.model_of(1) == "mine-1"


@pytest.mark.django_db
def test_verse_models_can_be_the_base(models: Path) -> None:
    make_verse_model(models / "own")
    Worker.objects.report("gpu@test", queues=["generate-elsewhere", "generate-own"])
    assert base_models() == ["verse", "verse-st", "elsewhere", "own"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Mine"}, "A name is of small letters"),
        ({"name": "x" * 41}, "A name is of small letters"),
        ({"keep_share": 0.0}, "must be above 0"),
        ({"keep_share": 1.5}, "must be above 0"),
        ({"steps": 0}, "The steps must be from 1 to 20000"),
        ({"cycles": 21}, "The cycles must be from 1 to 20"),
        ({"seed": -1}, "The seed must be"),
        ({"base_model": "nowhere"}, "There is no model nowhere here"),
        ({"base_model": "smollm2"}, "There is no model smollm2 here"),
        ({"titles": [[]]}, "There are no titles"),
        ({"titles": [["秋"], ["鑫夜"]]}, "The model does not know 鑫, in the title 鑫夜"),
        ({"titles": [["秋" * 31]]}, "longer than 30 characters"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    start: Start, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        start(**changes)
    assert not SelfTraining.objects.exists()
    assert not GenerationRun.objects.exists()


def test_name_is_taken_once(start: Start, models: Path) -> None:
    start()
    with pytest.raises(Refused, match="called mine already"):
        start()
    (models / "yours-1").mkdir()
    with pytest.raises(Refused, match="called yours already"):
        start(name="yours")
    with pytest.raises(Refused, match="called verse-model already"):
        (models / "verse-model-2").mkdir()
        start(name="verse-model", cycles=2)


def test_database_refuses_what_cannot_be(start: Start) -> None:
    start()
    for values in (
        {"state": "nonsense"},
        {"keep_share": 0},
        {"attempts": 4},
        {"lease": uuid.uuid4(), "leased_until": Now()},
        {"steps": 0},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            SelfTraining.objects.update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        TrainingCycle.objects.update(finished_at=Now())


def test_run_is_notified_when_the_chain_is_stored(
    start: Start,
    worker: Worker,
    notified: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        start()
    assert notified == ["generate", "generate"]
