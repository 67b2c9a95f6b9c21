"""A double press in a real browser on a slow line."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from annotations.models import Enrolment
from annotations.recruiting.invitations import Invitee, invite, make_open_link
from annotations.tests.cast import build_study


@pytest.mark.django_db(transaction=True)
def test_a_double_press_of_take_part_uses_one_place(live_server: LiveServer, browser: Browser) -> None:
    link = make_open_link(build_study(), limit=5, by=None)
    page = browser.new_page()
    page.goto(f"{live_server.url}/join/{link.token}/")
    line = page.context.new_cdp_session(page)
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 400, "downloadThroughput": -1, "uploadThroughput": -1},
    )
    # The first press reaches the site, and the second one is what the browser waits for.
    page.evaluate(
        "() => { fetch(location.href, {method: 'POST', redirect: 'manual',"
        " body: new FormData(document.querySelector('.join-choice'))}) }"
    )
    page.get_by_role("button", name="Take part").click(no_wait_after=True)
    page.get_by_text("Go to the study").wait_for()
    page.get_by_text("Go to the study").click()
    page.wait_for_url("**/studies/poems/")
    page.context.close()
    assert Enrolment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_question_who_one_is_fits_a_phone(live_server: LiveServer, browser: Browser) -> None:
    study = build_study()
    first, second = invite(study, [Invitee(), Invitee()], by=None)
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(f"{live_server.url}/join/{first.token}/")
    page.get_by_role("button", name="Take part").click()
    page.goto(f"{live_server.url}/join/{second.token}/")
    assert page.get_by_role("button", name="somebody else").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.context.close()
