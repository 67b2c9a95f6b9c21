"""The only bridge from Django to torch: one model a process, loaded when it is first asked for; and learning."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

import torch
from django.conf import settings

from generation.decoding.caching_model import CachingModel
from generation.decoding.chat import write_by_chat
from generation.decoding.methods import check_words, compose, compose_many
from generation.decoding.plain_llama import can_be_plain
from generation.decoding.plain_model import load_plain
from generation.decoding.served_model import ServedModel, reach_model
from generation.engines.accounts import Account, OwnAccount
from generation.engines.jiuge import JIUGE, write_by_jiuge
from generation.engines.model_library import folder_of, model_of
from generation.engines.servers import Server, refuse_to_score
from generation.orders import Order, Report, Written
from generation.training.settings import Learnt, Lesson


def write(order: Order, report: Report = lambda step: None, account: Account | None = None) -> Written:
    """Write one text; raise `OrderRefused`, `Refused`, `JiugeFailed` or `EngineFailed`.

    `account` keeps the books where an engine serves the model.
    """
    if server := settings.LANGUAGE_MODEL_SERVERS.get(order.model):
        check_words(order)
        refuse_to_score(settings.LANGUAGE_MODEL_SERVERS, order)
        books = account or OwnAccount(server.tokens_a_run)
        if not server.can_score:
            return write_by_chat(server, order, books)
        return compose(replace(reached(server), account=books), order, report)
    return write_many([order], report)[0]


def write_many(orders: Sequence[Order], report: Report = lambda step: None) -> list[Written]:
    """Write several texts by one method and model side by side; raise as `write` does."""
    if {order.method for order in orders} == {JIUGE}:
        return [write_by_jiuge(settings.JIUGE_URL, order) for order in orders]
    for order in orders:
        # Before a model is looked for: whoever asks for nothing shall not hear of models.
        check_words(order)
    models = {model_of(order) for order in orders}
    if len(models) != 1:
        raise ValueError("orders that are written side by side must be of one model")
    return compose_many(loaded(models.pop()), orders, report)


# One: a second model would take the memory that a worker was given for the first.
@lru_cache(maxsize=1)
def loaded(name: str) -> CachingModel:
    """Return a model, ready to write: on the graphics processor where there is one."""
    bound_threads()
    folder, has_graphics = folder_of(name), torch.cuda.is_available()
    if not has_graphics and can_be_plain(Path(folder)):
        return load_plain(Path(folder))
    # Transformers takes longer to import than a verse model to write a poem.
    from generation.decoding.local_model import load_model

    return load_model(folder, device="cuda", dtype="bfloat16") if has_graphics else load_model(folder)


@cache
def reached(server: Server) -> ServedModel:
    """Return a served model; its engine is probed once a process."""
    return reach_model(server)


def learn(lesson: Lesson, seconds: float, report: Callable[[list[float]], None]) -> Learnt:
    """Learn for some seconds, on the graphics processor where there is one; raise `Refused`."""
    # Who only writes need not load what learning takes.
    from generation.training.devices import choose_device, explain_short_memory
    from generation.training.units import learn_unit

    bound_threads()
    with explain_short_memory():
        return learn_unit(lesson, seconds, report, device=choose_device())


def bound_threads() -> None:
    """Use as many threads as the environment says, where it does."""
    if threads := os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(int(threads))
