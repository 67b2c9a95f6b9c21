"""A chain of self-training: poems by a run, learning in units, a new model, and so on, whatever comes between."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from pytest_django import DjangoCaptureOnCommitCallbacks

from generation.conftest import written
from generation.engines import model_library
from generation.models import GenerationRun, RunPrompt, SelfTraining, TrainingCycle, Worker
from generation.models.lease import LOST, LeaseLost
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
    start_self_training,
    try_again,
)
from generation.self_training.learning import claim_unit, fail_lost, learn_next, poll, report_losses
from generation.tasks import learn
from generation.tests.self_training_cast import TITLES, make_verse_model
from generation.training.settings import Learnt, Lesson
from generation.training.titles import REGULATED_FORMS

Start = Callable[..., SelfTraining]
State = SelfTraining.State


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
def start(models: Path, db: None, notified: list[str]) -> Start:
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


def write_all(chain: SelfTraining, queue: str = "generate") -> None:
    """Have a stand-in write the poems of a chain's run, and let the chain move on."""
    while claimed := claim(queue):
        record(claimed, written("山中一夜雨，树杪百重泉。\n汉女输橦布，巴人讼芋田。"))
    advance(chain.pk)
    chain.refresh_from_db()


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
