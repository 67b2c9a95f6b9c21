"""The game in a real Chromium against the real database."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

from tests.browsing import DESKTOP, NARROW, PHONE, needs_browser
from turing.models import Genre, Round
from turing.tests.cast import build_pairs

pytestmark = needs_browser


@pytest.fixture
def play(visit: Callable[..., Page]) -> Callable[..., Page]:
    """Return a function that opens the start page of the game in a fresh browser."""
    build_pairs()
    return partial(visit, "/turing/")


def begin(page: Page) -> None:
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".pick")).to_have_count(2)
    page.wait_for_load_state("load")


def arrive(page: Page, selector: str) -> None:
    expect(page.locator(selector).first).to_be_visible()
    # The page's keys work once its script has run.
    page.wait_for_load_state("load")


def is_wider_than_the_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_a_game_is_played_with_the_keyboard_alone(play: Callable[..., Page]) -> None:
    page = play()
    page.get_by_role("button", name="Play").focus()
    page.keyboard.press("Enter")
    for number, key in enumerate(["ArrowLeft", "ArrowRight", "1", "2", "ArrowLeft"], start=1):
        arrive(page, ".pick")
        page.keyboard.press(key)
        arrive(page, ".truth")
        side = "left" if key in ("ArrowLeft", "1") else "right"
        assert Round.objects.get(number=number).choice == side
        page.keyboard.press("Enter")
    expect(page.locator("#share-text")).to_have_value(
        re.compile(r"I told human from machine in \d of 5 rounds\.")
    )
    page.keyboard.press("Enter")
    arrive(page, ".pick")
    assert Round.objects.count() == 10


def test_a_game_is_played_on_a_phone_with_a_press_on_the_sheet(play: Callable[..., Page]) -> None:
    page = play(size=PHONE, has_touch=True, is_mobile=True)
    begin(page)
    upper, lower = (page.locator(".sheet-of-text").nth(place).bounding_box() for place in (0, 1))
    assert upper and lower
    assert upper["y"] + upper["height"] <= lower["y"]
    assert not is_wider_than_the_window(page)
    page.get_by_text("I know one of these poems").tap()
    page.get_by_label("fairly sure").tap()
    # Somewhere on the poem, not on the button under it.
    page.touchscreen.tap(lower["x"] + 60, lower["y"] + 40)
    arrive(page, ".truth")
    one = Round.objects.get(number=1)
    assert (one.choice, one.confidence, one.known) == ("right", 2, True)
    assert not is_wider_than_the_window(page)
    expect(page.locator(".is-human .seal")).to_be_visible()
    expect(page.locator(".is-human .writer")).to_have_text("〔唐〕无名诗人")


def test_the_arrows_choose_how_sure_one_is_while_that_row_has_the_focus(play: Callable[..., Page]) -> None:
    page = play()
    begin(page)
    page.locator("input[name=confidence]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator('input[name=confidence][value="2"]')).to_be_checked()
    assert not Round.objects.answered().exists()


def test_the_game_works_without_javascript(play: Callable[..., Page]) -> None:
    page = play(java_script_enabled=False)
    page.get_by_role("button", name="Play").click()
    for number in range(1, 6):
        page.locator(".pick").nth(number % 2).click()
        expect(page.locator(".truth")).to_have_count(2)
        page.locator("#next").click()
    expect(page.locator("h1")).to_have_text(re.compile(r"\d of 5 right"))
    assert Round.objects.answered().count() == 5


def test_the_way_back_shows_the_truth_and_takes_no_second_choice(play: Callable[..., Page]) -> None:
    page = play()
    begin(page)
    page.locator(".pick").first.click()
    arrive(page, ".truth")
    page.go_back()
    arrive(page, ".truth")
    assert Round.objects.answered().count() == 1


def test_whoever_wants_no_motion_sees_the_seal_at_rest(play: Callable[..., Page]) -> None:
    page = play(reduced_motion="reduce")
    begin(page)
    page.locator(".pick").first.click()
    arrive(page, ".truth")
    assert page.locator(".seal").evaluate("seal => getComputedStyle(seal).animationName") == "none"


@pytest.mark.parametrize("size", [DESKTOP, NARROW], ids=["desktop", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page_of_the_game(
    play: Callable[..., Page], size: ViewportSize, scheme: str
) -> None:
    page = play(size=size, color_scheme=scheme, reduced_motion="reduce")
    check(page)
    begin(page)
    check(page)
    for number in range(1, 6):
        page.locator(".pick").first.click()
        arrive(page, ".truth")
        if number < 3:
            check(page)
        page.locator("#next").click()
    arrive(page, "#share-text")
    check(page)


def check(page: Page) -> None:
    assert not is_wider_than_the_window(page)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_answers_to_questions_are_set_as_prose(play: Callable[..., Page]) -> None:
    build_pairs(5, genre=Genre.QA)
    page = play()
    page.get_by_role("button", name="Play with answers").click()
    expect(page.locator(".sheets-prose .pick").first).to_contain_text("A human wrote this answer")
