"""Celery tasks of the game: the broker only notifies, and what is to be done stands in the database."""

from __future__ import annotations

from celery import shared_task

from turing.live.answering import answer_next

# So that a task ends well before its time limit; what is left is notified again.
MOST_AT_ONCE = 20


# Where the worker's process was killed Celery sends it again by itself, so that the others need not wait for the lease.
@shared_task(max_retries=2, default_retry_delay=1)
def answer_waiting() -> None:
    """Write the answers of machines that wait in live conversations."""
    for _turn in range(MOST_AT_ONCE):
        if not answer_next():
            return
