"""What a browser loads before somebody who opens the questionnaire for the first time can rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

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
    assert 3 < len(received) <= MOST_REQUESTS
    assert 10_000 < sum(received.values()) < MOST_BYTES
