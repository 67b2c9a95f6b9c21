"""Composing: what a visitor asks for is queued before the texts of studies, within what they and the site may bear.

A composition belongs to no study: it has a run of its own that only its link shows, and studies and games take
candidates from their own runs alone.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, ProtectedError, Q
from django.db.models.functions import Now
from django.utils.translation import ngettext

from generation.compose.longest import check_order
from generation.models import Composition, Prompt
from generation.orders import Order
from generation.prompts import PromptContent
from generation.refusals import Refused
from generation.runs.claiming import order_for
from generation.runs.runs import ORDER_FIELDS, queue_run, stored_prompts
from generation.web.once import make_once
from generation.web.quotas import Limit, digest_of, network_of, take

PRIORITY = 10
# Held by who counts what waits until theirs waits as well; any number that no other lock of the site has.
LOCK = 5_093_201
BUSY_SECONDS = 30
FIRST_SEEDS = 2**31
FORGOTTEN_AT_ONCE = 50


class Busy(Refused):
    """So many visitors' texts wait that no more are taken; in `retry_after` seconds it may be different."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after = BUSY_SECONDS

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting
        said = ngettext(
            "The workers are busy: %(waiting)d text waits already. Try again in half a minute.",
            "The workers are busy: %(waiting)d texts wait already. Try again in half a minute.",
            waiting,
        )
        super().__init__(said % {"waiting": waiting})


class TooManyWaiting(Refused):
    """So many texts of one address wait that it gets no more; in `retry_after` seconds it may be different."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    retry_after = BUSY_SECONDS

    def __init__(self, waiting: int) -> None:
        said = ngettext(
            "%(waiting)d text that was asked for from here waits already. Try again in half a minute.",
            "%(waiting)d texts that were asked for from here wait already. Try again in half a minute.",
            waiting,
        )
        super().__init__(said % {"waiting": waiting})


def of_visitor() -> Limit:
    return Limit("compositions of a visitor", settings.COMPOSE_PER_VISITOR)


def of_address() -> Limit:
    return Limit("compositions of an address", settings.COMPOSE_PER_ADDRESS)


def first_seed() -> int:
    """Return a seed for a new order: the same title is not to give everybody the same poem."""
    return secrets.randbelow(FIRST_SEEDS)


@transaction.atomic
def compose(order: Order, *, visitor: str, address: str, nonce: str = "") -> Composition:
    """Queue what a visitor asks for, and return it with its run; the form of one nonce is queued once.

    Raises `TooMany`, `TooManyWaiting`, `Busy`, `OrderRefused` or `Refused`; nothing of an allowance is used then.
    """

    check_order(order)

    def queue() -> Composition:
        take(of_visitor(), visitor)
        take(of_address(), network_of(address))
        waiting_for = digest_of("waiting compositions", network_of(address))
        refuse_if_busy(waiting_for)
        run = queue_run(
            order.method,
            [stored_prompt(order)],
            model=order.model,
            preset=order.preset,
            seed=order.seed,
            config={name: value for name in ORDER_FIELDS if (value := getattr(order, name))},
            priority=PRIORITY,
        )
        run_prompt = run.run_prompts.select_related("run").get()
        return Composition.objects.create(run_prompt=run_prompt, address=waiting_for)

    # A visitor's first form brings no cookie yet: their nonce alone says that it comes again.
    return make_once(nonce, "compose", queue, Composition.objects.select_related("run_prompt__run"))


def refuse_if_busy(address: str) -> None:
    """Raise `Busy` or `TooManyWaiting` where as many texts of visitors, or of those at one address, are open as may be.

    Part of the caller's transaction.
    """
    if not (settings.COMPOSE_QUEUE or settings.COMPOSE_QUEUE_PER_ADDRESS):
        return
    with connection.cursor() as cursor:
        # Of two requests at once the later one counts the text of the earlier one.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    waiting = Composition.objects.open().aggregate(
        all=Count("pk"), here=Count("pk", filter=Q(address=address))
    )
    if settings.COMPOSE_QUEUE and waiting["all"] >= settings.COMPOSE_QUEUE:
        raise Busy(waiting["all"])
    if settings.COMPOSE_QUEUE_PER_ADDRESS and waiting["here"] >= settings.COMPOSE_QUEUE_PER_ADDRESS:
        raise TooManyWaiting(waiting["here"])


def forget_old() -> int:
    """Delete the texts that visitors asked for too long ago, and return how many they are; all of it in small batches.

    What was asked for goes with them, where no study and no other run has the same prompt. Of those that are written
    the addresses' digests are forgotten at once.
    """
    Composition.objects.forget_addresses()
    if not settings.COMPOSE_KEEP_DAYS:
        return 0
    # The oldest ones come first by their key: whether any is too old is a matter of few rows.
    oldest = Composition.objects.order_by("pk").values("pk")[:FORGOTTEN_AT_ONCE]
    end = Now() - timedelta(days=settings.COMPOSE_KEEP_DAYS)
    old = list(Composition.objects.with_order().filter(pk__in=oldest, run_prompt__run__created_at__lt=end))
    for composition in old:
        with transaction.atomic():
            composition.run_prompt.run.delete()
        with suppress(ProtectedError, IntegrityError), transaction.atomic():
            composition.run_prompt.prompt.delete()
    return len(old)


def next_try(composition: Composition) -> Order:
    """Return the same order with the next seed."""
    run_prompt = composition.run_prompt
    return replace(order_for(run_prompt.run, run_prompt.prompt), seed=run_prompt.run.seed + 1)


def stored_prompt(order: Order) -> Prompt:
    """Return the prompt of an order, saved now or before; a study's prompt of the same text is the same row."""
    content = PromptContent(order.prompt, order.description)
    return Prompt.objects.get(pk=stored_prompts(order.genre, [content])[content])
