"""A Celery worker for tests whose model is a stand-in: it writes as fast, as slowly or as badly as the prompt says.

It is started with `celery -A tests.standin_worker worker`; everything but the model is the site's own. Words in a
prompt choose what happens: `refused`, `broken` and `deadly` fail in their ways, `slow` takes its time. Learning is the
real thing, with the model in STANDIN_VERSE and a pause after every step.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from celery.signals import worker_process_init

from evalsite.celery import app as app
from generation.engines import model_library
from generation.orders import Order, OrderRefused, Report, ScoredText, SentenceScore, Step, Written
from generation.training.settings import Learnt, Lesson

SECONDS = float(os.environ.get("STANDIN_SECONDS", "0.2"))
SLOW_SECONDS = 4.0
STEP_SECONDS = 0.05
UNIT_SECONDS = 0.7
SENTENCES = 4
CHARACTERS = "山水云风花月雪江天春秋夜雨松竹梅客舟人家"


def write(order: Order, report: Report) -> Written:
    """Return a text that only the order decides, a short sentence at a time."""
    if "refused" in order.prompt:
        raise OrderRefused("prompt: no title may hold this word")
    rng = random.Random(order.seed)  # noqa: S311
    sentences = []
    for number in range(1, SENTENCES + 1):
        time.sleep((SLOW_SECONDS if "slow" in order.prompt else SECONDS) / SENTENCES)
        if number == 2 and "broken" in order.prompt:
            raise RuntimeError("the model gave no number")
        if number == 2 and "deadly" in order.prompt:
            os.kill(os.getpid(), signal.SIGKILL)
        mark = "，。"[number % 2 == 0]
        sentences.append("".join(rng.choices(CHARACTERS, k=5)) + mark)
        report(Step(number, SENTENCES, "".join(sentences)))
    scores = tuple(SentenceScore(text, -1.5 - rng.random(), -2.0) for text in sentences)
    best = ScoredText("".join(sentences), -3.25, {"inverse": -2.0, "forward": -1.25}, scores)
    other = ScoredText("".join(sentences[::-1]), -4.0, {"inverse": -2.5, "forward": -1.5}, scores[::-1])
    return Written(best, (other,), seconds=SECONDS, provenance={"model": "stand-in", "seed": order.seed})


def learn(lesson: Lesson, seconds: float, report: Callable[[list[float]], None]) -> Learnt:
    """Learn for a moment, slowly."""
    from generation.training.units import learn_unit

    def report_slowly(losses: list[float]) -> None:
        report(losses)
        time.sleep(STEP_SECONDS)

    return learn_unit(lesson, UNIT_SECONDS, report_slowly)


@worker_process_init.connect
def shorten_lease(**_: Any) -> None:
    """Shorten the lease for tests that must outlast it, and would else take minutes."""
    from generation.models import lease as leases
    from generation.runs import writing

    if seconds := os.environ.get("STANDIN_LEASE"):
        leases.LEASE = timedelta(seconds=float(seconds))
        setattr(writing, "RENEW_SECONDS", float(seconds) / 5)  # noqa: B010


if verse := os.environ.get("STANDIN_VERSE"):
    model_library.FOLDERS[model_library.VERSE] = Path(verse)
    # Loaded before the processes are forked: one that replaces a killed one need not load torch for half a minute. It
    # must do nothing yet, or it would hang in the children.
    import_module("generation.training.units")
worker = ModuleType("generation.worker")
worker.write = write  # type: ignore[attr-defined]
worker.learn = learn  # type: ignore[attr-defined]
sys.modules["generation.worker"] = worker
