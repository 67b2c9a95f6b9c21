"""Events of a chat for as long as a page is open: one process sends them, woken by PostgreSQL (evalsite/asgi.py).

What is sent stands in the database: a connection that breaks loses nothing, and goes on after the last event it had
(`Last-Event-ID`). Without this process pages ask again every second.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.handlers.asgi import ASGIRequest
from django.db import Error, close_old_connections, connection
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse

from turing.game.players import visitor_of
from turing.live import talk
from turing.live.views import cursor_sent, cursor_shown, said_as_shown
from turing.models import Seat

# So that proxies keep the connection, and a page that has gone is noticed.
HEARTBEAT = 15.0
# While PostgreSQL wakes nobody it is asked so often.
WITHOUT_WAKING = 1.0
# Each of these has a connection to the database; what they do takes milliseconds.
THREADS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="events")

logger = logging.getLogger(__name__)


class Listener:
    """The one connection of a process on which PostgreSQL says in which chat something has happened."""

    def __init__(self) -> None:
        self.hearing: dict[int, set[asyncio.Event]] = {}
        self.is_on = False
        self.task: asyncio.Task[None] | None = None

    @contextmanager
    def hear(self, chat: int) -> Iterator[asyncio.Event]:
        """Hand out what is set whenever something has happened in a chat."""
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self.listen())
        heard = asyncio.Event()
        self.hearing.setdefault(chat, set()).add(heard)
        try:
            yield heard
        finally:
            self.hearing[chat].discard(heard)
            if not self.hearing[chat]:
                del self.hearing[chat]

    async def listen(self) -> None:
        """Listen for ever, and connect again where the database was away."""
        while True:
            with suppress(Error, psycopg2.Error):
                await self._listen_once()
            self.is_on = False
            await asyncio.sleep(WITHOUT_WAKING)

    async def _listen_once(self) -> None:
        loop = asyncio.get_running_loop()
        link = await loop.run_in_executor(THREADS, connected)
        ready = asyncio.Event()
        loop.add_reader(link.fileno(), ready.set)
        try:
            self.is_on = True
            # What happened meanwhile was heard by nobody.
            self.wake(*self.hearing)
            while True:
                await ready.wait()
                ready.clear()
                link.poll()
                while link.notifies:
                    self.wake(int(link.notifies.pop().payload))
        finally:
            loop.remove_reader(link.fileno())
            link.close()

    def wake(self, *chats: int) -> None:
        for chat in chats:
            for heard in self.hearing.get(chat, ()):
                heard.set()


def connected() -> Any:
    """Return a connection of its own that listens."""
    link = psycopg2.connect(**connection.get_connection_params())
    link.autocommit = True
    with link.cursor() as cursor:
        cursor.execute(f"LISTEN {talk.CHANNEL}")
    return link


LISTENER = Listener()


def found_seat(request: HttpRequest, chat: uuid.UUID) -> Seat | None:
    """Return the seat of who asks; in a thread of ours, since one of the request's own would keep its connection."""
    close_old_connections()
    return talk.seat_of(visitor_of(request), chat)


def look(seat: Seat, after: talk.Cursor) -> talk.Look:
    close_old_connections()
    return talk.look(seat, after)


@login_not_required
async def live_events(request: HttpRequest, chat: uuid.UUID) -> HttpResponse | StreamingHttpResponse:
    """Send what is said in a chat until it is over; to who sits in it, and by the process that is there for it."""
    if request.method != "GET" or not settings.TURING_LIVE or not isinstance(request, ASGIRequest):
        raise Http404
    seat = await asyncio.get_running_loop().run_in_executor(THREADS, found_seat, request, chat)
    if seat is None:
        raise Http404
    after = cursor_sent(seat, request.headers.get("Last-Event-ID") or request.GET.get("after", ""))
    response = StreamingHttpResponse(stream(seat, after), content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    origin = request.headers.get("Origin", "")
    # In a demonstration the process has a port of its own on the same host.
    if origin and urlsplit(origin).hostname == request.get_host().rsplit(":", 1)[0]:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Vary"] = "Origin"
    return response


async def stream(seat: Seat, after: talk.Cursor) -> AsyncGenerator[bytes, None]:
    """Yield what is said after a cursor, as server-sent events."""
    loop = asyncio.get_running_loop()
    with LISTENER.hear(seat.chat_id) as heard:
        yield b": there\n\n"
        sign_at = loop.time() + HEARTBEAT
        while True:
            heard.clear()
            try:
                found = await loop.run_in_executor(THREADS, look, seat, after)
            except Error:
                logger.warning("Events of a chat wait for the database")
                await asyncio.sleep(WITHOUT_WAKING)
                yield b": still there\n\n"
                continue
            if found.said:
                after = found.cursor
                body = json.dumps({"said": said_as_shown(seat, found)}, ensure_ascii=False)
                yield f"id: {cursor_shown(seat, after)}\ndata: {body}\n\n".encode()
            if found.is_over:
                yield b"event: over\ndata: {}\n\n"
                return
            longest = HEARTBEAT if LISTENER.is_on else WITHOUT_WAKING
            with suppress(TimeoutError):
                left = max(0.0, sign_at - loop.time())
                await asyncio.wait_for(heard.wait(), min(found.wait, longest, left))
            # By the clock alone: what a machine says is waited for, and a sign before it would tell it from a human's.
            if loop.time() >= sign_at:
                sign_at += HEARTBEAT
                yield b": still there\n\n"
