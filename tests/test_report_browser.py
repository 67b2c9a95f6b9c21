"""The report of a study in a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Browser

from tests.browsing import PHONE, needs_browser

pytestmark = needs_browser


@pytest.mark.parametrize(
    "part",
    [
        '<blockquote class="case-text"><p>{}</p></blockquote>',
        # The name and the version of a judge, as they were typed.
        '<section class="report-section"><p>{}</p></section>',
    ],
)
def test_what_was_written_without_blanks_is_no_wider_than_a_phone(browser: Browser, part: str) -> None:
    sheet = Path(str(finders.find("annotations/report.css"))).read_text(encoding="utf-8")
    page = browser.new_page(viewport=PHONE)
    page.set_content(f'<style>{sheet}</style><main class="report">{part.format("x" * 500)}</main>')
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.close()
