"""What nobody should send to a page, and what must come of it: a refusal in words, and nothing stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import Model
from django.test import Client

from annotations.models import AnswerChange
from annotations.models.protocols import ANSWERS

MODELS: tuple[type[Model], ...] = (*ANSWERS, AnswerChange)
DEEP = "[" * 2_000 + "]" * 2_000
# As they stand in JSON: numbers at and beyond the ends of types, texts that no database holds, and nests.
VALUES = [
    "null", "true", "false", "-1", "0", "-0", "1.5", "1e308", "1e999", "NaN", "Infinity", "32768", "2147483648",
    "9223372036854775807", "9223372036854775808", "1" + "0" * 400, '""', '" "', '"\\u0000"', '"\\ud800"',
    '"\\udfff\\ud800"', '"\\u202e"', '"\\ufdd0"',
    '"%s%(x)s{0}"', '"\'; DROP TABLE annotations_rating; --"', '"' + "x" * 3_000 + '"', "[]",
    "[null]", '["\\ud800"]', "{}", '{"": {}}', '{"\\ud800": 1}', DEEP,
]  # fmt: skip


def hostile_bodies(body: dict[str, Any]) -> Iterator[list[str]]:
    """Yield bodies that differ from a good one in one place, as JSON: by key its values, and then other bodies."""
    for key in body:
        rest = {name: value for name, value in body.items() if name != key}
        head = json.dumps(rest)[:-1] + f"{', ' if rest else ''}{json.dumps(key)}: "
        yield [json.dumps(rest), *(head + value + "}" for value in VALUES)]
    whole = json.dumps(body)
    yield [
        whole[:-1] + ', "more": 1}', whole[:-1] + ', "\\ud800": 1}', "", "{", "[]", "null", '"token"', "\x00", DEEP,
        f"[{whole}]", whole * 2,
    ]  # fmt: skip


def stored() -> list[Any]:
    """Return all that is stored of answers."""
    return [list(model._default_manager.order_by("pk").values()) for model in MODELS]


def is_taken(client: Client, path: str, raw: str) -> bool:
    """Send a body, and return whether it was taken; what is refused is told why."""
    response = client.post(path, raw, content_type="application/json")
    sent = (path, raw[:300], response.content[:300])
    assert response.status_code < 500, sent
    if response.status_code == 200:
        return True
    assert response.status_code >= 400, sent
    said = response.json() if "json" in response.headers["Content-Type"] else response.content.decode()
    assert said, sent
    assert "Traceback" not in str(said), sent
    return False
