"""Errors marked in texts, in a real Chromium: by keys alone and by mouse on a desktop, by touch on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from annotations.models import Marking, Rating, Span, Study
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_user, placements
from annotations.tests.marking_cast import build_marked_study
from tests.browsing import PHONE, needs_browser
from tests.rating_page import FIRST, PASSWORD, arrive, expect_saved

pytestmark = needs_browser

ENGLISH = "The cat sat on teh mat.\r\n\r\nIt wore a cafe\u0301 hat 👩\u200d👧 (red)."
OTHERS = ["Второй текст с ошыбкой.", "第三篇文本有一个错字。", "שלום עולם יפה"]


@pytest.fixture
def people(transactional_db: None) -> tuple[User, User]:
    """Alice, who sits at a desk, and bob, who has a phone."""
    alice, bob = build_user("alice", password=PASSWORD), build_user("bob", password=PASSWORD)
    study = build_marked_study(ENGLISH, OTHERS[0], OTHERS[1], OTHERS[2], slug="poems", methods=2)
    Study.objects.filter(pk=study.pk).update(text_language="en")
    for user in (alice, bob):
        enrol(study, user)
    return alice, bob


def letter(user: User, text: str) -> str:
    study = Study.objects.get(slug="poems")
    return next(one.letter.lower() for one in placements(study, user) if one.candidate.text == text)


def spans(user: User) -> list[tuple[Any, ...]]:
    rows = Span.objects.filter(enrolment__evaluator=user).order_by("candidate", "number")
    return [
        (
            None if one.start is None else one.candidate.text[one.start : one.end],
            one.category.key,
            one.severity.key,
        )
        for one in rows.select_related("candidate", "category", "severity")
    ]


def picture(page: Page, name: str) -> None:
    """Keep a picture where one is wanted."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def is_accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_errors_are_marked_by_keys_alone_and_the_text_is_then_rated(
    visit: Callable[..., Page], people: tuple[User, User]
) -> None:
    page = visit(FIRST, people[0])
    of = letter(people[0], ENGLISH)
    marking = page.locator(f"#{of}-marks")
    expect(page.locator(f"#{of}-score input[type=range]")).to_be_disabled()
    page.evaluate(f"document.getElementById('{of}-marks').focus()")
    expect(marking.locator("[data-marker]")).to_be_focused()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(marking.locator("[data-chosen]")).to_have_text("“teh”")
    expect(marking.locator("[data-status]")).to_have_text("“teh”")
    page.keyboard.press("2")
    page.keyboard.press("a")
    expect(marking.locator("[data-status]")).to_have_text("“teh” is marked: Accuracy, Major")
    expect(marking.locator("[data-markable] mark")).to_have_text("teh")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("1")
    page.keyboard.press("a")
    expect(marking.locator("[data-marks] li")).to_have_count(2)
    expect_saved(page)
    assert sorted(spans(people[0])) == [("teh", "accuracy", "major"), ("teh mat", "accuracy", "minor")]
    page.keyboard.press("Backspace")
    expect(marking.locator("[data-marks] li")).to_have_count(1)
    # An accent and a family are one character each, and something missing is a place.
    page.evaluate(f"document.querySelector('#{of}-marks [data-marker]').focus()")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(marking.locator("[data-chosen]")).to_have_text("“cafe\u0301”".replace("e\u0301", "é"))
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("c")
    page.keyboard.press("Enter")
    expect(page.locator(f"#{of}-score")).to_be_focused()
    page.keyboard.type("80")
    page.keyboard.press("Enter")
    expect_saved(page)
    assert Marking.objects.get(enrolment__evaluator=people[0], candidate__text=ENGLISH).is_done
    assert Rating.objects.get().score == 80
    picture(page, "marks-desktop")
    is_accessible(page)
    page.reload()
    expect(marking.locator("[data-done]")).to_be_checked()
    expect(marking.locator("[data-markable] mark")).to_have_text("teh")
    page.keyboard.press("n")
    arrive(page, FIRST.replace("pages/1", "pages/2"))


def test_errors_are_marked_on_a_phone_by_the_selection_of_the_phone_and_a_button(
    visit: Callable[..., Page], people: tuple[User, User]
) -> None:
    page = visit(FIRST, people[1], PHONE, has_touch=True, locale="zh-CN")
    of = letter(people[1], ENGLISH)
    marking = page.locator(f"#{of}-marks")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    select = """([id, start, end]) => {
      const node = document.querySelector(`#${id} [data-markable]`).firstChild;
      const range = document.createRange();
      range.setStart(node, start);
      range.setEnd(node, end);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
    }"""
    page.evaluate(select, [f"{of}-marks", 15, 18])
    expect(marking.locator("[data-chosen]")).to_have_text("“teh”")
    picture(page, "marks-phone-chosen")
    marking.locator("[data-category=accuracy]").tap()
    expect(marking.locator("[data-marks] li")).to_have_count(1)
    marking.locator("[data-field=note]").fill("应为 the")
    marking.locator("[data-field=severity]").select_option("major")
    marking.locator("[data-done]").check()
    expect(page.locator("#state")).to_contain_text("已保存")
    page.wait_for_timeout(500)
    assert spans(people[1]) == [("teh", "accuracy", "major")]
    assert Span.objects.get().note == "应为 the"
    box = marking.locator("[data-category=accuracy]").bounding_box()
    assert box is not None
    assert box["height"] >= 44
    picture(page, "marks-phone")
    is_accessible(page)


def test_in_text_from_right_to_left_the_left_arrow_goes_on(
    visit: Callable[..., Page], people: tuple[User, User]
) -> None:
    page = visit(FIRST.replace("pages/1", "pages/2"), people[0])
    study = Study.objects.get(slug="poems")
    of = next(
        one.letter.lower() for one in placements(study, people[0], page=2) if one.candidate.text == OTHERS[2]
    )
    marking = page.locator(f"#{of}-marks")
    page.evaluate(f"document.getElementById('{of}-marks').focus()")
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    expect(marking.locator("[data-chosen]")).to_have_text("“עולם”")
    page.keyboard.press("a")
    expect_saved(page)
    assert spans(people[0]) == [("עולם", "accuracy", "minor")]
