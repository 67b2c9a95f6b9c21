"""Raters of a Potato server (potato-annotation 2.12) that runs elsewhere on this machine, for `questionnaire_speed`.

Its task has items with one scale (`annotation_type: likert`), lets everybody in (`allow_all_users: true`) and asks for
no password (`require_password: false`):

    potato start config.yaml -p 8000 --host 127.0.0.1
"""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle
from urllib.parse import urlencode, urlsplit

import psutil

ITEM = re.compile(r'id="instance_id"[^>]* value="([^"]+)"')
SCALE = re.compile(r'label_name="1" name="([^"]+)"')


@dataclass(frozen=True)
class PotatoRater:
    """Somebody who is logged in there, what they rate, and on which scale."""

    host: str
    session: str
    items: list[str]
    scale: str

    def head(self, method: str, path: str) -> str:
        return f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nCookie: session={self.session}\r\n"

    def saves(self, points: int) -> Iterator[bytes]:
        """Yield what its page sends when a point is chosen, another one than before for each item."""
        for round_number in count():
            point = str(1 + round_number % points)
            for item in self.items:
                fields = {"instance_id": item, "annotations": {f"{self.scale}:::{point}": point}}
                body = json.dumps({**fields, "span_annotations": []})
                sent = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                yield (self.head("POST", "/updateinstance") + sent).encode()

    def views(self) -> Iterator[bytes]:
        return cycle([f"{self.head('GET', '/annotate')}\r\n".encode()])


def potato_raters(url: str, number: int, prompts: int) -> list[PotatoRater]:
    """Log so many people in, give each the first so many items of the task, and return them."""
    raters: list[PotatoRater] = []
    started = int(time.time())
    for place in range(number):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/auth", urlencode({"email": f"rater-{started}-{place}"}), form)
        answer = connection.getresponse()
        answer.read()
        found = re.search(r"session=([^;]+)", answer.headers["Set-Cookie"] or "")
        if not found:
            raise SystemExit(f"{url} lets nobody in without a password.")
        cookie = {"Cookie": found[0]}
        items = list(raters[0].items) if raters else []
        scale = None
        # Potato gives a rater items with the first page; the next one tells its own.
        for method, sent in [("GET", None)] + [("POST", json.dumps({"action": "next_instance"}))] * prompts:
            kind = {"Content-Type": "application/json"} if sent else {}
            connection.request(method, "/annotate", sent, cookie | kind)
            page = connection.getresponse().read().decode()
            item, scale = ITEM.search(page), SCALE.search(page) or scale
            if raters or len(items) == prompts or not item or item[1] in items:
                break
            items.append(item[1])
        if not scale or not items:
            raise SystemExit(f"{url} shows no item with a scale.")
        raters.append(PotatoRater(urlsplit(url).netloc, found[1], items, scale[1]))
    return raters


def serving_process(port: int) -> psutil.Process:
    """Return the process that listens at a port."""
    for listening in psutil.net_connections("tcp"):
        if listening.status == psutil.CONN_LISTEN and listening.laddr.port == port and listening.pid:
            return psutil.Process(listening.pid)
    raise SystemExit(f"Nothing of this machine listens at port {port}.")
