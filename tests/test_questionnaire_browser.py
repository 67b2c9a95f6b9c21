"""The questionnaire in a real Chromium against the real database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect

from annotations.models import AnswerChange, BestChoice, Enrolment, Rating, Study
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user, placements
from tests.browsing import DESKTOP, NARROW, PHONE, needs_browser
from tests.rating_page import FIRST, PASSWORD, SECOND, arrive, expect_saved, is_chosen, point, scores

pytestmark = needs_browser

WIDE: ViewportSize = {"width": 1760, "height": 1000}


@pytest.fixture
def alice(transactional_db: None) -> User:
    return build_user("alice", password=PASSWORD)


@pytest.fixture
def study(alice: User) -> Study:
    study = build_study()
    enrol(study, alice)
    return study


def test_a_page_is_rated_with_the_keyboard_alone(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST)
    # A key pressed before the page has put the caret into its first field would be lost.
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    arrive(page, FIRST)
    for key in "30415928":
        page.keyboard.press(key)
    page.keyboard.press("c")
    expect(page.locator("#answered")).to_have_text("9 of 9 answered")
    expect(page.locator("#none-missing")).to_be_visible()
    page.keyboard.press("Enter")
    arrive(page, SECOND)
    assert scores(study, alice) == {
        "A format": 3, "A overall": 10, "B format": 4, "B overall": 1,
        "C format": 5, "C overall": 9, "D format": 2, "D overall": 8,
    }  # fmt: skip
    assert BestChoice.objects.get().candidate_id == placements(study, alice)[2].candidate_id
    page.keyboard.press("p")
    arrive(page, FIRST)
    is_chosen(page, "a-overall", 10)


def test_an_evaluator_comes_back_on_a_phone_and_finishes(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    desktop = visit(FIRST, alice)
    for letter in "abcd":
        point(desktop, f"{letter}-format", 4).click()
        point(desktop, f"{letter}-overall", 7).click()
    point(desktop, "best", placements(study, alice)[0].token).click()
    expect_saved(desktop)
    desktop.context.close()

    phone = visit("/studies/", alice, size=PHONE, is_mobile=True, has_touch=True)
    phone.get_by_role("link", name="Poems on old themes").tap()
    phone.get_by_role("link", name="Continue where you stopped").tap()
    arrive(phone, SECOND)
    phone.get_by_role("link", name="Back").tap()
    arrive(phone, FIRST)
    is_chosen(phone, "d-overall", 7)
    point(phone, "d-overall", 10).tap()
    expect_saved(phone)
    phone.get_by_role("button", name="Next").tap()
    arrive(phone, SECOND)
    for letter in "abcd":
        point(phone, f"{letter}-format", 2).tap()
        point(phone, f"{letter}-overall", 3).tap()
    point(phone, "best", placements(study, alice, page=2)[1].token).tap()
    phone.get_by_role("button", name="Next").tap()
    arrive(phone, "/studies/poems/")
    expect(phone.locator(".subtask-count")).to_have_text("18 / 18 done")
    expect(phone.get_by_role("heading", name="You have finished. Thank you.")).to_be_visible()
    assert scores(study, alice)["D overall"] == 10
    assert Rating.objects.count() == 16


def test_a_deadline_that_passes_while_the_page_is_open_is_told_and_nothing_is_stored(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST, alice)
    Enrolment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    point(page, "a-format", 3).click()
    expect(page.get_by_role("alert")).to_contain_text("The time for this study is over.")
    expect(page.locator("#state")).to_have_text("not saved")
    expect(page.locator("#answers input[type=radio]:not(:disabled)")).to_have_count(0)
    expect(page.locator("#answers input:checked")).to_have_count(0)
    assert not Rating.objects.exists()
    assert not AnswerChange.objects.exists()


def test_the_time_on_the_page_is_sent(visit: Callable[..., Page], study: Study, alice: User) -> None:
    page = visit(FIRST, alice)
    page.wait_for_timeout(300)
    point(page, "a-format", 2).click()
    expect_saved(page)
    seconds = AnswerChange.objects.get().seconds_on_page
    assert seconds is not None
    assert 0.2 <= seconds < 10


@pytest.mark.parametrize("size", [DESKTOP, PHONE, WIDE])
def test_nothing_moves_when_an_answer_is_saved(
    visit: Callable[..., Page], study: Study, alice: User, size: ViewportSize
) -> None:
    page = visit(FIRST, alice, size=size)
    boxes = """() => [...document.querySelectorAll(
        'h1, .card, .question, .point, .foot, .foot-facts span, .foot-ways *, .missing')]
        .filter((element) => element.id !== 'state' && element.id !== 'answered')
        .map((element) => Object.values(element.getBoundingClientRect().toJSON()).join())"""
    page.evaluate("window.scrollTo(0, 200)")
    before = page.evaluate(boxes)
    page.route("**/answers/", lambda route: route.abort())
    page.evaluate("document.querySelector('#b-format input').click()")
    expect(page.locator("#state")).to_contain_text("not sent yet")
    assert page.evaluate(boxes) == before
    page.unroute_all()
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect_saved(page)
    assert page.evaluate(boxes) == before


@pytest.mark.parametrize(("keys", "picked"), [("bd", "D"), ("bb", "B"), ("d", "D")])
def test_b_and_a_letter_pick_that_letter_even_where_the_focus_is_on_the_picks_already(
    visit: Callable[..., Page], study: Study, alice: User, keys: str, picked: str
) -> None:
    page = visit(FIRST, alice)
    for key in "30415928":
        page.keyboard.press(key)
    for key in keys:
        page.keyboard.press(key)
    expect_saved(page)
    choice = BestChoice.objects.get()
    letters = {one.candidate_id: one.letter for one in placements(study, alice)}
    assert letters[choice.candidate_id] == picked


def test_keys_move_over_rows_and_cards_and_leave_the_scale_its_own(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST, alice)

    def in_focus() -> str:
        return str(page.evaluate("document.activeElement.id || document.activeElement.value"))

    visited = []
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft", "b"):
        page.keyboard.press(key)
        visited.append(in_focus())
    assert visited == ["a-format", "a-overall", "b-overall", "b-format", "a-format", "best"]
    page.locator("#a-overall").focus()
    page.keyboard.press("Control+3")
    page.keyboard.press("Alt+n")
    assert page.locator("#answers input:checked").count() == 0
    assert page.url.endswith(FIRST)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    assert in_focus() == "2"
    is_chosen(page, "a-overall", 2)
    page.keyboard.press("7")
    is_chosen(page, "a-overall", 7)
    assert in_focus() == "b-format"
    page.keyboard.press("7")
    assert page.locator("#b-format input:checked").count() == 0


def test_a_question_mark_shows_the_keys_and_escape_hides_them(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST, alice)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("3")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.locator("#answers input:checked").count() == 0


def test_without_javascript_a_page_is_saved_as_one_form(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST, alice, java_script_enabled=False)
    point(page, "c-overall", 10).click()
    page.get_by_role("button", name="Save and next").click()
    arrive(page, SECOND)
    expect(page.get_by_role("status").first).to_have_text("Your answers are saved.")
    assert scores(study, alice) == {"C overall": 10}


@pytest.mark.parametrize(("locale", "scheme"), [("en-GB", "light"), ("zh-CN", "dark")])
def test_pages_are_accessible_and_fit_a_narrow_screen(
    visit: Callable[..., Page], study: Study, alice: User, locale: str, scheme: str
) -> None:
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice", "wcag2aaa"]}
    visitor, evaluator = (visit("/", user, locale=locale, color_scheme=scheme) for user in (None, alice))
    for page, paths in (
        (visitor, ["/", "/accounts/login/"]),
        (evaluator, ["/studies/", "/studies/poems/", FIRST]),
    ):
        for path in paths:
            page.set_viewport_size(NARROW)
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") == 320, path
            page.set_viewport_size(DESKTOP)
            # Text is held to 7:1; the one filled button to the 4.5:1 of controls, below.
            found = Axe().run(page, context={"exclude": [".button"]}, options=rules)
            assert found.violations_count == 0, found.generate_report()
            if page.locator(".button").count():
                rule = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
                found = Axe().run(page, context={"include": [".button"]}, options=rule)
                assert found.violations_count == 0, found.generate_report()
