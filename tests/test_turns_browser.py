"""Turns of dialogues, in a real Chromium: by keys alone on a desktop, by touch on a phone in Chinese."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.core.management import call_command
from playwright.sync_api import Page, expect

from annotations.models import Rating, Study, TurnRating
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_user
from tests.browsing import PHONE, needs_browser
from tests.rating_page import PASSWORD, expect_saved, is_chosen, point

pytestmark = needs_browser

FIRST = "/studies/talks/subtasks/1/pages/1/"
TURNS = [
    {"role": "user", "text": "Where is the museum?"},
    {"role": "assistant", "text": "Behind the station, ten minutes on foot."},
    {"role": "user", "text": "Is it open on Mondays?"},
    {"role": "assistant", "text": "No, from Tuesday to Sunday."},
]
RUBRIC = {
    "genre": "qa",
    "criteria": [
        {"key": "fluency", "label": {"en": "Fluency", "zh-hans": "流畅"}, "rates_turns": True},
        {"key": "overall", "label": {"en": "Overall", "zh-hans": "总体"}, "is_overall": True},
    ],
}


@pytest.fixture
def people(transactional_db: None, tmp_path: Path) -> tuple[User, User]:
    """Alice, who sits at a desk, and bob, who has a phone; each rates two dialogues of two turns."""
    rubric, rows = tmp_path / "rubric.json", tmp_path / "talks.jsonl"
    rubric.write_text(json.dumps(RUBRIC), encoding="utf-8")
    rows.write_text(
        "".join(
            json.dumps({"prompt": "Ask the way.", "method": method, "text": [*TURNS[:-1], last]}) + "\n"
            for method, last in (("bot", TURNS[-1]), ("human", {"role": "assistant", "text": "It is not."}))
        ),
        encoding="utf-8",
    )
    call_command("create_study", "talks", rubric=str(rubric))
    call_command("upload_material", "talks", rows)
    call_command("sign_off_study", "talks")
    call_command("launch_study", "talks", without_plan=True)
    users = build_user("alice", password=PASSWORD), build_user("bob", password=PASSWORD)
    for user in users:
        enrol(Study.objects.get(), user)
    return users


def turns(user: User) -> list[tuple[int, float]]:
    rows = TurnRating.objects.filter(enrolment__evaluator=user).order_by("pk")
    return list(rows.values_list("turn", "score"))


def picture(page: Page, name: str) -> None:
    """Keep a picture where one is wanted."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_every_turn_and_the_whole_are_rated_by_keys_alone(
    visit: Callable[..., Page], people: tuple[User, User]
) -> None:
    page = visit(FIRST, people[0])
    expect(page.locator(".dialogue .turn")).to_have_count(8)
    # Two turns, the whole and the overall rating of A, and the same of B.
    for key in "45314253":
        page.keyboard.press(key)
    page.keyboard.press("a")
    expect(page.locator("#answered")).to_have_text("9 of 9 answered")
    expect_saved(page)
    assert sorted(turns(people[0])) == [(1, 4), (1, 4), (2, 2), (2, 5)]
    assert sorted(Rating.objects.values_list("criterion__key", "score")) == [
        ("fluency", 3), ("fluency", 5), ("overall", 1), ("overall", 3),
    ]  # fmt: skip
    picture(page, "turns-desktop")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    page.reload()
    is_chosen(page, "a-fluency-2", 5)


def test_turns_are_rated_by_touch_on_a_phone(visit: Callable[..., Page], people: tuple[User, User]) -> None:
    page = visit(FIRST, people[1], PHONE, has_touch=True, locale="zh-CN")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for letter in "ab":
        for row, score in (("fluency-1", 2), ("fluency-2", 4), ("fluency", 3), ("overall", 5)):
            point(page, f"{letter}-{row}", score).tap()
    expect(page.locator("#state")).to_contain_text("已保存")
    page.wait_for_timeout(500)
    assert sorted(turns(people[1])) == [(1, 2), (1, 2), (2, 4), (2, 4)]
    assert Rating.objects.count() == 4
    picture(page, "turns-phone")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
