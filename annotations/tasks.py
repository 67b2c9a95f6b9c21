"""What has to be done for studies now and then: beat sends these (`CELERY_BEAT_SCHEDULE`), and any number may run."""

from __future__ import annotations

from celery import shared_task

from annotations.recruiting import reminders, sharing_out


@shared_task
def send_reminders() -> None:
    reminders.send_reminders()


@shared_task
def give_back() -> None:
    sharing_out.give_back_everywhere()
