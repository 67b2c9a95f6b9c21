"""The editor of kinds of errors in a real Chromium: by keys on a desktop, and on a phone in Chinese."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from annotations.models import Study
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import create_study
from annotations.tests.cast import build_user
from tests.browsing import PHONE, needs_browser
from tests.rating_page import PASSWORD, arrive

pytestmark = needs_browser

URL = "/manage/studies/marked/errors/"


@pytest.fixture
def owner(transactional_db: None) -> User:
    user = build_user("dora", password=PASSWORD)
    create_study(slug="marked", rubric=load_rubric("mqm"), by=user)
    return user


def look(page: Page, name: str) -> None:
    """Hold the page to be accessible, and keep a picture where one is wanted."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_category_is_renamed_and_moved_by_keys(visit: Callable[..., Page], owner: User) -> None:
    page = visit(URL, owner)
    look(page, "errors-desktop")
    second = Study.objects.get().error_categories.all()[1]
    page.locator("#id_categories-1-label_en").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Renamed")
    page.locator("button[value='categories:1:-1']").focus()
    page.keyboard.press("Enter")
    arrive(page, URL)
    expect(page.locator("#id_categories-0-label_en")).to_have_value("Renamed")
    first = Study.objects.get().error_categories.all()[0]
    assert (first.key, first.label["en"]) == (second.key, "Renamed")


def test_the_editor_fits_a_phone_in_chinese(visit: Callable[..., Page], owner: User) -> None:
    page = visit(URL, owner, PHONE, has_touch=True, locale="zh-CN")
    expect(page.locator("h1")).to_have_text("要标出的错误")
    look(page, "errors-phone")
