"""Asking an engine over HTTP: patient with one that is busy or falls over, not with one that says no."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

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


class EngineFailed(Exception):
    """The engine did not give what was asked for; the message is one line for people."""


@cache
def connections() -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=4)


def ask(server: Server, path: str, body: Mapping[str, Any]) -> Any:
    """Return the JSON that an engine answers to a body.

    429, 5xx, silence and broken connections are tried again. Raises `OrderRefused` where the engine refuses the request
    and `EngineFailed` where it gives no answer. It is followed nowhere else.
    """
    retries = urllib3.Retry(
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
    try:
        response = connections().request(
            "POST",
            server.url.rstrip("/") + path,
            json=dict(body),
            headers={"Authorization": f"Bearer {server.key}"} if server.key else {},
            retries=retries,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=server.seconds),
            redirect=False,
        )
    except urllib3.exceptions.HTTPError as error:
        reason = getattr(error, "reason", None) or error
        raise EngineFailed(
            f"{server.name} gave no answer in {ATTEMPTS} attempts: {shortened(reason)}"
        ) from error
    if response.status != 200:
        said = f"{response.status} {shortened(response.data.decode(errors='replace'))}"
        if response.status in BUSY or response.status < 400:
            raise EngineFailed(f"{server.name} gave no answer in {ATTEMPTS} attempts: {said}")
        raise OrderRefused(f"model: {server.name} refused the request: {said}")
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise EngineFailed(f"{server.name}'s answer is not JSON: {shortened(error)}") from error


def shortened(reason: object) -> str:
    return " ".join(str(reason).split())[:LONGEST_REASON]
