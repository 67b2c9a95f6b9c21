"""A server for tests that answers as a language model that judges, over real HTTP, and as told: slowly or wrongly."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MARKS = re.compile(r"^(#{3,}) [A-Z]$", re.MULTILINE)


@dataclass(frozen=True)
class Reply:
    """What is answered instead: `content` as the message, or `body` as it is, with the key that came for `{key}`."""

    content: Any = None
    body: bytes = b""
    status: int = 200
    usage: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class JudgeServer:
    """Scores every text by its length within the scale. `troubles` are what becomes of the next requests instead."""

    def __init__(self) -> None:
        self.troubles: list[str | Reply] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.url = ""

    @property
    def answered(self) -> int:
        """How many requests were answered, and would be paid."""
        return len(self.requests)

    def answer(self, body: dict[str, Any]) -> Any:
        page = body["messages"][1]["content"]
        marks = max(MARKS.findall(page), key=len)
        parts = re.split(rf"^{marks} ([A-Z])\n", page, flags=re.MULTILINE)[1:]
        texts = dict(zip(parts[::2], parts[1::2], strict=True))
        wanted = body["response_format"]
        schema = wanted["json_schema"]["schema"] if "json_schema" in wanted else wanted["schema"]
        said = {}
        for letter in schema["required"]:
            scores = schema["properties"][letter]["properties"]
            size = len(texts[letter].strip())
            said[letter] = {
                key: one["enum"][size % len(one["enum"]) if size > 1 else 0] for key, one in scores.items()
            }
        return said


@contextmanager
def judging() -> Iterator[JudgeServer]:
    """Serve a judge on a free port while the block runs."""
    judge = JudgeServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == "/v1/chat/completions"
            trouble = judge.troubles.pop(0) if judge.troubles else ""
            if isinstance(trouble, Reply):
                self.reply(trouble, body)
                return
            if trouble == "slow":
                time.sleep(0.3)
            status = int(trouble) if trouble.isdecimal() else 200
            content = "I would rather not." if trouble == "refuses" else json.dumps(judge.answer(body))
            if status == 200:
                judge.requests.append(body)
                judge.keys.append(self.headers.get("Authorization", ""))
            said = {
                "choices": [{"message": {"content": content}}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20},
            }
            self.send(status, json.dumps(said if status == 200 else {"error": "no"}).encode())

        def reply(self, reply: Reply, body: dict[str, Any]) -> None:
            judge.requests.append(body)
            said = {"choices": [{"message": {"content": reply.content}}], "usage": reply.usage}
            key = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self.send(
                reply.status,
                reply.body.replace(b"{key}", key.encode()) or json.dumps(said).encode(),
                reply.headers,
            )

        def send(self, status: int, words: bytes, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(words)))
            self.end_headers()
            # Whoever has read enough hangs up.
            with suppress(ConnectionError):
                self.wfile.write(words)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    judge.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield judge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
