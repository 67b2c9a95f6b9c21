"""What the tests that rate a page in a real Chromium do there."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from annotations.models import Rating, Study
from annotations.tests.cast import placements

FIRST = "/studies/poems/subtasks/1/pages/1/"
SECOND = "/studies/poems/subtasks/1/pages/2/"
PASSWORD = "verse-and-prose"  # noqa: S105


def arrive(page: Page, path: str) -> None:
    page.wait_for_url(lambda url: urlsplit(url).path == path)


def point(page: Page, row: str, value: int | str) -> Any:
    return page.locator(f"#{row} label").filter(has=page.locator(f'input[value="{value}"]'))


def is_chosen(page: Page, row: str, value: int | str) -> None:
    expect(page.locator(f'#{row} input[value="{value}"]')).to_be_checked()


def expect_saved(page: Page) -> None:
    expect(page.locator("#state")).to_have_text(re.compile(r"^saved \d\d:\d\d$"))


def scores(study: Study, user: User, page: int = 1) -> dict[str, float]:
    """Return the stored scores of a page by letter and criterion."""
    letters = {placement.candidate_id: placement.letter for placement in placements(study, user, page=page)}
    stored = Rating.objects.filter(enrolment__evaluator=user, candidate__in=letters)
    found = stored.values_list("candidate", "criterion__key", "score")
    return {f"{letters[candidate]} {key}": score for candidate, key, score in found}
