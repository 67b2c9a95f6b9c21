"""Writing one text: a prompt is taken, the model works outside any transaction, the text is handed in."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection

from generation.models import LeaseLost
from generation.orders import Step
from generation.runs.claiming import Claim, claim, give_up, record, renew, report_step
from generation.runs.run_account import RunAccount

RENEW_SECONDS = 1.5

STEP_SECONDS = 0.4
# How long a text that is written waits for a database that went away.
HAND_IN_SECONDS = 20

logger = logging.getLogger(__name__)


def write_next(queue: str) -> bool:
    """Write the next text that waits in a queue, and return whether there was one."""
    claimed = claim(queue)
    if claimed is None:
        return False
    try:
        with held(lambda: renew(claimed), f"prompt {claimed.run_prompt}"):
            write(claimed)
    except LeaseLost as lost:
        logger.warning("Nothing was stored: %s", lost)
    except Exception as error:
        logger.warning("Prompt %d could not be written", claimed.run_prompt, exc_info=True)
        give_up(claimed, error)
    return True


def write(claimed: Claim) -> None:
    """Have the model write a text, reporting each step, and hand it in."""
    # Only a worker's own process ever loads torch, and only when it first writes.
    from generation.worker import write as write_text

    reported_at = float("-inf")

    def report(step: Step) -> None:
        nonlocal reported_at
        if time.monotonic() - reported_at < STEP_SECONDS:
            return
        reported_at = time.monotonic()
        try:
            report_step(claimed, step)
        except Error as error:
            logger.warning("The step of prompt %d was not stored: %s", claimed.run_prompt, error)
            connection.close()

    if server := settings.LANGUAGE_MODEL_SERVERS.get(claimed.order.model):
        account = RunAccount(claimed.run_prompt, server.tokens_a_run)
        written = write_text(claimed.order, report, account)
    else:
        written = write_text(claimed.order, report)
    retry(lambda: record(claimed, written))


def retry(hand_in: Callable[[], object]) -> None:
    """Hand in what was made, and retry for a while where the database is being restarted.

    Should the connection have broken after it was stored, the second try finds the lease gone.
    """
    deadline = time.monotonic() + HAND_IN_SECONDS
    while True:
        try:
            hand_in()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


@contextmanager
def held(renew: Callable[[], None], what: str) -> Iterator[None]:
    """Renew the lease of what is worked on while the block runs, but never longer than a task may take."""
    ended = threading.Event()
    thread = threading.Thread(target=_renew_until, args=[renew, what, ended], daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _renew_until(renew: Callable[[], None], what: str, ended: threading.Event) -> None:
    deadline = time.monotonic() + settings.CELERY_TASK_TIME_LIMIT
    while not ended.wait(RENEW_SECONDS) and time.monotonic() < deadline:
        try:
            renew()
        except LeaseLost:
            break  # whoever works finds out at the next step, or when it is handed in
        except Error as error:
            logger.warning("The lease of %s was not renewed: %s", what, error)
            connection.close()
    connection.close()
