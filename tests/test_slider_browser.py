"""A slider in a real Chromium: unset until it is set, by hand, by arrows or by a number, and saved at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from annotations.models import Criterion, Study
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user
from tests.browsing import NARROW, needs_browser
from tests.rating_page import FIRST, PASSWORD, expect_saved, scores

pytestmark = needs_browser


@pytest.fixture
def alice(transactional_db: None) -> User:
    return build_user("alice", password=PASSWORD)


@pytest.fixture
def study(alice: User) -> Study:
    study = build_study()
    Criterion.objects.filter(study=study, key="overall").update(minimum=0, maximum=100, is_slider=True)
    enrol(study, alice)
    return study


def test_slider_is_set_by_arrows_by_space_by_hand_and_by_a_number(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST, alice)
    expect(page.locator(".slider.is-unset")).to_have_count(4)
    ranges = {letter: page.locator(f"#{letter}-overall input[type=range]") for letter in "abcd"}
    numbers = {letter: page.locator(f"#{letter}-overall input[type=number]") for letter in "abcd"}
    # Looking at it sets nothing.
    ranges["a"].focus()
    expect(numbers["a"]).to_have_value("")
    expect(ranges["a"]).to_have_attribute("aria-valuetext", "not rated yet")
    page.keyboard.press("ArrowRight")
    expect(numbers["a"]).to_have_value("51")
    expect_saved(page)
    ranges["b"].focus()
    page.keyboard.press(" ")
    expect(numbers["b"]).to_have_value("50")
    ranges["c"].click()
    expect(numbers["c"]).not_to_have_value("")
    page.locator("#d-overall").focus()
    page.keyboard.type("87")
    page.keyboard.press("Enter")
    expect(ranges["d"]).to_have_value("87")
    expect(page.locator("#best")).to_be_focused()
    expect(page.locator(".slider.is-unset")).to_have_count(0)
    expect(page.locator("#answered")).to_have_text("4 of 9 answered")
    expect_saved(page)
    page.reload()
    expect(numbers["a"]).to_have_value("51")
    expect(ranges["d"]).to_have_value("87")
    stored = scores(study, alice)
    assert (stored["A overall"], stored["B overall"], stored["D overall"]) == (51, 50, 87)
    assert 48 <= stored["C overall"] <= 52


def test_number_off_the_scale_is_not_taken(visit: Callable[..., Page], study: Study, alice: User) -> None:
    page = visit(FIRST, alice)
    number = page.locator("#a-overall input[type=number]")
    number.fill("101")
    page.locator("#best").focus()
    expect(number).to_have_value("")
    expect(page.locator("#a-overall .slider")).to_have_class("slider is-unset")
    assert scores(study, alice) == {}


def test_page_with_sliders_is_accessible_and_fits_a_narrow_screen(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST, alice)
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    found = Axe().run(page, context={"include": [".slider"]})
    assert found.violations_count == 0, found.generate_report()
