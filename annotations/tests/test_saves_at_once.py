"""Two saves of one page at the same time, by threads against the real server: one whole answer, and all history."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import AnswerChange, Judgement, Marking, Span, WrittenAnswer
from annotations.questionnaire.written import saving as writing
from annotations.tests.cast import build_user
from annotations.tests.test_hostile_answers import CASES, Case, addresses

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


def senders(live_server: Any, alice: User) -> Callable[[str, dict[str, Any]], int]:
    """Return a function that sends a body to the server as alice, and returns the status of the answer."""
    client = Client()
    client.force_login(alice)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    token = "a" * 32
    headers = {
        "Content-Type": "application/json",
        "Cookie": f"{cookie}; {settings.CSRF_COOKIE_NAME}={token}",
        "X-CSRFToken": token,
    }

    def send(path: str, body: dict[str, Any]) -> int:
        request = urllib.request.Request(  # noqa: S310 - the server of this test
            live_server.url + path, json.dumps(body).encode(), headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return int(error.code)

    return send


def at_once(send: Callable[[str, dict[str, Any]], int], path: str, bodies: list[dict[str, Any]]) -> list[int]:
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(lambda body: send(path, body), bodies))


def other(case: Case, number: int) -> dict[str, Any]:
    """Return the answer to the page that is changed a little, by a number, so that each is another one."""
    body = dict(case.on_page)
    if "marks" in body:
        body["marks"] = [body["marks"][0] | {"note": f"note {number}"}]
    elif "places" in body:
        turned = number % len(body["places"])
        body["places"] = body["places"][turned:] + body["places"][:turned]
    elif "text" in body:
        body["text"] = f"Version {number}."
    else:
        body["score"] = 1 + number % 2
    return body


@pytest.mark.parametrize("protocol", CASES)
def test_of_many_saves_of_one_answer_the_latest_stays_whole(live_server: Any, protocol: str) -> None:
    alice = build_user("alice")
    case = CASES[protocol](alice)
    send = senders(live_server, alice)
    path, _api = addresses(case)
    bodies = [other(case, number) | {"order": 10 + number} for number in range(2 * THREADS)]
    assert set(at_once(send, path, bodies)) == {200}
    last = bodies[-1]
    if protocol == "spans":
        assert [span.note for span in Span.objects.all()] == [last["marks"][0]["note"]]
        assert Marking.objects.get().client_order == last["order"]
    elif protocol == "reasons":
        assert WrittenAnswer.objects.order_by("-client_order")[0].text == last["text"]
        assert WrittenAnswer.objects.count() == len(bodies)
        return
    elif "places" in last:
        tokens = dict(
            case.study.enrolments.get().placements.filter(page__number=1).values_list("position", "token")
        )
        assert [tokens[place] for place in Judgement.objects.get().places] == last["places"]
    # The history has every answer that was the latest when it came, in the order in which they were given.
    orders = list(AnswerChange.objects.order_by("pk").values_list("client_order", flat=True))
    assert orders == sorted(set(orders))
    assert orders[-1] == last["order"]


@pytest.mark.parametrize("protocol", CASES)
def test_one_answer_sent_many_times_at_once_is_stored_once(live_server: Any, protocol: str) -> None:
    alice = build_user("alice")
    case = CASES[protocol](alice)
    path, _api = addresses(case)
    statuses = at_once(senders(live_server, alice), path, [case.on_page] * (2 * THREADS))
    assert set(statuses) == {200}
    stored = WrittenAnswer if protocol == "reasons" else AnswerChange
    assert stored._default_manager.count() == 1


def test_versions_that_come_at_once_go_over_the_bound_by_no_more_than_come_at_once(
    live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_VERSIONS", 5)
    alice = build_user("alice")
    case = CASES["reasons"](alice)
    send = senders(live_server, alice)
    path, _api = addresses(case)
    bodies = [other(case, number) | {"order": 10 + number} for number in range(40)]
    statuses = at_once(send, path, bodies)
    assert set(statuses) == {200, 400}
    assert 5 <= WrittenAnswer.objects.count() < 5 + THREADS
    assert send(path, other(case, 99) | {"order": 99}) == 400
