"""The Celery app, and what each of its workers does beside its tasks: it reports, and polls the database for work."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from celery import Celery, bootsteps
from celery.signals import celeryd_init, worker_process_init
from django.db import Error, connection

from evalsite import embedded
from generation.training.process import let_idle_threads_sleep

# A prompt whose worker was killed goes to another one after its lease and at most this.
REPORT_SECONDS = 3
NICENESS = 10

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


@celeryd_init.connect
def bound_threads(**_: Any) -> None:
    """Leave one core to the web where there are more; what a library reads when it is loaded is set before."""
    let_idle_threads_sleep()
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) - 1)))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Models are files of this machine.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")


@worker_process_init.connect
def step_back(**_: Any) -> None:
    """Let everything else on the machine go before the tasks."""
    os.nice(NICENESS)


class SignOfLife(bootsteps.StartStopStep):
    """Report the worker to the database every few seconds, and poll for prompts that wait.

    A thread, because the worker's own timer stands still while a solo pool runs a task, and because a database
    that hangs must not hold up the worker. Not Celery's beat, of which there must be exactly one, and which lives on
    when the worker that embeds it is killed: here whoever can work looks for work, any number may, and where nobody
    does there is nobody to notify.
    """

    # After the children are forked, since a thread does not survive a fork.
    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._report, args=[worker], daemon=True)
        super().__init__(worker, **options)

    def start(self, worker: Any) -> None:
        self.thread.start()

    def stop(self, worker: Any) -> None:
        """Take the worker back, so that nobody counts on it for another 45 seconds."""
        self.stopped.set()
        self.thread.join(timeout=5)

    def _report(self, worker: Any) -> None:
        # Models can be imported only when the apps are loaded.
        from annotations.jobs import running as jobs
        from annotations.judges import asking as judges
        from annotations.models import WaitingUpload
        from annotations.setup.runs import add_finished_runs
        from generation.compose.composing import forget_old
        from generation.models import Worker
        from generation.runs.notifications import notify_started, poll
        from generation.runs.run_account import forget_answers
        from generation.self_training import learning
        from generation.web.once import forget_sent
        from turing import upkeep

        queues = list(worker.app.amqp.queues.consume_from)
        self._do(notify_started, queues, worker.concurrency)
        while not self.stopped.is_set():
            self._do(self._take_new_models, worker)
            queues = list(worker.app.amqp.queues.consume_from)
            self._do(Worker.objects.report, worker.hostname, queues=queues, slots=worker.concurrency)
            self._do(poll)
            self._do(learning.poll)
            self._do(jobs.poll)
            self._do(judges.poll)
            self._do(forget_old)
            self._do(forget_sent)
            self._do(forget_answers)
            self._do(WaitingUpload.objects.forget_old)
            self._do(add_finished_runs)
            self._do(upkeep.poll)
            self.stopped.wait(REPORT_SECONDS)
        self._do(Worker.objects.filter(hostname=worker.hostname).delete)

    def _take_new_models(self, worker: Any) -> None:
        """Take the queues of models that have come of self-training since the worker was started."""
        from generation.self_training.chain import queues_to_take

        for queue in queues_to_take(list(worker.app.amqp.queues.consume_from)):
            # Only the worker's own thread may touch its connection to the broker.
            worker.consumer.call_soon(worker.consumer.add_task_queue, queue)

    def _do(self, action: Callable[..., object], *arguments: Any, **options: Any) -> None:
        try:
            action(*arguments, **options)
        except Error as error:
            logger.warning("The worker cannot reach the database: %s", error)
        except Exception:
            # Without the thread the worker would count as gone.
            logger.exception("The worker could not poll for work")
        finally:
            # A connection of our own is cheap at this pace, and never one that the server has dropped.
            connection.close()


app.steps["worker"].add(SignOfLife)
