"""Poems by Jiuge, a service elsewhere that writes a poem in each of four forms: asking for them, and drawing one.

What the service at `JIUGE_URL` must do, whatever stands behind it: to a POST with the JSON object `{"title": "..."}` it
answers 200 with

    {"poems": {"jueju5": "...", "jueju7": "...", "lushi5": "...", "lushi7": "..."}}

One of the four is drawn, as in section 5.1 of Zou et al. (KDD 2021). Answers 429 and 5xx, and none at all, are asked
for again. Records that hold four forms a title are drawn from alike (`generation.files.candidates`).
"""

from __future__ import annotations

import hashlib
import http.client
import json
import time
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from generation.genres import GENRES
from generation.orders import LONGEST, Order, OrderRefused, ScoredText, Written
from generation.texts.normalising import normalise_text

JIUGE = "jiuge"
FORMS = ("jueju5", "jueju7", "lushi5", "lushi7")
TIMEOUT_SECONDS = 30.0
# Seconds before each further attempt.
PAUSES = (1.0, 4.0)
LARGEST_ANSWER = 1_000_000

Text = TypeVar("Text")


class JiugeFailed(Exception):
    """The service did not give what was asked for; the message is one line for people."""


def write_by_jiuge(url: str, order: Order) -> Written:
    """Ask the service at a URL for a title's poems and draw one; raise `OrderRefused` or `JiugeFailed`."""
    if not url:
        raise OrderRefused("method: jiuge is a service elsewhere, and its address is not set (JIUGE_URL)")
    if not GENRES[order.genre].is_verse:
        raise OrderRefused("method: jiuge writes poems only")
    if not order.prompt.strip():
        raise OrderRefused("title: is empty")
    if len(order.prompt.strip()) > LONGEST["title"]:
        raise OrderRefused(
            f"title: is {len(order.prompt.strip())} characters long; at most {LONGEST['title']} are allowed"
        )
    started = time.perf_counter()
    poems = poems_in(ask(url, order.prompt.strip()))
    form = draw(poems, title=order.prompt, seed=order.seed)
    best, *others = (
        ScoredText(poems[one], 0.0, {}, ()) for one in sorted(FORMS, key=lambda one: one != form)
    )
    facts = {"method": JIUGE, "service": urlsplit(url).hostname, "form": form, "seed": order.seed}
    return Written(best, tuple(others), seconds=time.perf_counter() - started, provenance=facts)


def draw(choices: Mapping[str, Text], *, title: str, seed: int) -> str:
    """Return the key of one choice, each as likely as the others; title and seed decide, not the order."""
    words = "\x00".join([str(seed), title])
    number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8])
    return sorted(choices)[number % len(choices)]


def ask(url: str, title: str) -> bytes:
    """Return what the service answers, asked up to three times; raise `JiugeFailed`."""
    body = json.dumps({"title": title}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}
    request = Request(url, body, headers)  # noqa: S310 - settings allow http and https only
    failure: Exception | None = None
    for pause in (0.0, *PAUSES):
        time.sleep(pause)
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - as above
                answer: bytes = response.read(LARGEST_ANSWER + 1)
        except HTTPError as error:
            error.close()
            if error.code != 429 and error.code < 500:
                raise JiugeFailed(f"Jiuge refused the title: {error.code} {error.reason}") from error
            failure = error
        # A connection that breaks off in an answer is an error of http.client's own.
        except (URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
            failure = error
        else:
            if len(answer) > LARGEST_ANSWER:
                raise JiugeFailed(f"Jiuge's answer is longer than {LARGEST_ANSWER:,} bytes")
            return answer
    raise JiugeFailed(f"Jiuge gave no answer in {len(PAUSES) + 1} attempts: {failure}") from failure


def poems_in(answer: bytes) -> dict[str, str]:
    """Return the poems of an answer by their forms, normalised; raise `JiugeFailed` where one is missing."""
    try:
        poems: Any = json.loads(answer)["poems"]
        texts = {form: normalise_text(poems[form], "poem") for form in FORMS}
    except (ValueError, RecursionError) as error:
        raise JiugeFailed(f"Jiuge's answer is not JSON: {error}") from error
    except KeyError as error:
        raise JiugeFailed(f"Jiuge's answer has no {error}") from error
    except (TypeError, AttributeError) as error:
        raise JiugeFailed('Jiuge\'s answer is not of the form {"poems": {"jueju5": "...", ...}}') from error
    if empty := [form for form, text in texts.items() if not text]:
        raise JiugeFailed(f"Jiuge's poem is empty: {', '.join(empty)}")
    return texts
