"""Celery tasks of the game: the broker only notifies, and what is to be done stands in the database."""

from __future__ import annotations

from celery import shared_task

from turing.live import talk
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


@shared_task
def say_due(chat: int) -> None:
    """Say what a machine has to say in a chat by now; it is sent for the time at which that is due."""
    talk.say_due(chat)
