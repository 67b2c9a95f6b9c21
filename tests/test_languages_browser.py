"""Texts that run from right to left, without blanks between words or in several scripts, rated in a real Chromium."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, ViewportSize, expect

from annotations.models import Rating, Study
from annotations.recruiting.enrolment import enrol
from annotations.setup.material import store_material
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import create_study
from annotations.tests.cast import build_user
from generation.files.candidates import read_candidates
from tests.browsing import DESKTOP, PHONE, needs_browser

pytestmark = needs_browser

PROMPT = "القمر في الليل — What does the moon look like?"
TEXTS = {
    "arabic": "القمر جميل في هذه الليلة (GPT-4)، وهو أقرب إلى الأرض بمقدار 12% من المعتاد!\n\nليلة هادئة.",
    "hebrew": "הירח יפה הלילה, והוא קרוב יותר ב־12% מהרגיל.",
    "japanese": "今夜は月が綺麗ですね。「月が綺麗」という言葉には、愛しているという意味もあります。",
    "hindi": "आज रात चाँद सुंदर है। क्षितिज के ऊपर वह और भी बड़ा दिखता है।",
    "mixed": "The word قمر means moon (月, ירח, चाँद); see https://example.org/القمر?q=1 for more 🌕👩‍🚀.",
}
DIRECTIONS = {"arabic": "rtl", "hebrew": "rtl", "japanese": "ltr", "hindi": "ltr", "mixed": "ltr"}
FIRST = "/studies/moon/subtasks/1/pages/1/"


@pytest.fixture
def alice(transactional_db: None) -> User:
    return build_user("alice")


@pytest.fixture
def study(alice: User, tmp_path: Path) -> Study:
    study = create_study(slug="moon", title={"zh-hans": "各国的月亮"}, rubric=load_rubric("qa"), by=None)
    rows = [{"prompt": PROMPT, "method": name, "text": text} for name, text in TEXTS.items()]
    file = tmp_path / "moon.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    store_material(study, read_candidates(file, "qa"), by=None)
    Study.objects.filter(pk=study.pk).update(state="open")
    study.refresh_from_db()
    enrol(study, alice)
    return study


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_texts_of_many_scripts_are_rated_as_they_were_written(
    visit: Callable[..., Any], study: Study, alice: User, size: ViewportSize
) -> None:
    page: Page = visit(FIRST, alice, size)
    shown = page.locator(".card .prose")
    expect(shown).to_have_count(len(TEXTS))
    read = page.evaluate(
        """() => [...document.querySelectorAll('.card .prose')].map(one => ({
            text: one.innerText.trim(), translate: one.translate, lang: one.lang,
            direction: getComputedStyle(one).direction}))"""
    )
    name_of = {" ".join(text.split()): name for name, text in TEXTS.items()}
    for one in read:
        name = name_of[" ".join(one["text"].split())]
        assert (one["direction"], one["translate"]) == (DIRECTIONS[name], False), name
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    title = page.get_by_role("link", name="各国的月亮")
    assert title.get_attribute("lang") == "zh-Hans", "an English page says that the title is Chinese"
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.locator(".question .point").first.click()
    expect(page.locator("#answered")).to_have_text("1 of 21 answered")
    expect(page.locator("#state")).to_contain_text("saved")
    assert Rating.objects.count() == 1
