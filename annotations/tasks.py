"""What is done for studies outside requests: by the clock (`CELERY_BEAT_SCHEDULE`), or when asked for."""

from __future__ import annotations

from celery import shared_task

from annotations.jobs.running import run_next
from annotations.judges import asking
from annotations.judges.runs import notify as notify_to_ask
from annotations.models.jobs import notify
from annotations.recruiting import reminders, sharing_out


@shared_task
def send_reminders() -> None:
    reminders.send_reminders()


@shared_task
def give_back() -> None:
    sharing_out.give_back_everywhere()


# Where the worker's process was killed Celery sends it again by itself, so that nobody need wait for the lease.
@shared_task(max_retries=2, default_retry_delay=1)
def run_job() -> None:
    """Do the next job that waits, and notify a worker for the one after it."""
    if run_next():
        notify()


@shared_task(max_retries=2, default_retry_delay=1)
def ask_judge() -> None:
    """Ask a judge for the next page that waits, and notify a worker for the one after it."""
    if asking.ask_next():
        notify_to_ask()
