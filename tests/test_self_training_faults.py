"""Whatever is killed while a model learns, it ends with the weights that it would have had, and the chain goes on.

Real servers and real workers; the poems are a stand-in's, the learning is real, by a tiny model.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from evalsite.tests.cast import wait_for
from generation.engines import model_library
from generation.models import SelfTraining, TrainingCycle, Worker
from generation.runs.notifications import notify_to_learn
from generation.self_training.chain import start_self_training
from generation.self_training.learning import lesson_of
from generation.tests.self_training_cast import TITLES, make_verse_model
from generation.tests.training_cast import ignore
from generation.training.units import learn_unit
from tests.worker_site import Crew, empty_tables, own_site

pytestmark = pytest.mark.fault

KILLS = int(os.environ.get("FAULT_KILLS", "2"))
STEPS = 40
BACK_SECONDS = 60


@pytest.fixture(scope="module")
def crew(django_db_blocker: DjangoDbBlocker, own_home: Path) -> Iterator[Crew]:
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        own_site(patch, own_home) as home,
    ):
        verse = make_verse_model(home / "verse")
        patch.setenv("STANDIN_VERSE", str(verse))
        patch.setitem(model_library.FOLDERS, model_library.VERSE, verse)
        patch.setattr(model_library, "OTHERS", home / "site" / "models")
        crew = Crew(home)
        yield crew
        crew.end()


@pytest.fixture(autouse=True)
def nothing_waits(crew: Crew) -> None:
    empty_tables()


def begin(name: str, cycles: int) -> SelfTraining:
    return start_self_training(
        name, [TITLES], base_model="verse", steps=STEPS, cycles=cycles, keep_share=0.75, seed=5
    )


def steps_of(chain: SelfTraining) -> int:
    return sum(len(cycle.losses) for cycle in TrainingCycle.objects.filter(self_training=chain))


def wait_for_more_steps(chain: SelfTraining) -> None:
    before = steps_of(chain)
    wait_for(lambda: steps_of(chain) > before, BACK_SECONDS)


def wait_until_done(chain: SelfTraining) -> None:
    wait_for(lambda: not SelfTraining.objects.get(pk=chain.pk).is_open(), 120)
    chain.refresh_from_db()
    assert (chain.state, chain.error) == (SelfTraining.State.DONE, "")


def assert_as_if_undisturbed(chain: SelfTraining, folder: Path) -> None:
    """Each cycle's losses and weights are those of learning at one go, here."""
    for cycle in chain.training_cycles.select_related("run"):
        lesson = replace(lesson_of(chain, cycle), folder=folder / str(cycle.number), samples=())
        undisturbed = learn_unit(lesson, 3600, ignore)
        assert cycle.checkpoint == undisturbed.checkpoint
        assert cycle.losses == undisturbed.losses
        assert cycle.kept == 3


def test_killed_learner_goes_on_from_its_checkpoint(crew: Crew, tmp_path: Path) -> None:
    worker = crew.only("one")
    chain = begin("killed", cycles=2)
    rng = random.Random(2021)
    for _ in range(KILLS):
        wait_for_more_steps(chain)
        time.sleep(rng.uniform(0.1, 0.9))
        worker.children()[0].kill()
        wait_for(worker.children)
    wait_until_done(chain)
    assert_as_if_undisturbed(chain, tmp_path)
    assert list(chain.training_cycles.values_list("run__queue", flat=True)) == [
        "generate",
        "generate-killed-1",
    ]
    wait_for(lambda: "generate-killed-2" in Worker.objects.get().queues)


def test_message_delivered_five_times_learns_once(crew: Crew, tmp_path: Path) -> None:
    crew.only("one")
    chain = begin("notified", cycles=1)
    wait_for(lambda: steps_of(chain) > 0, BACK_SECONDS)
    for _ in range(5):
        notify_to_learn(chain.pk, "generate")
    wait_until_done(chain)
    assert_as_if_undisturbed(chain, tmp_path)


def test_worker_that_replaces_a_killed_group_goes_on(crew: Crew, tmp_path: Path) -> None:
    worker = crew.only("one")
    chain = begin("left", cycles=1)
    wait_for(lambda: steps_of(chain) > 5, BACK_SECONDS)
    worker.end()
    crew.only("heir")
    wait_until_done(chain)
    assert_as_if_undisturbed(chain, tmp_path)
