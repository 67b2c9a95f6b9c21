"""Web, events, worker and database of a live conversation are killed in the middle: nothing is lost or doubled."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.core.signing import get_cookie_signer
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from evalsite.tests.cast import wait_for
from tests.live_site import EventsServer, Reader
from tests.worker_site import START_SECONDS, RealWorkerProcess, WebServer, kill_server, own_site
from turing.game.players import COOKIE, SALT, hash_of
from turing.models import Chat, ChatMessage, Persona, Player, Seat, Side, Turn

pytestmark = pytest.mark.fault


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def home(django_db_blocker: DjangoDbBlocker, own_home: Path) -> Iterator[Path]:
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        own_site(patch, own_home) as home,
    ):
        yield home


def seated(role: str, chat: Chat) -> str:
    """Seat a player in a chat and return the cookie that they have."""
    token = uuid.uuid4().hex
    chat.seats.create(player=Player.objects.create(token_hash=hash_of(token)), role=role, may_be_read=False)
    return f"{COOKIE}={get_cookie_signer(salt=COOKIE + SALT).sign(token)}"


def post(port: int, chat: Chat, cookie: str, side: str, text: str, client_id: uuid.UUID) -> bool:
    """Send a message as the page does, and return whether the site has it."""
    link = HTTPConnection("127.0.0.1", port, timeout=20)
    csrf = "c" * 32
    body = urlencode({"side": side, "text": text, "client_id": client_id, "csrfmiddlewaretoken": csrf})
    headers = {
        "Cookie": f"{cookie}; csrftoken={csrf}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }
    try:
        link.request("POST", f"/turing/live/{chat.uuid}/", body, headers)
        return link.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        link.close()


def start_again(server: WebServer | EventsServer) -> None:
    server.kill()
    server.start()


def kill_children(worker: RealWorkerProcess) -> None:
    for child in worker.children():
        child.kill()


def test_no_message_is_lost_doubled_or_out_of_order_whatever_is_killed(home: Path) -> None:
    web, events = WebServer(home / "web.log"), EventsServer(home / "events.log", free_port())
    worker = RealWorkerProcess("live", home / "live.log")
    reader = None
    try:
        web.start()
        events.start()
        now = timezone.now()
        chat = Chat.objects.create(
            persona=Persona.objects.create(name="rules"), language="en", human_side=Side.LEFT,
            left_begins=False, right_begins=False, created_at=now, ends_at=now + timedelta(minutes=30),
        )  # fmt: skip
        interrogator, witness = (seated(role, chat) for role in Seat.Role)
        # People who answer at once, so that the machine does too.
        Turn.objects.bulk_create(
            Turn(chat=chat, side=Side.LEFT, asked_at=now, answered_at=now, length=number)
            for number in range(1, 40)
        )
        worker.wait_until_there()
        reader = Reader(f"http://127.0.0.1:{events.port}/turing/live/{chat.uuid}/events/", interrogator)
        reader.start()
        kills: dict[int, Callable[[], object]] = {
            2: lambda: start_again(web),
            4: lambda: start_again(events),
            6: lambda: kill_children(worker),
            8: lambda: kill_server("PostgreSQL"),
        }
        for number in range(10):
            kill = kills.get(number)
            for cookie, side in ((interrogator, "left"), (interrogator, "right"), (witness, "left")):
                client_id = uuid.uuid4()
                if kill:
                    # Sent, and the site is killed before or after it has it: it is sent again.
                    post(web.port, chat, cookie, side, f"{number} {side}", client_id)
                    kill()
                    kill = None
                wait_for(
                    lambda: post(web.port, chat, cookie, side, f"{number} {side}", client_id),  # noqa: B023
                    START_SECONDS,
                )
        wait_for(lambda: not Turn.objects.filter(chat=chat, side="right", answered_at=None).exists(), 90)
        Chat.objects.update(ends_at=timezone.now())
        connection.close()
        assert reader.ended.wait(60)
        for side in Side:
            stored = list(ChatMessage.objects.filter(chat=chat, side=side).order_by("number"))
            assert [one.number for one in stored] == list(range(1, len(stored) + 1))
            asked = [one.text for one in stored if one.by == Seat.Role.INTERROGATOR]
            assert asked == [f"{number} {side}" for number in range(10)]
            read = [(one["number"], one["by"], one["text"]) for one in reader.said if one["side"] == side]
            assert read == [(one.number, one.by, one.text) for one in stored]
        assert [one.text for one in stored if one.by == Seat.Role.WITNESS] != []
    finally:
        if reader:
            reader.ended.set()
        web.kill()
        events.kill()
        worker.end()
