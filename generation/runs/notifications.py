"""Notifying the workers: idle ones get a message while prompts wait.

A message names no prompt, only a queue: who gets it takes the next free prompt, and sends another when it is written.
So a message too many does nothing, and all that can be lost with the broker are a few seconds, because each worker
polls the database every few seconds (`poll`) and notifies those that are idle.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Sum
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from generation.engines.model_library import FOLDERS
from generation.models import RunPrompt, SelfTraining, TrainingCycle, Worker, WorkerQuerySet
from generation.runs.claiming import fail_lost

QUEUE = "generate"

# By their names, because tasks notify in their turn.
WRITE_WAITING = "generation.tasks.write_waiting"
LEARN = "generation.tasks.learn"

logger = logging.getLogger(__name__)


def queue_for(model: str) -> str:
    """Return the queue of a model: one for all that come with the site, and one for each other model."""
    return f"{QUEUE}-{model}" if model and model not in FOLDERS else QUEUE


def known_models(workers: WorkerQuerySet) -> list[str]:
    """Return the models that can be named: those that come with the site, and those whose queues a worker takes."""
    queues = {queue for taken in workers.values_list("queues", flat=True) for queue in taken}
    prefix = f"{QUEUE}-"
    return [*FOLDERS, *sorted(queue.removeprefix(prefix) for queue in queues if queue.startswith(prefix))]


def notify_started(queues: Collection[str], slots: int) -> None:
    """Notify a worker that has just started: it is idle, whatever the leases of a killed one say."""
    for queue, texts in waiting_by_queue().items():
        if queue in queues:
            notify(queue, min(texts, slots))


def poll() -> None:
    """Fail prompts whose workers were lost three times, and notify idle workers where prompts wait."""
    fail_lost()
    for queue, texts in waiting_by_queue().items():
        notify_idle(queue, texts)


def waiting_by_queue() -> dict[str, int]:
    """Return how many texts nobody is writing, by the queue in which they wait."""
    free = RunPrompt.objects.claimable().order_by()
    return dict(free.values_list("run__queue").annotate(texts=Count("pk")))


def notify_idle(queue: str, texts: int) -> None:
    """Notify as many idle workers of a queue as there are texts to write."""
    notify(queue, min(texts, idle_slots(queue)))


def idle_slots(queue: str) -> int:
    """Return how many texts or units of learning the workers of a queue could begin now."""
    workers = Worker.objects.seen_lately().taking(queue)
    slots: int = workers.aggregate(total=Sum("slots", default=0))["total"]
    busy = RunPrompt.objects.filter(
        run__queue=queue, state=RunPrompt.State.RUNNING, leased_until__gte=Now()
    ).count()
    learning = TrainingCycle.objects.filter(
        run__queue=queue,
        finished_at=None,
        self_training__state=SelfTraining.State.TRAINING,
        self_training__leased_until__gte=Now(),
    ).count()
    return max(0, slots - busy - learning)


def notify(queue: str, times: int = 1) -> None:
    """Notify so many workers of a queue; without a broker they find out when they next poll."""
    send_tasks(WRITE_WAITING, [(queue,)] * times, queue)


def notify_to_learn(self_training: int, queue: str) -> None:
    """Notify a worker of a queue to learn the next unit of a self-training."""
    send_tasks(LEARN, [(self_training,)], queue)


def send_tasks(
    task: str, calls: Sequence[tuple[Any, ...]], queue: str, *, eta: datetime | None = None
) -> None:
    """Send a task so many times, to be done at once or at a time; where the broker is away that is logged."""
    if not calls:
        return
    # Celery is a third of what a process loads that sends nothing.
    from kombu.exceptions import OperationalError

    app = import_string(settings.MESSAGE_APP)
    try:
        for arguments in calls:
            app.send_task(task, arguments, queue=queue, eta=eta)
    except OperationalError as error:
        logger.warning("The workers could not be notified: %s", error)
