"""Learning, a unit of some seconds at a time: a chain is taken, a worker learns outside any transaction, hands in.

A unit is claimed under a lease, as a prompt of a run is (`generation.models.lease`). Between two units a worker is
free for texts that wait, and what a killed one loses is at most one unit: the next one goes on from the checkpoint.
"""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from django.db import Error, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from generation.engines.model_library import folder_id, folder_of, new_folder_of
from generation.models import Candidate, LeaseLost, SelfTraining, TrainingCycle
from generation.refusals import Refused
from generation.runs.notifications import idle_slots, notify_to_learn
from generation.runs.writing import held, retry
from generation.self_training.chain import advance, begin_cycle
from generation.self_training.titles import corpus_here
from generation.training import settings as training
from generation.training.settings import Learnt, Lesson

UNIT_SECONDS = 12.0
REPORT_SECONDS = 1.0
# Poems for these are written at the end of each cycle by the model before and by the new one.
SAMPLE_TITLES = ("秋夜", "送友人", "登埃菲尔铁塔")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unit:
    """A unit that was taken: of which cycle, under which lease, and what is to be learnt."""

    self_training: int
    cycle: int
    queue: str
    lease: uuid.UUID
    lesson: Lesson


def learn_next(self_training: int) -> str:
    """Learn the next unit of a self-training, and return the queue to notify for what comes after it, if anything."""
    unit = claim_unit(self_training)
    if unit is None:
        return ""
    try:
        with held(lambda: renew(unit), f"self-training {self_training}"):
            learnt = learn(unit)
        return unit.queue if learnt and not learnt.checkpoint else ""
    except LeaseLost as lost:
        logger.warning("Nothing was stored: %s", lost)
    except Exception as error:
        logger.warning("Self-training %d could not go on", self_training, exc_info=True)
        give_up(unit, error)
    return ""


def learn(unit: Unit) -> Learnt:
    """Have the model learn, reporting its losses on the way, and hand in how far it came."""
    # Only a worker's own process ever loads torch, and only when it first needs it.
    from generation.worker import learn as learn_lesson

    reported_at = time.monotonic()

    def report(losses: list[float]) -> None:
        nonlocal reported_at
        if time.monotonic() - reported_at < REPORT_SECONDS:
            return
        reported_at = time.monotonic()
        try:
            report_losses(unit, losses)
        except Error as error:
            logger.warning("The losses of self-training %d were not stored: %s", unit.self_training, error)
            connection.close()

    learnt = learn_lesson(unit.lesson, UNIT_SECONDS, report)
    retry(lambda: record(unit, learnt))
    return learnt


@transaction.atomic
def claim_unit(self_training: int) -> Unit | None:
    """Take the next unit of a self-training, or return None where it is taken, done, or none that is learnt here.

    Whoever takes the first unit ties the chain to its folder of models, where the checkpoints are.
    """
    here = folder_id()
    learnt_here = SelfTraining.objects.filter(Q(learns_in="") | Q(learns_in=here))
    chain = learnt_here.filter(pk=self_training).claim(learns_in=here)
    if chain is None or chain.lease is None:
        return None
    cycle = chain.training_cycles.select_related("run").latest("number")
    return Unit(chain.pk, cycle.pk, cycle.run.queue, chain.lease, lesson_of(chain, cycle))


def lesson_of(chain: SelfTraining, cycle: TrainingCycle) -> Lesson:
    """Return what a cycle learns from the poems that are written for it."""
    texts = Candidate.objects.filter(run=cycle.run)
    rows = sorted(texts.values_list("prompt__text", "text", "provenance__score"))
    return Lesson(
        before=Path(folder_of(chain.model_of(cycle.number - 1))),
        folder=new_folder_of(chain.model_of(cycle.number)),
        cycle=cycle.number,
        texts=tuple(rows),
        settings=training.SelfTraining(
            titles=len(chain.titles_of(cycle.number)),
            steps=chain.steps,
            cycles=chain.cycles,
            keep_share=chain.keep_share,
            seed=chain.seed,
        ),
        samples=SAMPLE_TITLES,
        corpus=corpus_here(),
    )


def renew(unit: Unit) -> None:
    """Hold the chain for another lease; raise `LeaseLost` where it is not ours any more."""
    SelfTraining.objects.renew(unit.self_training, unit.lease)


@transaction.atomic
def report_losses(unit: Unit, losses: list[float]) -> None:
    """Note the losses so far, and renew; raise `LeaseLost` where the chain is not ours any more."""
    renew(unit)
    TrainingCycle.objects.filter(pk=unit.cycle).update(losses=losses)


@transaction.atomic
def record(unit: Unit, learnt: Learnt) -> None:
    """Store what a unit came to; after a cycle's last one begin the next cycle, or end the chain.

    Raise `LeaseLost` where the chain is not ours any more.
    """
    SelfTraining.objects.hand_in(unit.self_training, unit.lease, attempts=0)
    is_finished = bool(learnt.checkpoint)
    TrainingCycle.objects.filter(pk=unit.cycle).update(
        losses=learnt.losses,
        kept=learnt.kept,
        samples=learnt.samples,
        held_out=learnt.held_out,
        checkpoint=learnt.checkpoint,
        finished_at=Now() if is_finished else None,
    )
    if not is_finished:
        return
    chain = SelfTraining.objects.get(pk=unit.self_training)
    number = unit.lesson.cycle
    if number < chain.cycles:
        begin_cycle(chain, number + 1)
    else:
        chain.state = SelfTraining.State.DONE
        chain.save(update_fields=["state"])


@transaction.atomic
def give_up(unit: Unit, error: BaseException) -> None:
    """Let a unit that failed be tried again, with the reason; after three attempts, or if refused, the chain failed."""
    SelfTraining.objects.give_up(unit.self_training, unit.lease, error, is_final=isinstance(error, Refused))


@transaction.atomic
def fail_lost() -> int:
    """Fail the chains whose third worker in a row was lost, and return how many they are."""
    return len(SelfTraining.objects.fail_lost())


def poll() -> None:
    """Move chains on whose poems are written, fail those whose workers were lost, notify workers of those that wait."""
    fail_lost()
    waiting = (SelfTraining.State.QUEUED, SelfTraining.State.WRITING)
    for pk in SelfTraining.objects.filter(state__in=waiting).values_list("pk", flat=True):
        advance(pk)
    learnable = TrainingCycle.objects.filter(
        finished_at=None, self_training__in=SelfTraining.objects.claimable()
    )
    for pk, queue in learnable.values_list("self_training", "run__queue"):
        if idle_slots(queue):
            notify_to_learn(pk, queue)
