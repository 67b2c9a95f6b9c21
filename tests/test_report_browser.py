"""The report of a study in a real Chromium."""

from __future__ import annotations

from pathlib import Path

from django.contrib.staticfiles import finders
from playwright.sync_api import Browser

from tests.browsing import PHONE, needs_browser

pytestmark = needs_browser


def test_a_text_with_a_line_without_blanks_is_no_wider_than_a_phone(browser: Browser) -> None:
    sheet = Path(str(finders.find("annotations/report.css"))).read_text(encoding="utf-8")
    page = browser.new_page(viewport=PHONE)
    text = f'<blockquote class="case-text"><p>{"x" * 500}</p></blockquote>'
    page.set_content(f'<style>{sheet}</style><main class="report">{text}</main>')
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.close()
