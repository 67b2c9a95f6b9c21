"""The scales of a long text stand beside it, all of them where they have room, and follow it on a narrow screen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize

from annotations.models import Study
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import CRITERIA, build_study, build_user
from generation.models import Candidate, Prompt
from tests.browsing import DESKTOP, PHONE, needs_browser
from tests.rating_page import FIRST
from tests.six_studies import words

pytestmark = needs_browser

RUBRIC = Path(__file__).resolve().parents[1] / "fixtures" / "rubrics" / "summary.json"
TABLET: ViewportSize = {"width": 820, "height": 700}


@pytest.fixture
def study(db: None) -> Study:
    """Two long summaries of a longer report, rated by the five criteria of the rubric for summaries."""
    study = build_study(prompts=1, methods=2)
    study.criteria.all().delete()
    for number, criterion in enumerate(json.loads(RUBRIC.read_text())["criteria"]):
        study.criteria.create(**{**CRITERIA[0], **criterion, "number": number})
    Study.objects.update(normalisation="prose", text_language="en")
    report = [{"name": "source", "text": words(1_000, 1)}]
    Prompt.objects.update(genre="summary", text="Summarise the report.", parts=report)
    for candidate in Candidate.objects.all():
        Candidate.objects.filter(pk=candidate.pk).update(text=words(150, candidate.pk))
    return study


def test_five_scales_stand_beside_a_long_text_at_once(visit: Callable[..., Page], study: Study) -> None:
    alice = build_user("alice")
    enrol(study, alice)
    page = visit(FIRST, alice, DESKTOP)
    boxes: list[Any] = page.locator(".questions").evaluate_all(
        "boxes => boxes.map(one => [getComputedStyle(one).position, one.scrollHeight - one.clientHeight])"
    )
    assert boxes == [["sticky", 0], ["sticky", 0]]


@pytest.mark.parametrize("size", [PHONE, TABLET], ids=["phone", "tablet"])
def test_the_scales_follow_a_long_text_down_to_the_foot_without_a_gap(
    visit: Callable[..., Page], study: Study, size: ViewportSize
) -> None:
    alice = build_user("alice")
    enrol(study, alice)
    page = visit(FIRST, alice, size)
    page.locator(".card").first.evaluate("card => card.scrollIntoView({block: 'start'})")
    bottom = page.locator(".questions").first.evaluate("box => box.getBoundingClientRect().bottom")
    foot = page.locator(".foot").evaluate("foot => foot.getBoundingClientRect().top")
    assert foot <= bottom <= foot + 32
