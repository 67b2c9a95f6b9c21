"""Asking an engine over HTTP: patient with one that is busy or falls over, not with one that says no."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Self

import urllib3

from generation.engines.servers import Server
from generation.orders import OrderRefused

ATTEMPTS = 4
# Seconds before the second attempt, doubled for each further one, and up to as many more by chance: workers that were
# refused together shall not come back together.
PAUSE = 0.5
LONGEST_PAUSE = 30
CONNECT_SECONDS = 10
BUSY = frozenset({429, 500, 502, 503, 504})
LONGEST_REASON = 200
# Of an answer; and how much of it is read at once.
MOST_BYTES = 64 * 2**20
PART = 2**16


class EngineFailed(Exception):
    """The engine did not give what was asked for; the message is one line for people."""


@cache
def connections() -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=4)


def ask(
    server: Server,
    path: str,
    body: Mapping[str, Any],
    *,
    before_again: Callable[[bool], None] = lambda was_turned_away: None,
) -> Any:
    """Return the JSON that an engine answers to a body.

    429, 5xx, silence and broken connections are tried again; `before_again` is called each time, with whether the
    engine turned the request before away as too many (429), and ends it all by raising. Raises `OrderRefused` where the
    engine refuses the request and `EngineFailed` where it gives no answer. It is followed nowhere else.
    """

    class Counted(urllib3.Retry):
        def increment(self, *arguments: Any, **known: Any) -> Self:
            following = super().increment(*arguments, **known)
            response = known.get("response")
            before_again(response is not None and response.status == 429)
            return following

    retries: urllib3.Retry = Counted(
        total=ATTEMPTS - 1,
        redirect=False,
        allowed_methods=None,
        status_forcelist=BUSY,
        backoff_factor=PAUSE,
        backoff_jitter=PAUSE,
        backoff_max=LONGEST_PAUSE,
        # An engine may say when to come back, but not that a worker wait for hours.
        retry_after_max=LONGEST_PAUSE,
        raise_on_status=False,
    )
    url = server.url.rstrip("/") + path
    try:
        while True:
            response = connections().request(
                "POST",
                url,
                json=dict(body),
                headers={"Authorization": f"Bearer {server.key}"} if server.key else {},
                retries=retries,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=server.seconds),
                redirect=False,
                preload_content=False,
            )
            try:
                content = content_of(response, server)
                break
            except urllib3.exceptions.HTTPError as error:
                retries = (response.retries or retries).increment("POST", url, error=error)
                retries.sleep()
    except urllib3.exceptions.HTTPError as error:
        reason = getattr(error, "reason", None) or error
        raise EngineFailed(
            f"{server.name} gave no answer in {ATTEMPTS} attempts: {shortened(server, reason)}"
        ) from error
    if response.status != 200:
        said = f"{response.status} {shortened(server, content.decode(errors='replace'))}"
        if response.status in BUSY or response.status < 400:
            raise EngineFailed(f"{server.name} gave no answer in {ATTEMPTS} attempts: {said}")
        raise OrderRefused(f"model: {server.name} refused the request: {said}")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise EngineFailed(f"{server.name}'s answer is not JSON: {shortened(server, error)}") from error


def content_of(response: urllib3.BaseHTTPResponse, server: Server) -> bytes:
    """Return what an engine sends; raise `EngineFailed` where that is too much or takes too long."""
    deadline = time.monotonic() + server.seconds
    parts: list[bytes] = []
    size = 0
    try:
        for part in response.stream(PART):
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise EngineFailed(f"{server.name} answered more than {MOST_BYTES:,} bytes")
            if time.monotonic() > deadline:
                raise EngineFailed(f"{server.name} was not done answering after {server.seconds:g} s")
    except EngineFailed:
        # What still comes is not waited for.
        response.close()
        raise
    response.release_conn()
    return b"".join(parts)


def shortened(server: Server, reason: object) -> str:
    """Return a reason on one line of bounded length, and without the server's key should it repeat it."""
    said = str(reason)
    if server.key:
        said = said.replace(server.key, "…")
    return " ".join(said.split())[:LONGEST_REASON]
