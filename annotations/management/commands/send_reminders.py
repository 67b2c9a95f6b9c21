"""Remind evaluators of their deadline."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotations.recruiting.mail import can_mail
from annotations.recruiting.reminders import send_reminders


class Command(BaseCommand):
    help = "Write to evaluators whose deadline is near and who have something left to answer; each is reminded once."

    def handle(self, *args: Any, **options: Any) -> None:
        if not can_mail():
            raise CommandError("The site has no mail server: set EMAIL_HOST.")
        self.stdout.write(f"{send_reminders()} reminders sent")
