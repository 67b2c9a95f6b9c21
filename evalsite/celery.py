"""The Celery app, and the sign of life that each of its workers gives."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from celery import Celery, bootsteps
from celery.signals import celeryd_init
from django.db import Error, connection

from evalsite import embedded

REPORT_SECONDS = 10

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
app = Celery("evalsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
def start_servers(**_: Any) -> None:
    """Start the embedded servers when a worker starts; a worker without them ends."""
    try:
        embedded.start()
    except embedded.EmbeddedError as error:
        # Celery logs what a receiver raises and goes on, except for this.
        raise SystemExit(f"The embedded servers cannot be used: {error}") from None


class SignOfLife(bootsteps.StartStopStep):
    """Report the worker to the database every 10 seconds.

    A thread, because the worker's own timer stands still while a solo pool runs a task, and because a database
    that hangs must not hold up the worker.
    """

    # After the children are forked, since a thread does not survive a fork.
    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._report, args=[worker.hostname], daemon=True)
        super().__init__(worker, **options)

    def start(self, worker: Any) -> None:
        self.thread.start()

    def stop(self, worker: Any) -> None:
        """Take the worker back, so that nobody counts on it for another 45 seconds."""
        self.stopped.set()
        self.thread.join(timeout=5)

    def _report(self, hostname: str) -> None:
        from generation.models import Worker  # models can be imported only when the apps are loaded

        while not self.stopped.is_set():
            self._write(Worker.objects.report, hostname)
            self.stopped.wait(REPORT_SECONDS)
        self._write(Worker.objects.filter(hostname=hostname).delete)

    def _write(self, write: Callable[..., object], *arguments: str) -> None:
        try:
            write(*arguments)
        except Error as error:
            logger.warning("The worker could not report to the database: %s", error)
        finally:
            # A connection of our own is cheap at this pace, and never one that the server has dropped.
            connection.close()


app.steps["worker"].add(SignOfLife)
