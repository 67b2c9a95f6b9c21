"""Learning in units: each is taken by one worker, and goes on from what the one before left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from generation.engines import model_library
from generation.models import SelfTraining, TrainingCycle, Worker
from generation.models.lease import LOST, LeaseLost
from generation.refusals import Refused
from generation.runs.writing import write_next
from generation.self_training import learning
from generation.self_training.chain import (
    advance,
    try_again,
)
from generation.self_training.learning import claim_unit, fail_lost, learn_next, poll, report_losses
from generation.self_training.tests.conftest import Teacher
from generation.tasks import learn
from generation.tests.self_training_cast import TITLES, write_all
from generation.training.settings import Learnt

Start = Callable[..., SelfTraining]
State = SelfTraining.State


def test_units_that_were_broken_off_end_with_the_same_model(
    start: Start, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = start(name="whole")
    while write_next("generate"):
        pass
    advance(chain.pk)
    learn_next(chain.pk)
    whole = chain.training_cycles.get()

    other = start(name="pieces")
    while write_next("generate"):
        pass
    advance(other.pk)
    monkeypatch.setattr(learning, "UNIT_SECONDS", 0.0)
    learn_next(other.pk)
    # A worker that was killed in the middle of its unit: the lease ran out, and nothing was handed in.
    assert claim_unit(other.pk)
    SelfTraining.objects.filter(pk=other.pk).update(leased_until=Now() - timedelta(seconds=1))
    TrainingCycle.objects.filter(self_training=other).update(losses=[9.0, 9.0, 9.0])
    while learn_next(other.pk):
        pass
    pieces = other.training_cycles.get()
    assert pieces.losses == whole.losses
    assert pieces.checkpoint == whole.checkpoint


def test_units_are_learnt_from_the_best_poems_as_set(start: Start, teacher: Teacher) -> None:
    chain = start(keep_share=0.5, steps=1)
    write_all(chain)
    learn_next(chain.pk)
    (lesson,) = teacher.lessons
    assert (lesson.settings.keep_share, lesson.settings.steps, lesson.settings.seed) == (0.5, 1, 3)
    assert [title for title, *_ in lesson.texts] == sorted(TITLES)
    assert {score for *_, score in lesson.texts} == {-2.5}


def test_unit_that_is_being_learnt_is_taken_by_nobody_else(start: Start) -> None:
    chain = start()
    write_all(chain)
    assert claim_unit(chain.pk)
    assert claim_unit(chain.pk) is None


def test_message_that_comes_twice_does_nothing_more(
    start: Start, teacher: Teacher, notified: list[str]
) -> None:
    chain = start(steps=1)
    write_all(chain)
    for _ in range(3):
        learn(chain.pk)
    assert len(teacher.lessons) == 1
    chain.refresh_from_db()
    assert chain.state == State.DONE
    assert notified == []


def test_notifying_goes_on_until_all_is_learnt(start: Start, teacher: Teacher, notified: list[str]) -> None:
    chain = start(steps=2)
    write_all(chain)
    learn(chain.pk)
    assert notified == [f"learn {chain.pk} in generate"]
    learn(chain.pk)
    assert len(notified) == 1


def test_what_a_stopped_worker_hands_in_late_is_refused(start: Start) -> None:
    chain = start()
    write_all(chain)
    stopped = claim_unit(chain.pk)
    assert stopped is not None
    SelfTraining.objects.update(leased_until=Now() - timedelta(seconds=1))
    other = claim_unit(chain.pk)
    assert other is not None
    with pytest.raises(LeaseLost):
        learning.record(stopped, Learnt([1.0], 4, "ab" * 32))
    with pytest.raises(LeaseLost):
        report_losses(stopped, [1.0])
    assert chain.training_cycles.get().losses == []
    report_losses(other, [2.0])
    assert chain.training_cycles.get().losses == [2.0]


def test_unit_that_fails_is_tried_three_times(start: Start, teacher: Teacher) -> None:
    chain = start()
    write_all(chain)
    teacher.error = RuntimeError("the disk is gone")
    for _ in range(5):
        learn_next(chain.pk)
    assert len(teacher.lessons) == 3
    chain.refresh_from_db()
    assert (chain.state, chain.error) == (State.FAILED, "RuntimeError: the disk is gone")
    teacher.error = None
    assert try_again(chain)
    poll()
    chain.refresh_from_db()
    assert (chain.state, chain.attempts, chain.error) == (State.TRAINING, 0, "")


def test_refusal_fails_a_chain_at_once(start: Start, teacher: Teacher) -> None:
    chain = start()
    write_all(chain)
    teacher.error = Refused("none of the 4 poems is to be kept")
    learn_next(chain.pk)
    chain.refresh_from_db()
    assert (chain.state, chain.error) == (State.FAILED, "none of the 4 poems is to be kept")


def test_unit_whose_workers_are_lost_three_times_fails_the_chain(start: Start) -> None:
    chain = start()
    write_all(chain)
    for _ in range(3):
        assert claim_unit(chain.pk)
        assert fail_lost() == 0
        SelfTraining.objects.update(leased_until=Now() - timedelta(seconds=1))
    assert claim_unit(chain.pk) is None
    assert fail_lost() == 1
    chain.refresh_from_db()
    assert (chain.state, chain.error, chain.lease) == (State.FAILED, LOST, None)


def test_progress_gives_back_the_attempts(start: Start, teacher: Teacher) -> None:
    chain = start()
    write_all(chain)
    claim_unit(chain.pk)
    SelfTraining.objects.update(leased_until=Now() - timedelta(seconds=1))
    learn_next(chain.pk)
    chain.refresh_from_db()
    assert (chain.attempts, chain.error) == (0, "")


def test_a_cycle_goes_on_where_the_checkpoints_are(
    start: Start, teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = start()
    write_all(chain)
    learn_next(chain.pk)
    with monkeypatch.context() as patch:
        patch.setattr(learning, "folder_id", lambda: "another machine's")
        assert claim_unit(chain.pk) is None
    assert claim_unit(chain.pk)


def test_machines_that_share_the_folder_share_its_id(models: Path) -> None:
    assert model_library.folder_id() == model_library.folder_id()
    assert len(model_library.folder_id()) == 32
    assert [path.name for path in models.iterdir()] == [".folder-id"]


def test_idle_worker_is_notified_where_a_unit_waits(
    start: Start, worker: Worker, notified: list[str]
) -> None:
    chain = start()
    write_all(chain)
    poll()
    assert notified == [f"learn {chain.pk} in generate"]
    Worker.objects.update(slots=1)
    claim_unit(chain.pk)
    SelfTraining.objects.filter(pk=chain.pk).update(leased_until=Now() + timedelta(seconds=60))
    poll()
    assert len(notified) == 1, "it is being learnt"
