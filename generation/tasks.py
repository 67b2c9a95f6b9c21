"""Celery tasks: the broker only notifies, and what is to be done stands in the database."""

from __future__ import annotations

from celery import shared_task

from generation.runs.notifications import notify, notify_to_learn
from generation.runs.writing import write_next
from generation.self_training.learning import learn_next


# Where the worker's process was killed Celery sends it again by itself, so that the others need not wait for the lease.
@shared_task(max_retries=2, default_retry_delay=1)
def write_waiting(queue: str) -> None:
    """Write the next text that waits in a queue, and notify a worker for the one after it."""
    if write_next(queue):
        notify(queue)


@shared_task(max_retries=2, default_retry_delay=1)
def learn(self_training: int) -> None:
    """Learn the next unit of a self-training, and notify a worker for the one after it."""
    queue = learn_next(self_training)
    if queue:
        notify_to_learn(self_training, queue)
