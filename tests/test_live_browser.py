"""Live conversations in real Chromiums: a trio, whose machine answers, and a third person whom nobody meets."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from evalsite import embedded
from evalsite.tests.cast import wait_for
from tests.browsing import PHONE, needs_browser
from tests.live_site import EventsServer
from turing.live.answering import answer_next
from turing.models import Chat, Persona, Seat, Side, Turn, Verdict
from turing.tests.cast import build_pairs

pytestmark = needs_browser
# Two processes of tests may share one slow core.
expect.set_options(timeout=60_000)
# The policy of the site is fixed when it starts, before the test has a port for events.
PORTS = {"bypass_csp": True}


@pytest.fixture(params=[True, False], ids=["events", "asking"])
def events(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Iterator[EventsServer | None]:
    """The process that sends events, on the database of the test; or none."""
    if not request.param:
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    name = quote(str(connection.settings_dict["NAME"]))
    database = urlsplit(embedded.urls().database)._replace(path=f"/{name}").geturl()
    server = EventsServer(tmp_path / "events.log", port, database)
    settings.TURING_EVENTS_URL = f":{port}"
    server.start()
    wait_for(server.answers, 120)
    yield server
    server.kill()


@pytest.fixture(autouse=True)
def quick(settings: Any, transactional_db: None) -> None:
    """People who answer at once, so that the machine does, too; nobody waits for long."""
    settings.TURING_LIVE_WAIT_SECONDS = 5
    now = timezone.now()
    chat = Chat.objects.create(
        persona=Persona.objects.create(name="rules"), language="en", human_side=Side.LEFT,
        left_begins=False, right_begins=False, created_at=now - timedelta(hours=1), ends_at=now,
    )  # fmt: skip
    Turn.objects.bulk_create(
        Turn(chat=chat, side=Side.LEFT, asked_at=now, answered_at=now, length=number)
        for number in range(1, 40)
    )


def enter(page: Page) -> Page:
    """Agree by the keyboard alone, and wait."""
    page.get_by_label("I agree").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Meet somebody").focus()
    page.keyboard.press("Enter")
    return page


def say(page: Page, side: str, text: str) -> None:
    page.locator(f"#text-{side}").focus()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def times_asked(page: Page) -> int:
    """Return how often a page has asked for messages by itself."""
    script = "performance.getEntriesByType('resource').filter(one => one.name.includes('/messages/')).length"
    return int(page.evaluate(script))


def check(page: Page) -> None:
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_a_trio_is_played_by_the_keyboard_on_a_desktop_and_a_phone(
    events: EventsServer | None, visit: Callable[..., Page]
) -> None:
    build_pairs()
    pages = [enter(visit("/turing/live/", **PORTS)), enter(visit("/turing/live/", size=PHONE, **PORTS))]
    for page in pages:
        expect(page.locator("#chat")).to_be_visible()
        check(page)
    chat = Chat.objects.latest("pk")
    asking, answering = pages if pages[0].locator(".talk").count() == 2 else pages[::-1]
    human, machine = chat.human_side, Side(chat.human_side).other
    say(asking, human, "Hello, who are you?")
    say(asking, machine, "Hello, who are you?")
    expect(answering.locator(".message").last).to_contain_text("Hello, who are you?")
    say(answering, "left", "A person, I think")
    said = asking.locator(f'.talk[data-side="{human}"] .message')
    expect(said.last).to_contain_text("A person, I think")
    while answer_next():
        pass
    said = asking.locator(f'.talk[data-side="{machine}"] .message.by-interrogator')
    expect(said.last).to_be_visible()
    # A third one comes, whom nobody meets.
    third = enter(visit("/turing/live/"))
    expect(third.get_by_role("button", name="Play")).to_be_visible()
    before = [times_asked(page) for page in pages]
    asking.wait_for_timeout(3_000)
    assert ([times_asked(page) for page in pages] == before) == (events is not None)
    Chat.objects.filter(pk=chat.pk).update(ends_at=timezone.now())
    expect(asking.locator(".pick")).to_have_count(2)
    check(asking)
    expect(answering.get_by_text("The interrogator is deciding")).to_be_visible()
    asking.get_by_label("fairly sure").check(force=True)
    asking.locator("#reason").fill("They said so.")
    asking.locator("h1").click()
    asking.keyboard.press("ArrowLeft" if human == Side.LEFT else "ArrowRight")
    expect(asking.get_by_text("Right.")).to_be_visible()
    expect(answering.get_by_text("You were taken for the human.")).to_be_visible()
    verdict = Verdict.objects.get()
    assert (verdict.choice, verdict.confidence, verdict.reason) == (human, 2, "They said so.")
    check(asking)
    check(answering)


def test_a_chat_is_gone_through_without_javascript(visit: Callable[..., Page]) -> None:
    one, other = (visit("/turing/live/", java_script_enabled=False) for _ in range(2))
    for page in (one, other):
        page.get_by_label("I agree").check()
        page.get_by_label("I am 18").check()
        page.get_by_role("button", name="Meet somebody").click()
        page.get_by_role("button", name="Look again").click()
    one.get_by_role("button", name="Look again").click()
    chat = Chat.objects.latest("pk")
    asking, answering = (one, other) if one.locator(".talk").count() == 2 else (other, one)
    asking.locator(f"#text-{chat.human_side}").fill("Hello")
    asking.locator(f'.talk[data-side="{chat.human_side}"] button').click()
    answering.get_by_text("Look for new messages").click()
    expect(answering.locator(".message")).to_contain_text("Hello")
    assert chat.seats.filter(role=Seat.Role.WITNESS).exists()
