"""What a browser loads before somebody who opens the questionnaire for the first time can read and rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from annotations.models import Study
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import CRITERIA, build_study, build_user
from tests.browsing import needs_browser
from tests.rating_page import FIRST

pytestmark = needs_browser

MOST_BYTES, MOST_REQUESTS = 100_000, 6


@pytest.fixture
def study(db: None) -> Study:
    """A study of four texts a page and five criteria."""
    study = build_study()
    for number in range(2, 5):
        study.criteria.create(**{**CRITERIA[0], "key": f"criterion-{number}", "number": number})
    return study


def test_the_first_view_is_light_and_takes_few_requests(visit: Callable[..., Page], study: Study) -> None:
    alice = build_user("alice")
    enrol(study, alice)
    # A tab of its own: what the browser asks for with another page is not counted.
    page = visit("/healthz", alice).context.new_page()
    devtools = page.context.new_cdp_session(page)
    received: dict[str, float] = {}

    def note(event: dict[str, Any]) -> None:
        received[event["requestId"]] = event["encodedDataLength"]

    devtools.on("Network.loadingFinished", note)
    devtools.send("Network.enable")
    page.goto(FIRST, wait_until="networkidle")
    page.get_by_role("button", name="Keys").wait_for()
    assert 2 < len(received) <= MOST_REQUESTS
    assert 10_000 < sum(received.values()) < MOST_BYTES


def boxes(page: Page) -> list[Any]:
    """Return where the parts of a page stand, and in which face its first text is set."""
    found: list[Any] = page.evaluate(
        """() => [
            ...["h1", ".card", ".question", ".point", ".foot"].flatMap((part) => [...document.querySelectorAll(part)])
                .map((one) => Object.values(one.getBoundingClientRect().toJSON())),
            getComputedStyle(document.querySelector(".verse > div, .written")).fontFamily,
        ]"""
    )
    return found


def test_texts_are_read_where_they_stay_before_anything_but_the_page_has_come(
    visit: Callable[..., Page], study: Study
) -> None:
    alice = build_user("alice")
    enrol(study, alice)
    page = visit("/healthz", alice).context.new_page()
    kept_off: list[str] = []

    def only_the_page(route: Route) -> None:
        if route.request.resource_type == "document":
            route.continue_()
        else:
            kept_off.append(route.request.url)
            route.abort()

    page.route("**/*", only_the_page)
    page.goto(FIRST)
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length == 1")
    alone = boxes(page)
    assert kept_off and all(url.endswith(".js") for url in kept_off)
    page.unroute("**/*")
    page.goto(FIRST, wait_until="networkidle")
    assert boxes(page) == alone
    assert len(alone) > 30
