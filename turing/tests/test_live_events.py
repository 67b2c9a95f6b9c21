"""Events of a live conversation: nothing in what is sent, nor in when, tells the machine from the human."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from turing.live import events, talk
from turing.models import Seat, Side, Turn
from turing.tests.live_cast import begun, say

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 1.5


@pytest.fixture(autouse=True)
def own_process(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the events a thread and a listener of their own, which leave no connection behind."""
    settings.TURING_LIVE_SAME_ADDRESS = True
    with ThreadPoolExecutor(max_workers=1) as threads:
        monkeypatch.setattr(events, "THREADS", threads)
        monkeypatch.setattr(events, "LISTENER", events.Listener())
        yield
        threads.submit(close_own).result()


def close_own() -> None:
    connection.close()


async def sent_until_said(asking: Seat, witness: Seat | None) -> list[str]:
    """Return the names of all that an interrogator is sent until something is said, by a human or else the machine."""
    stream = events.stream(asking, talk.Cursor())
    chunks = [await anext(stream)]
    if witness is not None:
        later = asyncio.get_running_loop().call_later(
            SECONDS, events.THREADS.submit, say, witness, witness.chat.human_side, "Hello"
        )
    while not chunks[-1].startswith(b"id:"):
        chunks.append(await anext(stream))
    if witness is not None:
        later.cancel()
    await stream.aclose()
    return [one.split(b":")[0].decode() or one.decode().strip() for one in chunks]


def test_what_a_machine_says_comes_after_the_same_signs_as_what_a_human_says() -> None:
    chat, asking, answering = begun(3)
    Turn.objects.all().delete()
    of_human = asyncio.run(sent_until_said(asking, answering))
    chat, asking, _answering = begun(4)
    Turn.objects.filter(chat=chat).delete()
    now = timezone.now()
    Turn.objects.create(
        chat=chat,
        side=Side(chat.human_side).other,
        asked_at=now,
        text="Hello",
        due_at=now + timedelta(seconds=SECONDS),
    )
    assert asyncio.run(sent_until_said(asking, None)) == of_human == [": there", "id"]
